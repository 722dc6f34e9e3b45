//! Webhooks of the dialect: thin, about transfers (sequence-api §7).

use ledger::Effect;
use serde_json::json;
use service::events::{Event, Object};
use store::Fact;

use super::ids::{self, spell};
use super::params::status_text;
use super::wire::TransferBody;
use crate::time;

/// The body of an event; `None` when the dialect does not tell of it.
pub(crate) fn body(event: &Event, is_full: bool) -> Option<String> {
    let (Fact::Ledger(effect), Object::Transfer(row)) = (&event.fact, &event.object) else {
        return None;
    };
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
    let body = json!({
        "event": event.name,
        "created_at": time::render(event.at),
        "data": data,
    });
    Some(body.to_string())
}
