//! Webhooks of the dialect: a path for each kind of event, and the types of an older version of the
//! API, where sums and times are texts (weavr-api §10).

use ledger::{
    Account, AccountState, BulkStatus, Denial, Effect, ErrorCode, InstrumentClass, Origin,
    OwnerKind, Party, StateReason, Status,
};
use serde_json::{Map, Value, json};
use service::events::{Event, Object};
use service::webhooks::{Rendered, Wanted};
use store::{BulkRow, Fact, Record, RecordKind, TransferRow};

/// Events of transfers that change their state.
const STATES: [&str; 2] = ["transfer.created", "transfer.status_changed"];

/// The body of an event and its path; `None` when the dialect does not tell of it.
pub(crate) fn body(event: &Event, wanted: &Wanted) -> Option<Rendered> {
    let (path, body) = match (&event.fact, &event.object) {
        (Fact::Ledger(_), Object::Transfer(row)) => match row.transfer.origin {
            Origin::Deposit => (
                "/managed_accounts/deposits/watch",
                deposit(event, row, wanted)?,
            ),
            // What operators decide is no matter of the dialect; the change of state is.
            _ if !STATES.contains(&event.name) => return None,
            _ => ("/transfers/watch", transfer(row, wanted)?),
        },
        (Fact::Ledger(effect), Object::Account(row)) => {
            let account = &row.account;
            match account.kind.instrument()? {
                InstrumentClass::Account => (
                    "/managed_accounts/watch",
                    account_event(account, effect, wanted)?,
                ),
                InstrumentClass::Card => (
                    "/managed_cards/state_change/watch",
                    card_event(event, account, effect)?,
                ),
            }
        }
        (Fact::Ledger(Effect::BulkMoved { to, .. }), Object::Bulk(row)) if to.is_final() => {
            ("/bulk_process_end/watch", bulk(row, *to))
        }
        (Fact::Record(record), _) if record.kind == RecordKind::Session => {
            ("/login/watch", login(record, wanted)?)
        }
        _ => return None,
    };
    let body = body.to_string();
    Some(Rendered { path, body })
}

fn published(wanted: &Wanted) -> Value {
    json!(wanted.published.0.to_string())
}

fn instrument(party: &Party) -> Option<Value> {
    let kind = match party.kind.instrument()? {
        InstrumentClass::Account => "managed_accounts",
        InstrumentClass::Card => "managed_cards",
    };
    Some(json!({"id": party.id.raw().to_string(), "type": kind}))
}

/// Only transfers between two instruments are the dialect's.
fn transfer(row: &TransferRow, wanted: &Wanted) -> Option<Value> {
    let transfer = &row.transfer;
    let [source, destination] = [row.source.as_ref()?, row.destination.as_ref()?];
    let (event_type, state) = match transfer.status {
        Status::Scheduled => ("SCHEDULED", "SCHEDULED"),
        Status::Processing => ("PENDING", "INITIALISED"),
        Status::PendingApproval | Status::Pending => ("PENDING", "PENDING"),
        Status::Complete => ("COMPLETED", "COMPLETED"),
        Status::Incomplete | Status::Error => ("FAILED", "FAILED"),
        Status::Rejected => ("FAILED", "REJECTED"),
        Status::Cancelled => ("CANCELLED", "CANCELLED"),
    };
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    let id = transfer.id.raw().to_string();
    put("id", json!({"type": "transfers", "id": id}));
    put("profileId", json!(transfer.profile?.raw().to_string()));
    if let Some(tag) = &transfer.tag {
        put("tag", json!(&**tag));
    }
    put("source", instrument(source)?);
    put("destination", instrument(destination)?);
    put(
        "destinationAmount",
        sum(transfer.amount.currency().code(), transfer.amount.minor()),
    );
    put("state", json!(state));
    put(
        "creationTimestamp",
        json!(transfer.created_at.0.to_string()),
    );
    put(
        "conflict",
        json!(transfer.error.map_or("NO_ERROR", conflict)),
    );
    if let Some(at) = transfer.scheduled_at {
        put("scheduledTimestamp", json!(at.0.to_string()));
    }
    if let Some(at) = transfer.completed_at {
        put("executionTimestamp", json!(at.0.to_string()));
    }
    if let Some(reason) = &transfer.cancel_reason {
        put("cancellationReason", json!(&**reason));
    }
    Some(json!({
        "eventType": event_type,
        "publishedTimestamp": published(wanted),
        "transfer": body,
    }))
}

fn sum(currency: &str, minor: i64) -> Value {
    json!({"currency": currency, "amount": minor.to_string()})
}

/// The conflict codes that webhooks have; some are called otherwise than in answers.
fn conflict(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::InsufficientFunds | ErrorCode::Denied(Denial::FundsInsufficient) => {
            "INSUFFICIENT_FUNDS"
        }
        ErrorCode::Denied(denial) => match denial {
            Denial::InterceptorDenied => "DENIED_BY_INTERCEPTOR",
            Denial::InstrumentDenied => "DENIED_BY_INSTRUMENT",
            Denial::ForexTradeDenied => "DENIED_BY_FOREX_TRADE",
            Denial::AmountInvalid => "INVALID_AMOUNT",
            Denial::SourceDestroyed
            | Denial::DestinationDestroyed
            | Denial::SourceIsDebitCard
            | Denial::DestinationIsDebitCard
            | Denial::SameInstrument => "UNDEFINED",
            other => other.name(),
        },
        _ => "SYSTEM_ERROR",
    }
}

fn owner(id: u64, wanted: &Wanted) -> Value {
    let kind = match wanted.owner {
        Some(OwnerKind::Consumer) => "consumers",
        Some(OwnerKind::Corporate | OwnerKind::Beneficiary) | None => "corporates",
    };
    json!({"type": kind, "id": id.to_string()})
}

