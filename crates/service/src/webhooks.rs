//! Webhooks: where events go, how far they have come, and what became of each attempt.
//!
//! An endpoint is a record; so is how far its deliveries have come. Signing secrets are not stored:
//! they are made of the server's secret (`docs/decisions/2026-11-21-events.md`).
//!
//! Guarantees: every event that an endpoint wants is delivered at least once or given up after its
//! last retry; those that share an account in their order; a second delivery has the same id.

mod courier;
mod deliver;
mod endpoint;
mod manage;
mod progress;
mod replay;
mod request;
mod window;

use std::sync::Arc;

use ::webhooks::{Limits, Network, Policy, Schedule, Secret, Sender, SystemResolver};
use ledger::{Millis, TenantId};
use tokio::sync::Notify;

use crate::KeyHasher;
use crate::events::Event;
pub use endpoint::{Format, NewWebhook, Webhook, WebhookPatch};
pub use manage::{CONCURRENCY_MAX, ENDPOINTS_MAX, HookError, HookResult, OVERLAP_MAX_MS};
pub use progress::Delivering;
pub use replay::{NewReplay, REPLAYS_MAX, Replay};

pub(crate) use endpoint::is_disabled;

/// What the webhooks of one server share.
pub(crate) struct Hooks {
    sender: Sender,
    hasher: KeyHasher,
    /// Wakes whoever looks after the deliveries: an endpoint or a replay has changed.
    changed: Notify,
    /// How long transcripts are kept, in milliseconds.
    keep_ms: i64,
}

impl Hooks {
    pub(crate) fn new(hasher: &KeyHasher, allowed: Vec<Network>, keep_ms: i64) -> Hooks {
        let policy = Policy { allowed };
        let purpose = "tidegate 2026-11-21 webhook secrets";
        Hooks {
            sender: Sender::new(policy, Arc::new(SystemResolver), Limits::default()),
            hasher: KeyHasher::new(hasher.derive(purpose)),
            changed: Notify::new(),
            keep_ms,
        }
    }

    /// Somebody has changed an endpoint or a replay.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }

    /// The secret of a generation of an endpoint.
    fn secret(&self, tenant: TenantId, endpoint: u64, generation: u32) -> Secret {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&tenant.raw().to_le_bytes());
        bytes[8..16].copy_from_slice(&endpoint.to_le_bytes());
        bytes[16..].copy_from_slice(&generation.to_le_bytes());
        Secret::new(self.hasher.hash_bytes(&bytes))
    }
}

/// How bodies are made: a dialect's matter.
pub trait Render: Send + Sync + 'static {
    /// The body of an event, or `None` when the format does not tell of it.
    fn render(&self, event: &Event, wanted: &Wanted) -> Option<Rendered>;
    /// The body of a delivery that only shows that deliveries arrive.
    fn test(&self, tenant: TenantId, wanted: &Wanted) -> Rendered;
    /// The id of a delivery: the same for every attempt, and no other event's of any tenant.
    fn delivery_id(&self, tenant: TenantId, event: store::Place) -> String;
}

/// What a body is made for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// In which format.
    pub format: Format,
    /// Whether with the objects.
    pub is_full: bool,
    /// When it is sent, by the machine's clock.
    pub published: Millis,
    /// What kind of owner the event is about, if it is about one.
    pub owner: Option<ledger::OwnerKind>,
}

/// A body and where it goes.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Behind the endpoint's own path; empty but for Multi.
    pub path: &'static str,
    /// JSON.
    pub body: String,
}

impl Format {
    /// When deliveries in this format are tried again.
    #[must_use]
    pub fn schedule(self) -> Schedule {
        match self {
            Format::Multi => Schedule::Multi,
            Format::Standard | Format::Sequence => Schedule::Standard,
        }
    }
}
