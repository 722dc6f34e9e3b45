//! Transcripts of webhook deliveries: what was sent, what was answered, and how long it took.
//!
//! They are kept for some days beside the ledger and are no part of it: a crash may lose the last
//! second of them, and a copy of a ledger leaves them out.

use std::sync::Arc;

use ledger::{Millis, TenantId};

use crate::history::Place;

/// One attempt of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The tenant.
    pub tenant: TenantId,
    /// The endpoint it was made for.
    pub endpoint: u64,
    /// Its id, which rises with the time for each endpoint: see [`ledger::IdSource::first_at`].
    pub id: u64,
    /// The event.
    pub event: Place,
    /// Which attempt of the event it was, from 1.
    pub tries: u32,
    /// When it began, by the machine's clock.
    pub at: Millis,
    /// How long it took, in milliseconds.
    pub elapsed_ms: i64,
    /// The answer's status, if there was a whole answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub failure: Option<Arc<str>>,
    /// The request as JSON: URL, headers, body.
    pub request: Arc<str>,
    /// The beginning of the answer's body.
    pub answer: Arc<str>,
}

/// Which transcripts, newest first.
#[derive(Clone, Copy, Debug)]
pub struct AttemptQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this endpoint.
    pub endpoint: u64,
    /// Of this event.
    pub event: Option<Place>,
    /// Before this one.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}
