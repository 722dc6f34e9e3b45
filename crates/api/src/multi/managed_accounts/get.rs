//! `GET /managed_accounts/{id}`: one account of the caller's identity.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, InstrumentClass};
use service::multi::Surface;

use super::wire::ManagedAccountBody;
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
            Ok(account) => succeed(StatusCode::OK, &ManagedAccountBody::of(&account)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiGetAccount", answer).await
}

async fn get(app: &App, surface: Surface, id: PathText, parts: &Parts) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let (actor, id) = (call.actor(), AccountId::new(path_id("id", id)?));
    let class = InstrumentClass::Account;
    let found = app.service().instrument(&actor, class, id);
    Ok(found.await?)
}

/// Get a managed account.
#[utoipa::path(
    get, path = "/managed_accounts/{id}", operation_id = "managedAccountGet", tag = "Managed Accounts",
    params(("id" = schemas::Id, Path, description = "The account.")),
    responses(
        (status = 200, description = "As it is now.", body = ManagedAccountBody),
        (status = 404, description = "The caller's identity has no such account.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
