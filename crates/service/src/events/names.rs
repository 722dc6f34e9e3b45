//! What events are called.

use store::{Fact, Record, RecordKind};

use crate::webhooks;

/// Every name, the ledger's and those of keys and records.
pub static NAMES: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
    let mut names = ledger::event::NAMES.to_vec();
    names.extend(OTHERS);
    names
});

const OTHERS: [&str; 13] = [
    "key.created",
    "key.revoked",
    "identity.created",
    "identity.updated",
    "user.created",
    "user.updated",
    "login.created",
    "login.ended",
    "settings.updated",
    "webhook.created",
    "webhook.updated",
    "webhook.disabled",
    "webhook.deleted",
];

/// The names of the events that a fact means, in order.
pub(super) fn of(fact: &Fact) -> &'static [&'static str] {
    match fact {
        Fact::Ledger(effect) => ledger::event::names(effect),
        Fact::KeyCreated(_) => &["key.created"],
        Fact::KeyRevoked(_) => &["key.revoked"],
        Fact::Record(record) => of_record(record),
        Fact::RecordDeleted { kind, .. } => match kind {
            RecordKind::Session => &["login.ended"],
            RecordKind::Webhook => &["webhook.deleted"],
            RecordKind::Identity
            | RecordKind::User
            | RecordKind::Settings
            | RecordKind::WebhookProgress
            | RecordKind::Replay
            | RecordKind::AmountSource
            | RecordKind::DryTransfer
            | RecordKind::Audit => &[],
        },
    }
}

/// A session's record is written again for its last use, which is nothing to tell.
fn of_record(record: &Record) -> &'static [&'static str] {
    let is_new = record.version == 1;
    match record.kind {
        RecordKind::Identity if is_new => &["identity.created"],
        RecordKind::Identity => &["identity.updated"],
        RecordKind::User if is_new => &["user.created"],
        RecordKind::User => &["user.updated"],
        RecordKind::Session if is_new => &["login.created"],
        RecordKind::Session => &[],
        RecordKind::Settings => &["settings.updated"],
        RecordKind::Webhook if is_new => &["webhook.created"],
        RecordKind::Webhook if webhooks::is_disabled(record) => &["webhook.disabled"],
        RecordKind::Webhook => &["webhook.updated"],
        RecordKind::WebhookProgress
        | RecordKind::Replay
        | RecordKind::AmountSource
        | RecordKind::DryTransfer
        | RecordKind::Audit => &[],
    }
}

/// The name for an account that is known: cards have names of their own.
pub(super) fn with_object(name: &'static str, is_card: bool) -> &'static str {
    if !is_card {
        return name;
    }
    match name {
        "account.created" => "card.created",
        "account.updated" => "card.updated",
        "account.blocked" => "card.blocked",
        "account.unblocked" => "card.unblocked",
        "account.closed" => "card.closed",
        other => other,
    }
}
