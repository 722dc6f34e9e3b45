//! An event as JSON.
//!
//! The thin form names what it is about and what changed; the full form has the object besides.

use ledger::{Effect, TenantClock};
use serde::Serialize;
use serde_json::{Map, Value, json};
use service::events::{Event, Object};
use store::{Fact, Record, RecordKind};
use utoipa::ToSchema;

use super::event_id;
use crate::admin::ids::{self, spell};
use crate::admin::profiles::ProfileBody;
use crate::admin::rules::shown as rule_shown;
use crate::admin::wire::{
    AccountBody, HoldBody, KeyBody, OwnerBody, TransferBody, snake_case, type_text,
};
use crate::rules::{self, Detail};
use crate::time;

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// Ids and what changed.
    Thin,
    /// The object, too.
    Full,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventBody {
    /// `evt_…`; events are in the order of their ids.
    id: String,
    /// Such as `transfer.created`.
    r#type: &'static str,
    tenant_id: String,
    /// By the tenant's clock.
    created_at: String,
    /// What it is about and what changed; in the full form with the object as `object`.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

impl EventBody {
    pub(crate) fn new(event: &Event, form: Form) -> EventBody {
        let mut data = thin(event);
        if form == Form::Full
            && let Some(object) = object(event)
        {
            data.insert("object".to_owned(), object);
        }
        EventBody {
            id: event_id(event.id),
            r#type: event.name,
            tenant_id: spell(ids::TENANT, event.tenant.raw()),
            created_at: time::render(event.at),
            data,
        }
    }
}

fn thin(event: &Event) -> Map<String, Value> {
    let value = match &event.fact {
        Fact::Ledger(effect) => of_effect(event, effect),
        Fact::KeyCreated(key) => json!({
            "id": spell(ids::KEY, key.id.raw()), "name": &*key.name, "hint": &*key.hint,
        }),
        Fact::KeyRevoked(key) => json!({"id": spell(ids::KEY, key.raw())}),
        Fact::Record(record) => of_record(record),
        Fact::RecordDeleted { kind, id } => json!({"id": record_id(*kind, *id)}),
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn of_effect(event: &Event, effect: &Effect) -> Value {
    match effect {
        Effect::TenantCreated(tenant) => {
            json!({"id": spell(ids::TENANT, tenant.id.raw()), "name": &*tenant.name})
        }
        Effect::ClockSet { tenant, clock } => json!({
            "id": spell(ids::TENANT, tenant.raw()),
            "frozen": matches!(clock, TenantClock::Frozen { .. }),
            "now": time::render(clock.now(event.committed_at)),
        }),
        Effect::OwnerCreated(owner) => {
            json!({"id": spell(ids::OWNER, owner.id.raw()), "name": &*owner.name})
        }
        Effect::AccountOpened(account) => json!({
            "id": spell(ids::ACCOUNT, account.id.raw()),
            "owner_id": spell(ids::OWNER, account.owner.raw()),
            "account_type": type_text(account.kind),
        }),
        Effect::AccountStateSet {
            account, reason, ..
        } => json!({
            "id": spell(ids::ACCOUNT, account.raw()),
            "reason": reason.map(|reason| snake_case(&format!("{reason:?}"))),
        }),
        Effect::AccountChanged { account, name, .. } => {
            json!({"id": spell(ids::ACCOUNT, account.raw()), "name": &**name})
        }
        Effect::ProfileSet(profile) => {
            json!({"id": spell(ids::PROFILE, profile.id.raw()), "active": profile.active})
        }
        Effect::TransferRecorded(transfer) => json!({
            "id": spell(ids::TRANSFER, transfer.id.raw()),
            "status": snake_case(&format!("{:?}", transfer.status)),
        }),
        Effect::TransferMoved {
            transfer,
            from,
            to,
            error,
            ..
        } => json!({
            "id": spell(ids::TRANSFER, transfer.raw()),
            "status": snake_case(&format!("{to:?}")),
            "previous_status": snake_case(&format!("{from:?}")),
            "error_code": error.map(ledger::ErrorCode::name),
        }),
        Effect::HoldPlaced(hold) => json!({
            "id": spell(ids::HOLD, hold.id.raw()),
            "account_id": spell(ids::ACCOUNT, hold.account.raw()),
        }),
        Effect::HoldReleased(hold) => json!({"id": spell(ids::HOLD, hold.raw())}),
        Effect::BulkSubmitted(bulk) => json!({
            "id": spell(ids::BULK, bulk.id.raw()),
            "status": snake_case(&format!("{:?}", bulk.status)),
        }),
        Effect::BulkMoved { bulk, from, to, .. } => json!({
            "id": spell(ids::BULK, bulk.raw()),
            "status": snake_case(&format!("{to:?}")),
            "previous_status": snake_case(&format!("{from:?}")),
        }),
        Effect::RuleSet(rule) => json!({
            "id": spell(ids::RULE, rule.id.raw()),
            "owner_id": spell(ids::OWNER, rule.owner.raw()),
            "name": &*rule.name,
            "status": if rule.enabled { "enabled" } else { "disabled" },
        }),
        Effect::RuleDeleted { rule, .. } => json!({"id": spell(ids::RULE, rule.raw())}),
        Effect::ExecutionRecorded(execution) => json!({
            "id": spell(ids::EXECUTION, execution.id.raw()),
            "rule_id": spell(ids::RULE, execution.rule.raw()),
        }),
        Effect::ExecutionMoved { execution, .. } => {
            let mut data = json!({"id": spell(ids::EXECUTION, execution.raw())});
            if let Object::Execution(run) = &event.object {
                let run = rules::execution(run, Detail::Whole, &ids::RULES);
                for member in ["rule_id", "status"] {
                    data[member] = run[member].clone();
                }
            }
            data
        }
        Effect::CapCounted { .. }
        | Effect::Posted { .. }
        | Effect::BulkStepped { .. }
        | Effect::DueAdded(_)
        | Effect::DueRemoved(_) => Value::Null,
    }
}

/// What records say is shown only as far as it is nobody's secret.
fn of_record(record: &Record) -> Value {
    let mut data = json!({"id": record_id(record.kind, record.id)});
    if let Some(owner) = record.owner {
        data["owner_id"] = json!(spell(ids::OWNER, owner.raw()));
    }
    if record.kind == RecordKind::Session
        && let Ok(body) = serde_json::from_str::<Value>(&record.body)
    {
        if let Some(user) = body["user"].as_u64() {
            data["user_id"] = json!(record_id(RecordKind::User, user));
        }
        data["session_type"] = body["kind"].clone();
    }
    data
}

fn record_id(kind: RecordKind, id: u64) -> String {
    let prefix = match kind {
        RecordKind::Identity => ids::OWNER,
        RecordKind::User => ids::USER,
        RecordKind::Session => ids::SESSION,
        RecordKind::Settings => ids::TENANT,
        RecordKind::Webhook | RecordKind::WebhookProgress => ids::WEBHOOK,
        RecordKind::Replay => ids::REPLAY,
        RecordKind::Audit => ids::AUDIT,
        RecordKind::AmountSource => ids::RULE,
        RecordKind::DryTransfer => ids::TRANSFER,
    };
    spell(prefix, id)
}

/// The object: a transfer as it was then, others as they are.
fn object(event: &Event) -> Option<Value> {
    let object = match (&event.object, &event.fact) {
        (Object::Transfer(row), _) => serde_json::to_value(TransferBody::new(row)),
        (Object::Account(row), _) => serde_json::to_value(AccountBody::new(row)),
        (Object::Bulk(row), _) => Ok(json!({
            "id": spell(ids::BULK, row.id.raw()),
            "owner_id": spell(ids::OWNER, row.owner.raw()),
            "status": snake_case(&format!("{:?}", row.status)),
            "operations": row.operations,
            "succeeded": row.succeeded,
            "failed": row.failed,
            "created_at": time::render(row.created_at),
            "finished_at": row.finished_at.map(time::render),
        })),
        (Object::Rule(view), _) => Ok(rule_shown(view)),
        (Object::Execution(run), _) => Ok(rules::execution(run, Detail::Whole, &ids::RULES)),
        (Object::None, Fact::Ledger(Effect::OwnerCreated(owner))) => {
            serde_json::to_value(OwnerBody::new(owner))
        }
        (Object::None, Fact::Ledger(Effect::ProfileSet(profile))) => {
            serde_json::to_value(ProfileBody::new(profile))
        }
        (Object::None, Fact::Ledger(Effect::HoldPlaced(hold))) => {
            serde_json::to_value(HoldBody::new(hold))
        }
        (Object::None, Fact::KeyCreated(key)) => serde_json::to_value(KeyBody::new(key, None)),
        (Object::None, _) => return None,
    };
    Some(object.expect("wire types have string keys only"))
}
