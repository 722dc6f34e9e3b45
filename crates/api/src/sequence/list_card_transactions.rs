//! `GET /cards/{id}/transactions`: what a card paid and was paid back, newest first
//! (sequence-api §6).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency, Direction, TransferId};
use service::{CardTransactions, TransferPage};

use super::card_wire::CardTransactionBody;
use super::envelope::PageInfo;
use super::errors::Failure;
use super::list_transfers::{FIRST_DEFAULT, TIMESTAMP, first};
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, Query, path_text};
use crate::{App, metrics, time};

/// List what a card paid and was paid back, newest first.
#[utoipa::path(
    get, path = "/cards/{id}/transactions", operation_id = "listCardTransactions", tag = "Cards",
    params(
        ("id" = String, Path, description = "`card_…`"),
        ("direction" = Option<String>, Query, description = "`debit` for purchases, `credit` for refunds."),
        ("from" = Option<String>, Query, description = "Created at or after this RFC 3339 timestamp."),
        ("to" = Option<String>, Query, description = "Created at or before this RFC 3339 timestamp; in whole seconds, the whole second is included."),
        ("first" = Option<i64>, Query, description = "Number of results.", minimum = 1, maximum = 100),
        ("after" = Option<String>, Query, description = "Cursor from a previous response's `page_info.end_cursor`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "A page of transactions, ordered by `created_at` descending.", body = inline(super::openapi::CardTransactionList)),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
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
        let card = ids::read(ids::CARD, &path_text(card));
        match list(&app, card, &parts, usable).await {
            Ok(page) => {
                let card = card.unwrap_or(0);
                let rows = page.items.iter();
                let data: Vec<CardTransactionBody> = rows
                    .map(|row| CardTransactionBody::new(card, row))
                    .collect();
                let last = page.items.last().map(|row| row.transfer.id.raw());
                let page_info = PageInfo {
                    has_next_page: page.more,
                    end_cursor: last.map(|id| ids::spell(ids::CURSOR, id)),
                };
                envelope::succeed(StatusCode::OK, &id, &id, data, Some(page_info))
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listCardTransactions", answer).await
}

async fn list(
    app: &App,
    card: Option<u64>,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<TransferPage, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    if !app.service().may_read_cards(&key) {
        return Err(Failure::Service(service::Error::Forbidden));
    }
    usable?;
    let mut query = Query::parse(parts.uri.query());
    let one_of = "must be one of debit, credit";
    let direction = query.read("direction", one_of, |text| match text {
        "debit" => Some(Direction::MoneyOut),
        "credit" => Some(Direction::MoneyIn),
        _ => None,
    });
    let from = query.read("from", TIMESTAMP, time::parse);
    let to = query.read("to", TIMESTAMP, time::end_of);
    let first = first(&mut query).unwrap_or(FIRST_DEFAULT);
    let after = query.read("after", "is not a cursor", |text| {
        ids::read(ids::CURSOR, text).map(TransferId::new)
    });
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let wanted = CardTransactions {
        direction,
        from,
        to,
        first,
    };
    let card = card.map(AccountId::new);
    let service = app.service();
    Ok(service
        .card_transactions(&key, card, Currency::USD, wanted, after)
        .await?)
}
