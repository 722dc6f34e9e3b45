//! `GET /cards/{id}` (sequence-api §6).

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{AccountId, Currency};

use super::card_wire::CardBody;
use super::errors::Failure;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Get one card.
#[utoipa::path(
    get, path = "/cards/{id}", operation_id = "getCard", tag = "Cards",
    params(
        ("id" = String, Path, description = "`card_…`"),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The card as it is now.", body = inline(super::openapi::CardSuccess)),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The card's account is not in the key's `READ_CARDS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such card.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, card: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match find(&app, &parts.headers, &path_text(card), usable).await {
            Ok(data) => envelope::succeed(StatusCode::OK, &id, &id, data, None),
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "getCard", answer).await
}

async fn find(
    app: &App,
    headers: &HeaderMap,
    card: &str,
    usable: Result<(), Failure>,
) -> Result<CardBody, Failure> {
    let key = auth::authenticate(app, headers)?;
    usable?;
    let id = ids::read(ids::CARD, card).map(AccountId::new);
    let view = app.service().card(&key, id, Currency::USD).await?;
    Ok(CardBody::new(&view))
}
