//! What only the engine over PostgreSQL has: several servers, faults of the database, chains.

mod basics;
mod chaos;
mod clocks;
mod failover;
mod faults;
mod groups;
mod measure;
mod nodes;
mod outage;
mod rows;
mod rules;
mod script;
mod together;

use std::sync::Arc;

use sim::postgres::Database;
use store::postgres::{Faults, Options, Postgres};
use store::{Clock, ManualClock};

use crate::bed::{Opened, START};
use crate::postgres;
pub use script::Script;

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

    /// One more server, with faults.
    pub async fn open_faulty(&self, script: &Arc<Script>) -> Opened {
        let faults = Arc::clone(script) as Arc<dyn Faults>;
        self.open_with(|options| options.faults = Some(faults))
            .await
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        let rows = self.database.sql(sql);
        let value = rows.first().and_then(|row| row.first()).cloned().flatten();
        let value = value.unwrap_or_else(|| panic!("nothing is found by {sql}"));
        value.parse().expect("a number")
    }

    /// Checks everything that is stored.
    pub async fn verify(&self) {
        postgres::verify(&self.database).await;
    }
}
