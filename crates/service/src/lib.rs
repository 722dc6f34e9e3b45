//! Use cases: who may do what, and each request's way to the store.
//!
//! A dialect parses bytes, calls one function here and renders the result. Nothing here knows a
//! wire format or SQL. Every function takes the caller's key or an admin's tenant, so that no path
//! to the ledger goes around [`permission::allows`].

mod accounts;
pub mod admin;
pub mod amounts;
mod approvals;
mod audit;
mod cards;
mod dry_transfers;
mod error;
pub mod events;
mod executions;
pub mod faults;
mod forecast;
mod idempotency;
pub mod keys;
mod limits;
pub mod multi;
mod operator_rules;
pub mod permission;
mod platform;
mod reads;
mod rules;
pub mod spelling;
mod templates;
mod transfers;
pub mod webhooks;

pub use accounts::AccountAnswer;
pub use approvals::ApprovalDecision;
pub use audit::{AuditEntry, AuditQuery, Audited, KEPT_DAYS};
pub use cards::{CardTransactions, CardView};
pub use error::{Error, Result};
pub use executions::ExecutionPage;
pub use idempotency::{Became, IdempotencyKey, KeyCaller, KeyUse, Made};
pub use keys::{ApiKey, KeyHasher, Secret};
pub use limits::PER_MINUTE_DEFAULT;
pub use operator_rules::Linted;
pub use platform::{DEPTH_MAX as PAGE_DEPTH_MAX, Page};
pub use reads::TransferPage;
pub use rules::{Parties, Request, RuleAnswer, RuleView, Triggered};
pub use templates::{Filling, Template};
pub use transfers::{Answered, NewTransfer};

use std::sync::{Arc, Mutex};

use std::num::NonZeroU32;
use std::time::Duration;

use ledger::{RAIL_DELAY_DEFAULT, TenantMode};
use store::{Notice, Store, StoreError};
use tokio::sync::broadcast;

use keys::KeyDirectory;
use limits::Limits;
use multi::Multi;

/// How long transcripts of webhooks are kept unless it is set, in days.
pub const TRANSCRIPT_DAYS_DEFAULT: u32 = 7;

/// What the operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Milliseconds from submission to settlement over the simulated rail.
    pub rail_delay_ms: i64,
    /// Requests a minute for each key of a live tenant.
    pub requests_per_minute: NonZeroU32,
    /// Networks that webhooks may go to although they are not public.
    pub webhook_networks: Vec<::webhooks::Network>,
    /// How long transcripts of webhooks are kept, in days.
    pub webhook_transcript_days: u32,
    /// How long a rule's question for an amount may take.
    pub amount_query_time: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            rail_delay_ms: RAIL_DELAY_DEFAULT,
            requests_per_minute: PER_MINUTE_DEFAULT,
            webhook_networks: Vec::new(),
            webhook_transcript_days: TRANSCRIPT_DAYS_DEFAULT,
            amount_query_time: amounts::TIME_DEFAULT,
        }
    }
}

/// The use cases over one store.
pub struct Service {
    store: Arc<dyn Store>,
    keys: KeyDirectory,
    limits: Limits,
    settings: Settings,
    multi: Multi,
    hooks: webhooks::Hooks,
    faults: faults::Faults,
    flights: idempotency::Flights,
    asking: amounts::Asking,
    has_peers: bool,
    /// Until somebody follows them.
    notices: Mutex<Option<broadcast::Receiver<Notice>>>,
}

impl Service {
    /// A service over an open store. Reads the API keys once.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        hasher: KeyHasher,
        settings: Settings,
    ) -> Result<Service> {
        // What is written after this is either read below or told.
        let notices = store.notices();
        let tenants = store.tenants().await?;
        let live = |tenant| {
            tenants
                .iter()
                .any(|known| known.id == tenant && known.mode == TenantMode::Live)
        };
        let multi = Multi::open(&*store, &hasher, &tenants).await?;
        let keep_ms = i64::from(settings.webhook_transcript_days).saturating_mul(86_400_000);
        let networks = settings.webhook_networks.clone();
        let hooks = webhooks::Hooks::new(&hasher, networks.clone(), keep_ms);
        let asking = amounts::Asking::new(&hasher, networks, settings.amount_query_time);
        let keys = KeyDirectory::new(hasher, store.keys(None).await?, live);
        let limits = Limits::new(settings.requests_per_minute);
        Ok(Service {
            store,
            keys,
            limits,
            settings,
            multi,
            hooks,
            faults: faults::Faults::default(),
            flights: idempotency::Flights::default(),
            asking,
            has_peers: notices.is_some(),
            notices: Mutex::new(notices),
        })
    }

    /// The store, for health and shutdown.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key behind a presented secret; `None` when it is unknown or revoked.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when a live tenant's key has used up its requests.
    pub fn authenticate(&self, presented: &str) -> Result<Option<Arc<ApiKey>>> {
        let Some(key) = self.keys.find(presented) else {
            return Ok(None);
        };
        if key.is_live {
            self.limits.take(key.id)?;
        }
        Ok(Some(key))
    }
}
