//! `POST /bulks/transfers`: hands up to 10,000 transfers in; nothing runs yet.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::bulk::OPERATIONS_MAX;
use ledger::{BulkId, TransferOrder};
use serde::Serialize;
use service::multi::Surface;
use utoipa::ToSchema;

use crate::multi::body::{self, BULK_BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::request_ref::RequestRef;
use crate::multi::transfers::create::{self, CreateTransfer, CreateTransferBody};
use crate::multi::wire::{Id, Text64, succeed};
use crate::multi::{auth, errors, fields, idempotency, schemas};
use crate::{App, metrics};

/// One operation of a bulk, for the document.
#[derive(ToSchema)]
#[schema(as = BulkTransferOperation, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct OperationRequest {
    request_body: CreateTransferBody,
    /// The operation has none.
    #[schema(value_type = Option<Object>)]
    path_params: Option<()>,
}

/// The operations of a bulk, for the document.
#[derive(ToSchema)]
#[schema(as = BulkTransferOperations, min_items = 1, max_items = 10_000)]
#[allow(dead_code, reason = "describes what is read item by item")]
pub struct OperationsRequest(Vec<OperationRequest>);

const _: () = assert!(OPERATIONS_MAX == 10_000, "as the document says");

/// A bulk that was handed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcessSubmitted)]
pub struct SubmittedBody {
    #[schema(value_type = schemas::Id)]
    bulk_id: Id,
    operation_count: usize,
    /// Where to look at it.
    path: String,
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    Extension(request): Extension<RequestRef>,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match submit(&app, surface, request, &parts, body).await {
            Ok((bulk, count)) => {
                let body = SubmittedBody {
                    bulk_id: Text64(bulk.raw()),
                    operation_count: count,
                    path: format!("/bulks/{bulk}"),
                };
                succeed(StatusCode::CREATED, &body)
            }
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiSubmitBulk", answer).await
}

async fn submit(
    app: &App,
    surface: Surface,
    request: RequestRef,
    parts: &Parts,
    body: Body,
) -> Result<(BulkId, usize), Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BULK_BODY_MAX).await?;
    let (reference, orders) = both(
        idempotency::reference(&parts.headers),
        parse(&bytes, call.strict),
    )?;
    let reference = idempotency::bind(reference, request);
    let actor = call.actor();
    let done = app.service().submit_bulk(&actor, orders, reference);
    Ok(done.await?)
}

/// Reads the body: a bare array. One malformed operation fails the whole call.
fn parse(bytes: &[u8], strict: bool) -> Result<Vec<TransferOrder>, Vec<InvalidField>> {
    let read = |fields: &mut fields::Fields<'_>| {
        // There is nothing in the path of this operation.
        fields.optional_object("pathParams", |_| ());
        fields.object("requestBody", |fields| Some(create::read(fields)))
    };
    let operations = fields::parse_array(bytes, strict, 1..=OPERATIONS_MAX, read)?;
    let operations = operations.into_iter().flatten();
    Ok(operations.map(CreateTransfer::order).collect())
}

/// Submit a bulk of transfers.
#[utoipa::path(
    post, path = "/bulks/transfers", operation_id = "bulkTransfersSubmit", tag = "Bulk processes",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = OperationsRequest,
    responses((status = 201, description = "Handed in; execute it next.", body = SubmittedBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    const ORDER: &str = r#"{"requestBody":{"profileId":"1","source":{"id":"2","type":"managed_accounts"},"destination":{"id":"3","type":"managed_cards"},"destinationAmount":{"currency":"EUR","amount":5}}}"#;

    fn read(body: &str) -> Result<usize, String> {
        let orders = parse(body.as_bytes(), true);
        orders
            .map(|orders| orders.len())
            .map_err(|faults| message(&faults))
    }

    #[test]
    fn a_bulk_is_a_bare_array_of_operations() {
        assert_eq!(read(&format!("[{ORDER}]")), Ok(1));
        let params = ORDER.replacen('{', r#"{"pathParams":{},"#, 1);
        assert_eq!(read(&format!("[{ORDER},{params}]")), Ok(2));
        for (body, wrong) in [
            ("{}", "body must be a JSON array"),
            ("[]", "body must have 1 to 10000 items"),
            ("[{}]", "[0].requestBody is required"),
            ("[1]", "[0] must be an object"),
        ] {
            assert_eq!(read(body), Err(wrong.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_fault_is_named_with_its_place() {
        let bad = ORDER.replace("\"2\"", "\"two\"");
        let expected = "[1].requestBody.source.id does not match ^[0-9]+$".to_owned();
        assert_eq!(read(&format!("[{ORDER},{bad}]")), Err(expected));
    }
}
