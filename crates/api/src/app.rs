//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ledger::Millis;
use service::Service;
use subtle::ConstantTimeEq;

use crate::metrics::Metrics;

/// One running server's use cases and counters.
pub struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) metrics: Metrics,
    admin_token: [u8; 32],
    draining: AtomicBool,
    request_ids: AtomicU64,
}

impl App {
    /// An app over a service, with the token that admin calls must show.
    #[must_use]
    pub fn new(service: Arc<Service>, admin_token: &str) -> App {
        let Millis(now) = service.store().now();
        App {
            service,
            metrics: Metrics::new(),
            admin_token: *blake3::hash(admin_token.as_bytes()).as_bytes(),
            draining: AtomicBool::new(false),
            request_ids: AtomicU64::new(now.max(0).cast_unsigned() << 16),
        }
    }

    /// The use cases.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// From now on the server says that it is not ready, so that no new work is sent to it.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Compares by hash, in constant time.
    pub(crate) fn is_admin(&self, presented: &str) -> bool {
        let hash = blake3::hash(presented.as_bytes());
        bool::from(hash.as_bytes().ct_eq(&self.admin_token))
    }

    /// A new number for a request: unique within the server, rising.
    pub(crate) fn new_request_number(&self) -> u64 {
        self.request_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// A new request id: unique within the server, rising.
    pub(crate) fn new_request_id(&self) -> String {
        let text = service::spelling::id_text(self.new_request_number());
        let mut id = String::with_capacity(4 + text.len());
        id.push_str("req_");
        id.extend(text.iter().map(|byte| char::from(*byte)));
        id
    }
}
