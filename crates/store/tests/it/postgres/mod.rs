//! What only the engine over PostgreSQL has: several servers, faults of the database, chains.

mod basics;

use std::sync::Arc;

use sim::postgres::Database;
use store::postgres::{DatabaseUrl, Migrator, Options, Postgres, Report, verify};
use store::{Clock, ManualClock};

use crate::bed::{Opened, START};

/// A database, and the clock that its servers share.
pub struct Servers {
    pub database: Database,
    pub clock: Arc<ManualClock>,
}

impl Servers {
    pub fn new() -> Servers {
        let database = sim::postgres::database(&Migrator::digest(), async |url| {
            let url = url.parse().expect("a URL");
            let migrated = Migrator::new(url).run(|_, _| {}).await;
            migrated.expect("an empty database");
        });
        Servers {
            database,
            clock: Arc::new(ManualClock::new(START)),
        }
    }

    pub fn url(&self) -> DatabaseUrl {
        self.database.url().parse().expect("a URL")
    }

    /// One more server.
    pub async fn open(&self) -> Opened {
        self.open_with(|_| {}).await
    }

    pub async fn open_with(&self, change: impl FnOnce(&mut Options)) -> Opened {
        let mut options = Options {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ..Options::new(self.url())
        };
        change(&mut options);
        let opened = Postgres::open(&options).await;
        Arc::new(opened.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Checks everything that is stored.
    pub async fn verify(&self) -> Report {
        let verified = verify(&self.url()).await;
        verified.unwrap_or_else(|error| panic!("{error}"))
    }
}
