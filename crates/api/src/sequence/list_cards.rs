//! `GET /cards`: the cards of one account (sequence-api §6).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency};

use super::card_wire::{CardBody, STATUSES, TYPES, VIRTUAL, status_text};
use super::errors::Failure;
use super::{auth, envelope, ids, request_id};
use crate::http::Query;
use crate::{App, metrics};

/// List the cards of one account, oldest first.
#[utoipa::path(
    get, path = "/cards", operation_id = "listCards", tag = "Cards",
    params(
        ("account_id" = String, Query, description = "Account ID to filter by."),
        ("status" = Option<String>, Query, description = "`active`, `inactive`, `frozen`, `stolen` or `lost`."),
        ("type" = Option<String>, Query, description = "`virtual` or `physical`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "All cards of the account; there is no paging.", body = inline(super::openapi::CardList)),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The account is not in the key's `READ_CARDS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match list(&app, &parts, usable).await {
            Ok(data) => envelope::succeed(StatusCode::OK, &id, &id, data, None),
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listCards", answer).await
}

async fn list(
    app: &App,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<Vec<CardBody>, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    if !app.service().may_read_cards(&key) {
        return Err(Failure::Service(service::Error::Forbidden));
    }
    usable?;
    let mut query = Query::parse(parts.uri.query());
    let account = query.take("account_id");
    if account.as_deref().is_none_or(str::is_empty) {
        query.fault("account_id", "is required");
    }
    let account = account
        .and_then(|text| ids::read(ids::ACCOUNT, &text))
        .unwrap_or(0);
    let word = |words: &'static [&'static str]| {
        move |text: &str| words.iter().find(|word| **word == text).copied()
    };
    let one_of = "must be one of active, inactive, frozen, stolen, lost";
    let status = query.read("status", one_of, word(STATUSES));
    let kind = query.read("type", "must be one of virtual, physical", word(TYPES));
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let service = app.service();
    let cards = service.cards(&key, AccountId::new(account), Currency::USD);
    let cards = cards.await?;
    let wanted = cards.iter().filter(|view| {
        status.is_none_or(|status| status_text(view) == status)
            && kind.is_none_or(|kind| kind == VIRTUAL)
    });
    Ok(wanted.map(CardBody::new).collect())
}
