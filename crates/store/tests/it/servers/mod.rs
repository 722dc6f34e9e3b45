//! What only the engine over PostgreSQL has: several servers, faults of the database, chains.

mod basics;

use std::sync::Arc;

use sim::postgres::Database;
use store::postgres::{Options, Postgres};
use store::{Clock, ManualClock};

use crate::bed::{Opened, START};
use crate::postgres;

/// A database, and the clock that its servers share.
pub struct Servers {
    pub database: Database,
    pub clock: Arc<ManualClock>,
}

impl Servers {
    pub fn new() -> Servers {
        Servers {
            database: postgres::complete(),
            clock: Arc::new(ManualClock::new(START)),
        }
    }

    /// One more server.
    pub async fn open(&self) -> Opened {
        self.open_with(|_| {}).await
    }

    pub async fn open_with(&self, change: impl FnOnce(&mut Options)) -> Opened {
        let mut options = Options {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ..Options::new(postgres::url(&self.database))
        };
        change(&mut options);
        let opened = Postgres::open(&options).await;
        Arc::new(opened.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Checks everything that is stored.
    pub async fn verify(&self) {
        postgres::verify(&self.database).await;
    }
}
