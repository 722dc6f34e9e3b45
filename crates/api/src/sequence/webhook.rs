//! Webhooks of the dialect: thin, about transfers and runs of rules (sequence-api §7).

use ledger::{Effect, Execution};
use serde_json::{Value, json};
use service::events::{Event, Object};
use store::{Fact, TransferRow};

use super::ids::{self, spell};
use super::params::status_text;
use super::wire::TransferBody;
use crate::rules::{self, Detail};
use crate::time;

/// The events of the dialect.
const NAMES: [&str; 4] = [
    "transfer.created",
    "transfer.approval_required",
    "transfer.status_changed",
    "rule_execution.completed",
];

/// The body of an event; `None` when the dialect does not tell of it.
pub(crate) fn body(event: &Event, is_full: bool) -> Option<String> {
    if !NAMES.contains(&event.name) {
        return None;
    }
    let Fact::Ledger(effect) = &event.fact else {
        return None;
    };
    let data = match &event.object {
        Object::Transfer(row) => of_transfer(effect, row, is_full)?,
        Object::Execution(run) => of_run(run, is_full),
        _ => return None,
    };
    let body = json!({
        "event": event.name,
        "created_at": time::render(event.at),
        "data": data,
    });
    Some(body.to_string())
}

fn of_transfer(effect: &Effect, row: &TransferRow, is_full: bool) -> Option<Value> {
    let id = spell(ids::TRANSFER, row.transfer.id.raw());
    let mut data = json!({"id": id, "status": status_text(row.transfer.status)});
    if let Effect::TransferMoved { from, to, .. } = effect {
        // Two of the core's statuses may be one here.
        if status_text(*from) == status_text(*to) {
            return None;
        }
        data["previous_status"] = json!(status_text(*from));
    }
    if is_full {
        let (source, destination) = (row.source.as_ref(), row.destination.as_ref());
        let transfer = TransferBody::new(&row.transfer, source, destination);
        let transfer = serde_json::to_value(transfer);
        data["transfer"] = transfer.expect("wire types have string keys only");
    }
    Some(data)
}

fn of_run(run: &Execution, is_full: bool) -> Value {
    let whole = rules::execution(run, Detail::Whole, &ids::RULES);
    let mut data = json!({
        "id": whole["id"], "rule_id": whole["rule_id"], "status": whole["status"],
    });
    if is_full {
        data["rule_execution"] = whole;
    }
    data
}
