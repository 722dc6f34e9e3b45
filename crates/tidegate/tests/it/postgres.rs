//! The engine over PostgreSQL as the tests use it: each server has a database of its own.

use std::sync::Arc;

use sim::postgres::{Database, is_chosen};
use store::Clock;
use store::postgres::{DatabaseUrl, Migrator, Options, Postgres};

/// A database with the tables, if the tests are run on one.
pub fn database() -> Option<Database> {
    is_chosen().then(with_tables)
}

/// A database with the tables.
pub fn with_tables() -> Database {
    sim::postgres::database(&Migrator::digest(), async |url| {
        let url = url.parse().expect("a URL");
        let made = Migrator::new(url).run(|_, _| ()).await;
        made.unwrap_or_else(|error| panic!("{error}"));
    })
}

pub async fn open(database: &Database, clock: Arc<dyn Clock>) -> Postgres {
    let url: DatabaseUrl = database.url().parse().expect("a URL");
    let options = Options {
        clock,
        ..Options::new(url)
    };
    let store = Postgres::open(&options).await;
    store.unwrap_or_else(|error| panic!("{error}"))
}
