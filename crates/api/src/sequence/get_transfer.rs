//! `GET /transfers/{id}` (sequence-api §4.4).

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::TransferId;
use store::TransferRow;

use super::errors::Failure;
use super::wire::TransferBody;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Get one transfer.
#[utoipa::path(
    get, path = "/transfers/{id}", operation_id = "getTransfer", tag = "Transfers",
    params(
        ("id" = String, Path, description = "`txr_…`"),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The transfer as it is now.", body = inline(super::openapi::TransferSuccess)),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "Neither of its accounts is in the key's `READ_TRANSFERS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such transfer.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, transfer: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match find(&app, &parts.headers, &path_text(transfer), usable).await {
            Ok(TransferRow {
                transfer,
                source,
                destination,
            }) => {
                let data = TransferBody::new(&transfer, source.as_ref(), destination.as_ref());
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "getTransfer", answer).await
}

async fn find(
    app: &App,
    headers: &HeaderMap,
    transfer: &str,
    usable: Result<(), Failure>,
) -> Result<TransferRow, Failure> {
    let key = auth::authenticate(app, headers)?;
    usable?;
    let id = ids::read(ids::TRANSFER, transfer).map(TransferId::new);
    Ok(app.service().transfer(&key, id).await?)
}
