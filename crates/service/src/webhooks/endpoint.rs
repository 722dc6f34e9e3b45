//! What the record of an endpoint says.

use ledger::{AccountId, Millis, OwnerId, TenantId};
use serde::{Deserialize, Serialize};
use store::{Expect, Place, Put, PutId, PutOwner, Record, RecordKind, StoreError};

use crate::events::EventFilter;
use crate::multi::stored::{body, corrupt};

/// What bodies look like and how they are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Tidegate's own events, as Standard Webhooks.
    Standard,
    /// Those of the Sequence dialect, likewise.
    Sequence,
    /// Those of the Multi dialect, with its paths and signatures.
    Multi,
}

/// Where events go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its id.
    pub id: u64,
    /// Whose events.
    pub tenant: TenantId,
    /// What is known of it.
    pub facts: WebhookFacts,
    pub(super) version: u64,
}

/// What is known of an endpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WebhookFacts {
    /// Where to.
    pub url: String,
    /// A note.
    pub description: Option<String>,
    /// In which format.
    pub format: Format,
    /// Whether bodies have the objects.
    pub is_full: bool,
    /// Names of events, or families; all when empty.
    pub events: Vec<String>,
    /// About these accounts; about any when empty.
    pub accounts: Vec<u64>,
    /// About these owners; about any when empty.
    pub owners: Vec<u64>,
    /// Deliveries under way at once.
    pub concurrency: u32,
    /// Whether anything is delivered.
    pub enabled: bool,
    /// Why nothing is, if it was not switched off by hand.
    pub disabled_reason: Option<String>,
    /// How long it may fail before it is switched off, in milliseconds.
    pub disable_after_ms: i64,
    /// Which secret signs, from 1.
    pub generation: u32,
    /// Until when the secret before it signs too, in milliseconds since 1970.
    pub previous_until_ms: Option<i64>,
    /// After which event it began: [`Place::raw`].
    pub from: u64,
    /// When it was made: milliseconds since 1970.
    pub created_at_ms: i64,
}

/// An endpoint to make.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Where to.
    pub url: String,
    /// A note.
    pub description: Option<String>,
    /// In which format.
    pub format: Format,
    /// Whether bodies have the objects.
    pub is_full: bool,
    /// Which events.
    pub filter: EventFilter,
    /// Deliveries under way at once.
    pub concurrency: u32,
    /// How long it may fail before it is switched off, in milliseconds.
    pub disable_after_ms: i64,
}

/// What shall change of an endpoint. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookPatch {
    /// Where to.
    pub url: Option<String>,
    /// A note.
    pub description: Option<String>,
    /// Whether bodies have the objects.
    pub is_full: Option<bool>,
    /// Which events.
    pub filter: Option<EventFilter>,
    /// Deliveries under way at once.
    pub concurrency: Option<u32>,
    /// How long it may fail before it is switched off, in milliseconds.
    pub disable_after_ms: Option<i64>,
    /// Whether anything is delivered.
    pub enabled: Option<bool>,
}

impl WebhookFacts {
    /// Which events.
    #[must_use]
    pub fn filter(&self) -> EventFilter {
        EventFilter {
            names: self.events.clone(),
            accounts: self.accounts.iter().copied().map(AccountId::new).collect(),
            owners: self.owners.iter().copied().map(OwnerId::new).collect(),
        }
    }

    pub(super) fn set_filter(&mut self, filter: &EventFilter) {
        self.events.clone_from(&filter.names);
        self.accounts = filter.accounts.iter().map(|id| id.raw()).collect();
        self.owners = filter.owners.iter().map(|id| id.raw()).collect();
    }

    /// After which event it began.
    #[must_use]
    pub fn from(&self) -> Place {
        Place::from_raw(self.from)
    }

    /// Which generations sign at `now`, the newest first.
    pub(super) fn generations(&self, now: Millis) -> Vec<u32> {
        let mut generations = vec![self.generation];
        if self.previous_until_ms.is_some_and(|until| now.0 < until) && self.generation > 1 {
            generations.push(self.generation.saturating_sub(1));
        }
        generations
    }
}

impl Webhook {
    pub(super) fn read(record: &Record) -> Result<Webhook, StoreError> {
        let facts = serde_json::from_str(&record.body);
        Ok(Webhook {
            id: record.id,
            tenant: record.tenant,
            facts: facts.map_err(|_| corrupt("webhook", record.id))?,
            version: record.version,
        })
    }

    /// Writes it back, if it is still as it was read.
    pub(super) fn put(&self) -> Put {
        Put {
            kind: RecordKind::Webhook,
            id: PutId::Known(self.id),
            tenant: self.tenant,
            owner: PutOwner::None,
            unique: None,
            expect: Expect::Version(self.version),
            body: Some(body(&self.facts)),
        }
    }
}

/// Whether the record of an endpoint says that it was switched off, and not by hand.
pub(crate) fn is_disabled(record: &Record) -> bool {
    Webhook::read(record).is_ok_and(|webhook| webhook.facts.disabled_reason.is_some())
}
