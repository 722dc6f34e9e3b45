//! `GET /card-transactions`: what the cards of an account paid and were paid back (sequence-api
//! §12).

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Direction};
use serde_json::{Value, json};
use service::CardTransactions;
use store::TransferRow;

use super::call::{Call, Done, serve};
use super::errors::Failure;
use super::transfers::party;
use super::{ids, page};
use crate::http::Query;
use crate::{App, time};

pub(super) async fn transactions(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        if !app.service().may_read_transfers(&call.key) {
            return Err(service::Error::Forbidden.into());
        }
        let mut query = Query::parse(parts.uri.query());
        let account = query.take("accountId");
        if account.as_deref().is_none_or(str::is_empty) {
            query.fault("accountId", "is required");
        }
        let id = |text: String| AccountId::new(ids::read(&text).unwrap_or(0));
        let account = account.map_or(AccountId::new(0), id);
        let card = query.take("cardId").map(id);
        let (from, to) = page::span(&mut query);
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let wanted = CardTransactions {
            direction: None,
            from,
            to,
            first: 0,
        };
        let service = app.service();
        let found = service.card_transactions_of(&call.key, account, card, wanted, paging.page);
        let found = found.await?;
        let items = found.items.iter().map(transaction).collect();
        Ok(Done::ok(page::list(items, &paging, found.more)))
    };
    let names = ("LIST_CARD_TRANSACTIONS", "platformListCardTransactions");
    serve(&app, &parts, names, work).await
}

fn transaction(row: &TransferRow) -> Value {
    let transfer = &row.transfer;
    let comes_in = transfer.direction == Direction::MoneyIn;
    let account = row.source.as_ref().or(row.destination.as_ref());
    // What was recorded before cards were can only have been a prepaid card's, or is shown as one.
    let card = transfer.card.or(account.map(|account| account.id));
    json!({
        "id": ids::spell(transfer.id.raw()),
        "cardId": card.map(|card| ids::spell(card.raw())),
        "cardType": "DEBIT_CARD",
        "account": party(account),
        "direction": if comes_in { "MONEY_IN" } else { "MONEY_OUT" },
        "subtype": if comes_in { "REFUND" } else { "PURCHASE" },
        "status": "COMPLETE",
        "amountInCents": transfer.amount.minor(),
        "description": transfer.description.as_deref().unwrap_or("Card transaction"),
        "createdAt": time::render(transfer.created_at),
        "completedAt": transfer.completed_at.map(time::render),
    })
}
