//! `GET /accounts` and `GET /accounts/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, AccountKind, AccountState, Currency, ExternalKind, Millis};
use serde_json::{Value, json};
use store::{AccountClass, AccountRow};

use super::call::{Call, Done, serve};
use super::errors::Failure;
use super::{ids, page};
use crate::http::{PathText, Query, path_text};
use crate::{App, time};

pub(super) async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        let mut query = Query::parse(parts.uri.query());
        let class = page::word(
            &mut query,
            "type",
            &[
                ("INCOME_SOURCE", AccountClass::IncomeSource),
                ("POD", AccountClass::Pod),
                ("EXTERNAL_ACCOUNT", AccountClass::External),
            ],
        );
        let all = page::word(&mut query, "state", &[("ACTIVE", false), ("ALL", true)]);
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let rows = app
            .service()
            .readable_accounts(&call.key, class, all.unwrap_or(false), Currency::USD)
            .await?;
        let (rows, more) = paging.page.of(rows);
        let items = rows.iter().map(summary).collect();
        Ok(Done::ok(page::list(items, &paging, more)))
    };
    serve(
        &app,
        &parts,
        ("LIST_ACCOUNTS", "platformListAccounts"),
        work,
    )
    .await
}

pub(super) async fn find(State(app): State<Arc<App>>, id: PathText, parts: Parts) -> Response {
    let id = ids::read(&path_text(id)).map(AccountId::new);
    let work = async |call: &Call| {
        let service = app.service();
        let row = service.account(&call.key, id, Currency::USD).await?;
        let now = service.time_of(call.key.tenant).await?;
        Ok(Done::ok(details(&row, now)))
    };
    serve(&app, &parts, ("GET_ACCOUNT", "platformGetAccount"), work).await
}

/// An account in a list.
fn summary(row: &AccountRow) -> Value {
    let account = &row.account;
    let closed = account.state == AccountState::Destroyed;
    json!({
        "id": ids::spell(account.id.raw()),
        "name": &*account.name,
        "type": ids::RULES.kind(account.kind),
        "description": account.description.as_deref(),
        "externalAccountType": match account.kind {
            AccountKind::External(ExternalKind::Depository) => Some("DEPOSITORY"),
            AccountKind::External(ExternalKind::Investment) => Some("INVESTMENT"),
            AccountKind::External(ExternalKind::Liability) => Some("LIABILITY"),
            _ => None,
        },
        "beneficiaryName": &*row.owner_name,
        "institutionName": account.institution.as_deref(),
        "canBeSource": account.can_be_source,
        "canBeDestination": account.can_be_destination,
        // Manual liabilities with a pod of their own are not kept.
        "linkedAccount": null,
        "createdAt": time::render(account.created_at),
        "updatedAt": time::render(account.updated_at),
        "deletedAt": closed.then(|| time::render(account.updated_at)),
    })
}

/// One account. Only the last four digits of its numbers are kept anywhere.
fn details(row: &AccountRow, now: Millis) -> Value {
    let account = &row.account;
    let reported = &account.reported;
    let mask = |digits: &Option<Arc<str>>| digits.as_deref().map(|last| format!("••••{last}"));
    let held = account.kind.is_held();
    let updated_at = if held { Some(now) } else { reported.updated_at };
    let available = held.then(|| account.available()).or(reported.available);
    let balance = updated_at.map(|at| {
        json!({
            "balanceInCents": held.then_some(account.balance).or(reported.balance),
            "availableBalanceInCents": available,
            "lastStatementBalanceInCents": reported.last_statement,
            "lastStatementDate": reported.last_statement_date.as_deref(),
            "nextPaymentMinimumInCents": reported.next_payment_minimum,
            "nextPaymentDueDate": reported.next_payment_due_date.as_deref(),
            "balanceLastUpdatedAt": time::render(at),
            "error": null,
            "interestRatePercentage": null,
            "originalLoanAmountInCents": null,
        })
    });
    let mut body = summary(row);
    body["routingNumber"] = json!(mask(&account.routing_last_four));
    body["bankAccountNumber"] = json!(mask(&account.number_last_four));
    body["balance"] = json!(balance);
    body["savingsTargetInCents"] = Value::Null;
    body
}
