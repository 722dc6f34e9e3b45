//! `GET /audit-logs`: every call of this dialect, and operators' changes of rules.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::KeyId;
use serde_json::{Value, json};
use service::{AuditQuery, Audited};

use super::call::{Call, Done, serve};
use super::errors::Failure;
use super::{ids, page};
use crate::http::Query;
use crate::{App, time};

/// Names of actions, as they are filtered by.
pub(super) const ACTIONS: &[(&str, &str)] = &[
    ("GET_ACCOUNT", "GET_ACCOUNT"),
    ("LIST_ACCOUNTS", "LIST_ACCOUNTS"),
    ("LIST_TRANSFERS", "LIST_TRANSFERS"),
    ("GET_TRANSFER", "GET_TRANSFER"),
    ("CREATE_TRANSFER", "CREATE_TRANSFER"),
    ("TRIGGER_RULE", "TRIGGER_RULE"),
    ("LIST_RULES", "LIST_RULES"),
    ("GET_RULE", "GET_RULE"),
    ("CREATE_RULE", "CREATE_RULE"),
    ("UPDATE_RULE", "UPDATE_RULE"),
    ("DELETE_RULE", "DELETE_RULE"),
    ("ENABLE_RULE", "ENABLE_RULE"),
    ("DISABLE_RULE", "DISABLE_RULE"),
    ("SET_RULE_APPROVAL", "SET_RULE_APPROVAL"),
    ("APPROVE_TRANSFER", "APPROVE_TRANSFER"),
    ("DENY_TRANSFER", "DENY_TRANSFER"),
    ("LIST_RULE_EXECUTIONS", "LIST_RULE_EXECUTIONS"),
    ("GET_RULE_EXECUTION", "GET_RULE_EXECUTION"),
    ("LIST_EXTERNAL_TRANSACTIONS", "LIST_EXTERNAL_TRANSACTIONS"),
    ("LIST_CARD_TRANSACTIONS", "LIST_CARD_TRANSACTIONS"),
    ("LIST_AUDIT_LOGS", "LIST_AUDIT_LOGS"),
];

pub(super) async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        let mut query = Query::parse(parts.uri.query());
        let key = query.read("apiKeyId", "must be an API key's id", ids::read);
        let action = page::word(&mut query, "action", ACTIONS);
        let (from, to) = page::span(&mut query);
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let service = app.service();
        let asked = AuditQuery {
            key: key.map(KeyId::new),
            action: action.map(str::to_owned),
            // Entries go by the machine's clock, whatever the tenant's shows.
            from: page::within_90_days(from, service.store().now())?,
            to,
        };
        let (entries, more) = service.audit_log(&call.key, &asked, paging.page).await?;
        let items = entries.iter().map(shown).collect();
        Ok(Done::ok(page::list(items, &paging, more)))
    };
    serve(
        &app,
        &parts,
        ("LIST_AUDIT_LOGS", "platformListAuditLogs"),
        work,
    )
    .await
}

fn shown(audited: &Audited) -> Value {
    let entry = &audited.entry;
    json!({
        "id": ids::spell(audited.id),
        "createdAt": time::render(audited.at),
        "apiKeyId": ids::spell(entry.key),
        "apiKeyName": entry.key_name,
        "path": entry.path,
        "action": entry.action,
        "requestId": entry.request_id,
        "outcome": if entry.error_code.is_none() { "SUCCESS" } else { "FAILURE" },
        "errorCode": entry.error_code,
        "calledReason": entry.reason,
    })
}
