//! `GET /managed_cards/{id}`: one card of the caller's identity.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, InstrumentClass};
use service::multi::Surface;

use super::wire::ManagedCardBody;
use crate::http::PathText;
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::wire::{path_id, succeed};
use crate::multi::{auth, schemas};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    id: PathText,
    parts: Parts,
) -> Response {
    let answer = async {
        match get(&app, surface, id, &parts).await {
            Ok(account) => succeed(StatusCode::OK, &ManagedCardBody::of(&account)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiGetCard", answer).await
}

async fn get(app: &App, surface: Surface, id: PathText, parts: &Parts) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let (actor, id) = (call.actor(), AccountId::new(path_id("id", id)?));
    let class = InstrumentClass::Card;
    let found = app.service().instrument(&actor, class, id);
    Ok(found.await?)
}

/// Get a managed card.
#[utoipa::path(
    get, path = "/managed_cards/{id}", operation_id = "managedCardGet", tag = "Managed Cards",
    params(("id" = schemas::Id, Path, description = "The card.")),
    responses(
        (status = 200, description = "As it is now.", body = ManagedCardBody),
        (status = 404, description = "The caller's identity has no such card.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
