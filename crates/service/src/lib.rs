//! Use cases: who may do what, and each request's way to the store.
//!
//! A dialect parses bytes, calls one function here and renders the result. Nothing here knows a
//! wire format or SQL. Every function takes the caller's key or an admin's tenant, so that no path
//! to the ledger goes around [`permission::allows`].

pub mod admin;
mod error;
mod idempotency;
pub mod keys;
pub mod permission;
mod reads;
pub mod spelling;
mod transfers;

pub use error::{Error, Result};
pub use idempotency::IdempotencyKey;
pub use keys::{ApiKey, KeyHasher, Secret};
pub use reads::TransferPage;
pub use transfers::{Answered, NewTransfer};

use std::sync::Arc;

use ledger::RAIL_DELAY_DEFAULT;
use store::Store;

use keys::KeyDirectory;

/// What the operator can set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Milliseconds from submission to settlement over the simulated rail.
    pub rail_delay_ms: i64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            rail_delay_ms: RAIL_DELAY_DEFAULT,
        }
    }
}

/// The use cases over one store.
pub struct Service {
    store: Arc<dyn Store>,
    keys: KeyDirectory,
    settings: Settings,
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
        let keys = KeyDirectory::new(hasher, store.keys(None).await?);
        Ok(Service {
            store,
            keys,
            settings,
        })
    }

    /// The store, for health and shutdown.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key behind a presented secret, unless it is unknown or revoked.
    #[must_use]
    pub fn authenticate(&self, presented: &str) -> Option<Arc<ApiKey>> {
        self.keys.find(presented)
    }
}
