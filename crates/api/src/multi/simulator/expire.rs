//! `POST /cards/{card_id}/expire`: an empty card's time is over. There is no body; one that comes is
//! not looked at.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::AccountId;

use super::target;
use crate::http::PathText;
use crate::multi::errors::ErrorBody;
use crate::multi::failure::Failure;
use crate::multi::wire::done;
use crate::multi::{auth, body, errors, schemas};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match expire(&app, id, &parts, body).await {
            Ok(()) => done(),
            Err(failure) => errors::respond_simulator(failure),
        }
    };
    metrics::observed(&app, "simulateExpiry", answer).await
}

async fn expire(app: &App, id: PathText, parts: &Parts, body: Body) -> Result<(), Failure> {
    let programme = auth::simulator(app, &parts.headers)?;
    body::nothing(body).await?;
    let id = target("card_id", id, &parts.headers)?;
    let service = app.service();
    let expired = service.simulate_expiry(programme.tenant, AccountId::new(id));
    Ok(expired.await?)
}

/// Why a card cannot expire.
pub(in crate::multi) const CONFLICTS: &[&str] =
    &["INSTRUMENT_DESTROYED", "INSTRUMENT_NOT_EXPIRABLE"];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    CardExpireConflict = CONFLICTS;
}

/// Simulate expiry of card.
#[utoipa::path(
    post, path = "/cards/{card_id}/expire", operation_id = "cards_card_id_expire", tag = "Simulator",
    params(
        ("card_id" = schemas::Id, Path, description = "The card."),
        ("call-ref" = inline(Option<schemas::CallRef>), Header),
    ),
    responses(
        (status = 204, description = "Destroyed."),
        (status = 404, description = "The programme has no such card.", body = ErrorBody),
        (status = 409, description = "The card is not empty, or gone.", body = CardExpireConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
