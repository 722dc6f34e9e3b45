//! `POST /transfers`: records a manual transfer, which settles after the answer (seed 000).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{AccountId, Currency};
use serde::Deserialize;
use service::{Answered, NewTransfer};
use utoipa::ToSchema;

use super::errors::Failure;
use super::wire::TransferBody;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::json::{Fault, Fields};
use crate::{App, metrics};

/// Cents of the smallest transfer (seed 000: "Minimum $1.00").
pub const AMOUNT_MIN: i64 = 100;

/// The request, for the document and for programs that build it.
#[derive(Deserialize, ToSchema)]
pub struct CreateTransferBody {
    /// ID of the account to transfer from.
    pub source_account_id: String,
    /// ID of the account to transfer to.
    pub destination_account_id: String,
    /// Amount to transfer in cents.
    #[schema(minimum = 100)]
    pub amount_in_cents: i64,
}

/// Create a manual transfer; it settles after the answer.
#[utoipa::path(
    post, path = "/transfers", operation_id = "createTransfer", tag = "Transfers",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    request_body = CreateTransferBody,
    responses(
        (status = 201, description = "Recorded; poll `GET /transfers/{id}` for the outcome.", body = inline(super::openapi::TransferSuccess)),
        (status = 400, description = "The request is wrong; the message names the field.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "No `MANUAL_TRANSFER` entry allows this pair and amount.", body = super::envelope::ErrorEnvelope),
        (status = 413, description = "The body is too large.", body = super::envelope::ErrorEnvelope),
        (status = 415, description = "The body is not JSON.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now; retry with the same key.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts, body: Body) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match create(&app, &parts.headers, body, &id, usable).await {
            Ok(Answered {
                transfer,
                source,
                destination,
                request_id,
            }) => {
                let data = TransferBody::new(&transfer, source.as_ref(), destination.as_ref());
                envelope::succeed(StatusCode::CREATED, &id, &request_id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "createTransfer", answer).await
}

async fn create(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    request_id: &str,
    usable: Result<(), Failure>,
) -> Result<Answered, Failure> {
    let write = write::accept(app, headers, body, Needs::Json, (request_id, usable)).await?;
    let new = parse(&write.bytes).map_err(Failure::Invalid)?;
    Ok(app
        .service()
        .create_transfer(&write.key, new, write.idempotency, request_id)
        .await?)
}

/// The body's three fields. An id of another form than ours is one that nobody has.
fn parse(bytes: &[u8]) -> Result<NewTransfer, Vec<Fault>> {
    let mut fields = Fields::parse(bytes)?;
    let source = fields.text("source_account_id");
    let destination = fields.text("destination_account_id");
    let amount_minor = fields.integer("amount_in_cents", AMOUNT_MIN);
    if !source.is_empty() && source == destination {
        fields.fault(
            "destination_account_id",
            "must not be the source_account_id",
        );
    }
    fields.finish()?;
    Ok(NewTransfer {
        source: AccountId::new(ids::read(ids::ACCOUNT, &source).unwrap_or(0)),
        // Another number that nobody has: two strangers are not the same account.
        destination: AccountId::new(ids::read(ids::ACCOUNT, &destination).unwrap_or(u64::MAX)),
        amount_minor,
        currency: Currency::USD,
        description: None,
    })
}
