//! `GET /transfers/{id}`: one transfer of the caller's identity (seed 004).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::TransferId;
use service::multi::{InstrumentTransfer, Surface};

use super::wire::TransferBody;
use crate::http::PathText;
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::request_ref::Whole;
use crate::multi::wire::{path_id, succeed};
use crate::multi::{Place, auth, schemas};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(Place { app, surface }): State<Place>,
    id: PathText,
    Whole { parts, .. }: Whole,
) -> Response {
    let answer = async {
        match get(&app, surface, id, &parts).await {
            Ok(transfer) => succeed(StatusCode::OK, &TransferBody::of(&transfer)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiGetTransfer", answer).await
}

async fn get(
    app: &App,
    surface: Surface,
    id: PathText,
    parts: &Parts,
) -> Result<InstrumentTransfer, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let id = TransferId::new(path_id("id", id)?);
    Ok(app.service().instrument_transfer(&call.actor(), id).await?)
}

/// Get a transfer transaction.
#[utoipa::path(
    get, path = "/transfers/{id}", operation_id = "transferGet", tag = "Transfers",
    params(("id" = schemas::Id, Path, description = "The transfer.")),
    responses(
        (status = 200, description = "As it is now.", body = TransferBody),
        (status = 404, description = "The caller's identity has no such transfer.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
