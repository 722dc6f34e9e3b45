//! Endpoints, replays and transcripts as JSON.

use ledger::Millis;
use serde::Serialize;
use serde_json::Value;
use service::webhooks::{Delivering, Format, Replay, Webhook};
use store::{Attempt, Place};
use utoipa::ToSchema;
use webhooks::Secret;

use crate::admin::events::event_id;
use crate::admin::ids::{self, spell};
use crate::time;

fn format_text(format: Format) -> &'static str {
    match format {
        Format::Standard => "standard",
        Format::Sequence => "sequence",
        Format::Multi => "multi",
    }
}

fn form_text(is_full: bool) -> &'static str {
    if is_full { "full" } else { "thin" }
}

/// Where events go.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct WebhookBody {
    id: String,
    url: String,
    #[schema(required)]
    description: Option<String>,
    /// `standard`, `sequence` or `multi`.
    format: &'static str,
    /// `thin` or `full`.
    form: &'static str,
    /// Names of events, or families; all when empty.
    events: Vec<String>,
    accounts: Vec<String>,
    owners: Vec<String>,
    /// Deliveries under way at once.
    concurrency: u32,
    enabled: bool,
    /// Why it was switched off, if not by hand.
    #[schema(required)]
    disabled_reason: Option<String>,
    /// How long it may fail before it is switched off, in seconds.
    disable_after_s: i64,
    created_at: String,
    /// Until when the secret before the newest signs, too.
    #[schema(required)]
    previous_until: Option<String>,
    /// The secrets that sign now, the newest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Vec<String>>,
    /// How far it has come; where one endpoint is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivering: Option<DeliveringBody>,
}

/// How far deliveries have come.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct DeliveringBody {
    /// Every event up to this one is over, or waits.
    cursor: String,
    delivered: u64,
    failed: u64,
    /// Events that wait for their next try.
    waiting: Vec<WaitingBody>,
    /// How many wait behind these, for the order of their accounts.
    held: usize,
    /// Since when no delivery was taken.
    #[schema(required)]
    failing_since: Option<String>,
}

/// An event that waits for its next try.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct WaitingBody {
    event_id: String,
    /// Attempts that were made.
    attempts: u32,
    next_at: String,
}

impl DeliveringBody {
    fn new(said: &Delivering) -> DeliveringBody {
        DeliveringBody {
            cursor: event_id(Place::from_raw(said.cursor)),
            delivered: said.delivered,
            failed: said.failed,
            waiting: said
                .waiting
                .iter()
                .map(|waiting| WaitingBody {
                    event_id: event_id(Place::from_raw(waiting.event)),
                    attempts: waiting.tries,
                    next_at: time::render(Millis(waiting.next_at_ms)),
                })
                .collect(),
            held: said.held.len(),
            failing_since: said.failing_since_ms.map(|at| time::render(Millis(at))),
        }
    }
}

fn spelled(prefix: &str, raw: &[u64]) -> Vec<String> {
    raw.iter().map(|id| spell(prefix, *id)).collect()
}

impl WebhookBody {
    pub(super) fn new(
        webhook: &Webhook,
        delivering: Option<&Delivering>,
        secrets: Option<Vec<Secret>>,
    ) -> WebhookBody {
        let facts = &webhook.facts;
        WebhookBody {
            id: spell(ids::WEBHOOK, webhook.id),
            url: facts.url.clone(),
            description: facts.description.clone(),
            format: format_text(facts.format),
            form: form_text(facts.is_full),
            events: facts.events.clone(),
            accounts: spelled(ids::ACCOUNT, &facts.accounts),
            owners: spelled(ids::OWNER, &facts.owners),
            concurrency: facts.concurrency,
            enabled: facts.enabled,
            disabled_reason: facts.disabled_reason.clone(),
            disable_after_s: facts.disable_after_ms / 1_000,
            created_at: time::render(Millis(facts.created_at_ms)),
            previous_until: facts.previous_until_ms.map(|at| time::render(Millis(at))),
            secrets: secrets.map(|secrets| secrets.iter().map(Secret::text).collect()),
            delivering: delivering.map(DeliveringBody::new),
        }
    }
}

/// Events that are sent once more.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct ReplayBody {
    id: String,
    #[schema(required)]
    webhook_id: Option<String>,
    #[schema(required)]
    url: Option<String>,
    /// After this event.
    after: String,
    /// Up to this one.
    until: String,
    finished: bool,
    delivered: u64,
    failed: u64,
    created_at: String,
    /// What signs, when it goes to a URL.
    #[schema(required)]
    secret: Option<String>,
}

impl ReplayBody {
    pub(super) fn new(
        replay: &Replay,
        delivering: Option<&Delivering>,
        secret: &Secret,
    ) -> ReplayBody {
        let facts = &replay.facts;
        ReplayBody {
            id: spell(ids::REPLAY, replay.id),
            webhook_id: facts.endpoint.map(|id| spell(ids::WEBHOOK, id)),
            url: facts.url.clone(),
            after: event_id(Place::from_raw(facts.after)),
            until: event_id(Place::from_raw(facts.until)),
            finished: delivering.is_some_and(|said| said.finished),
            delivered: delivering.map_or(0, |said| said.delivered),
            failed: delivering.map_or(0, |said| said.failed),
            created_at: time::render(Millis(facts.created_at_ms)),
            secret: facts.url.is_some().then(|| secret.text()),
        }
    }
}

/// One attempt of a delivery.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct AttemptBody {
    id: String,
    /// Null for a test.
    #[schema(required)]
    event_id: Option<String>,
    /// Which attempt it was, from 1.
    attempt: u32,
    at: String,
    elapsed_ms: i64,
    /// Whether it was taken.
    delivered: bool,
    #[schema(required)]
    status: Option<u16>,
    /// Why there was no whole answer.
    #[schema(required)]
    failure: Option<String>,
    /// URL, address, headers and body as they were sent.
    #[schema(value_type = Object)]
    request: Value,
    /// The beginning of what was answered.
    answer: String,
}

impl AttemptBody {
    pub(super) fn new(attempt: &Attempt) -> AttemptBody {
        let event = Some(attempt.event).filter(|event| *event != Place::START);
        AttemptBody {
            id: spell(ids::ATTEMPT, attempt.id),
            event_id: event.map(event_id),
            attempt: attempt.tries,
            at: time::render(attempt.at),
            elapsed_ms: attempt.elapsed_ms,
            delivered: attempt
                .status
                .is_some_and(|status| (200..300).contains(&status)),
            status: attempt.status,
            failure: attempt.failure.as_deref().map(str::to_owned),
            request: serde_json::from_str(&attempt.request).unwrap_or_default(),
            answer: attempt.answer.to_string(),
        }
    }
}
