//! `GET /external-transactions`: what institutions would show of external accounts.
//!
//! Nothing is fetched from outside. An external account's transactions are the transfers that
//! reached its institution: those that are pending or complete.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Status};
use serde_json::{Value, json};
use store::{AccountRole, TransferQuery, TransferRow};

use super::call::{Call, Done, serve};
use super::errors::Failure;
use super::{ids, page};
use crate::http::Query;
use crate::{App, time};

pub(super) async fn transactions(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        if !app.service().may_read_transfers(&call.key) {
            return Err(service::Error::Forbidden.into());
        }
        let mut query = Query::parse(parts.uri.query());
        let accounts = page::accounts(parts.uri.query()).unwrap_or_else(|fault| {
            query.faults.push(fault);
            Vec::new()
        });
        // Seen from the account: what a transfer puts there comes in.
        let role = page::word(
            &mut query,
            "direction",
            &[
                ("MONEY_IN", AccountRole::Destination),
                ("MONEY_OUT", AccountRole::Source),
            ],
        );
        let status = page::word(
            &mut query,
            "status",
            &[("PENDING", Status::Pending), ("COMPLETE", Status::Complete)],
        );
        let (from, to) = page::span(&mut query);
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let now = app.service().time_of(call.key.tenant).await?;
        let asked = TransferQuery {
            tenant: call.key.tenant,
            account: AccountId::new(0),
            role: role.unwrap_or(AccountRole::Either),
            direction: None,
            origin: Vec::new(),
            status: status.map_or(vec![Status::Pending, Status::Complete], |it| vec![it]),
            execution: None,
            card: None,
            from: Some(page::within_90_days(from, now)?),
            to,
            after: None,
            first: 0,
        };
        let service = app.service();
        let accounts = service.external_among(&call.key, &accounts).await?;
        let found = service.transfers_of(&call.key, &accounts, &asked, paging.page);
        let found = found.await?;
        let items = found.items.iter().map(|row| transaction(row, &accounts));
        Ok(Done::ok(page::list(items.collect(), &paging, found.more)))
    };
    let names = (
        "LIST_EXTERNAL_TRANSACTIONS",
        "platformListExternalTransactions",
    );
    serve(&app, &parts, names, work).await
}

fn transaction(row: &TransferRow, accounts: &[AccountId]) -> Value {
    let transfer = &row.transfer;
    let comes_in = transfer
        .destination
        .is_some_and(|account| accounts.contains(&account));
    let (account, other) = match comes_in {
        true => (transfer.destination, &row.source),
        false => (transfer.source, &row.destination),
    };
    let about = transfer.description.as_deref();
    let about = about.or_else(|| other.as_ref().map(|other| &*other.name));
    json!({
        "id": ids::spell(transfer.id.raw()),
        "accountId": account.map(|account| ids::spell(account.raw())),
        "amountInCents": transfer.amount.minor(),
        "direction": if comes_in { "MONEY_IN" } else { "MONEY_OUT" },
        "status": if transfer.status == Status::Complete { "COMPLETE" } else { "PENDING" },
        "description": about.unwrap_or("Transfer"),
        "transactionDate": time::render(transfer.created_at),
    })
}
