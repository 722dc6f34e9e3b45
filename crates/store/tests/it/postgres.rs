//! The engine over PostgreSQL as the tests use it: each bed has a database of its own.

use std::sync::Arc;

use sim::postgres::{Database, is_chosen};
use store::ManualClock;
use store::postgres::{DatabaseUrl, Migrator, Options, Postgres};

use crate::bed::Opened;

/// A database with the tables, if the tests are run on one.
pub fn database() -> Option<Database> {
    is_chosen().then(complete)
}

/// A database with the tables.
pub fn complete() -> Database {
    sim::postgres::database(&Migrator::digest(), async |url| {
        let url = url.parse().expect("a URL");
        let made = Migrator::new(url).run(|_, _| ()).await;
        made.unwrap_or_else(|error| panic!("{error}"));
    })
}

pub fn url(database: &Database) -> DatabaseUrl {
    database.url().parse().expect("a URL")
}

pub async fn open(database: &Database, clock: &Arc<ManualClock>) -> Opened {
    let options = Options {
        clock: Arc::clone(clock) as Arc<dyn store::Clock>,
        ..Options::new(url(database))
    };
    let store = Postgres::open(&options).await;
    Arc::new(store.unwrap_or_else(|error| panic!("{error}")))
}

pub async fn verify(database: &Database) {
    let verified = store::postgres::verify(&url(database)).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
}