fn deposit(event: &Event, row: &TransferRow, wanted: &Wanted) -> Option<Value> {
    let transfer = &row.transfer;
    if transfer.status != Status::Complete {
        return None;
    }
    let currency = transfer.amount.currency();
    Some(json!({
        "id": instrument(row.destination.as_ref()?)?,
        "transactionId": transfer.id.raw().to_string(),
        "transactionAmount": sum(currency.code(), transfer.amount.minor()),
        "transactionFee": sum(currency.code(), transfer.fee_minor),
        "transactionTimestamp": event.at.0.to_string(),
        "owner": owner(transfer.owner.raw(), wanted),
        "state": "COMPLETED",
    }))
}

fn account_event(account: &Account, effect: &Effect, wanted: &Wanted) -> Option<Value> {
    let event_type = match effect {
        Effect::AccountOpened(_) => "CREATED",
        Effect::AccountChanged { .. } => "UPDATED",
        Effect::AccountStateSet { state, .. } => match state {
            AccountState::Active => "UNBLOCKED",
            AccountState::Blocked => "BLOCKED",
            AccountState::Destroyed => "DESTROYED",
        },
        _ => return None,
    };
    let mut state = json!({"blockTypes": {}, "destroyType": ""});
    if let Effect::AccountStateSet {
        state: to, reason, ..
    } = effect
    {
        let reason = reason.map_or("SYSTEM", reason_text);
        match to {
            AccountState::Active => {}
            AccountState::Blocked => state["blockTypes"] = json!({reason: 1}),
            AccountState::Destroyed => state["destroyType"] = json!(reason),
        }
    }
    let mut body = json!({
        "id": {"id": account.id.raw().to_string(), "type": "managed_accounts"},
        "profileId": account.profile?.raw().to_string(),
        "owner": owner(account.owner.raw(), wanted),
        "friendlyName": &*account.name,
        "active": matches!(event_type, "CREATED" | "UPDATED" | "UNBLOCKED"),
        "currency": account.currency.code(),
        "balances": {
            "availableBalance": account.available().to_string(),
            "actualBalance": account.balance.to_string(),
        },
        "state": state,
        "creationTimestamp": account.created_at.0.to_string(),
    });
    if let Some(tag) = &account.tag {
        body["tag"] = json!(&**tag);
    }
    Some(json!({
        "account": body,
        "publishedTimestamp": published(wanted),
        "type": event_type,
    }))
}

fn reason_text(reason: StateReason) -> &'static str {
    match reason {
        StateReason::User => "USER",
        StateReason::System => "SYSTEM",
        StateReason::Lost => "LOST",
        StateReason::Stolen => "STOLEN",
        StateReason::Expired => "EXPIRED",
        StateReason::Compromised => "COMPROMISED",
    }
}

fn card_event(event: &Event, account: &Account, effect: &Effect) -> Option<Value> {
    let (event_type, state) = match effect {
        Effect::AccountOpened(_) => ("ACTIVATED", json!({"state": "ACTIVE"})),
        Effect::AccountStateSet { state, reason, .. } => {
            let reason = reason.map_or("SYSTEM", reason_text);
            match state {
                AccountState::Active => ("UNBLOCKED", json!({"state": "ACTIVE"})),
                AccountState::Blocked => (
                    "BLOCKED",
                    json!({"state": "BLOCKED", "blockedReason": reason}),
                ),
                AccountState::Destroyed => (
                    "DESTROYED",
                    json!({"state": "DESTROYED", "destroyedReason": reason}),
                ),
            }
        }
        _ => return None,
    };
    Some(json!({
        "id": {"id": account.id.raw().to_string(), "type": "managed_cards"},
        "timestamp": event.at.0.to_string(),
        "eventType": event_type,
        "state": state,
        "cardType": "VIRTUAL",
        "renewalType": "NO_RENEW",
    }))
}

fn bulk(row: &BulkRow, status: BulkStatus) -> Value {
    let status = match status {
        BulkStatus::Submitted | BulkStatus::Running => "RUNNING",
        BulkStatus::Paused => "PAUSED",
        BulkStatus::Completed => "COMPLETED",
        BulkStatus::PartiallyCompleted => "PARTIALLY_COMPLETED",
        BulkStatus::Failed => "FAILED",
        BulkStatus::Cancelled => "CANCELLED",
    };
    let rest = row
        .operations
        .saturating_sub(row.succeeded)
        .saturating_sub(row.failed);
    let left = if status == "CANCELLED" {
        "CANCELLED"
    } else {
        "SUBMITTED"
    };
    let counts = [
        ("COMPLETED", row.succeeded),
        ("FAILED", row.failed),
        (left, rest),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<Value> = counts
        .map(|(status, count)| json!({"status": status, "count": count}))
        .collect();
    json!({
        "bulkId": row.id.raw().to_string(),
        "status": status,
        "submittedItemsCount": row.operations,
        "operationStatusCounts": counts,
    })
}

/// A session that has begun is a login that was verified; failed ones leave none.
fn login(record: &Record, wanted: &Wanted) -> Option<Value> {
    let said: Value = serde_json::from_str(&record.body).ok()?;
    let kind = if said["is_root"] == true {
        "ROOT"
    } else {
        "USER"
    };
    Some(json!({
        "credential": {"type": kind, "id": said["user"].as_u64()?.to_string()},
        "identity": owner(record.owner?.raw(), wanted),
        "type": "PASSWORD",
        "status": "VERIFIED",
        "publishedTimestamp": published(wanted),
    }))
}
