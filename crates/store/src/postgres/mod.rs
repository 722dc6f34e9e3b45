//! The engine over PostgreSQL: many servers, one transaction a group
//! (`docs/decisions/2026-11-21-postgres-store.md`).

mod agreement;
mod batch;
mod chain;
mod committer;
mod connect;
mod due;
mod engine;
mod error;
mod facts;
mod failure;
mod faults;
mod group;
mod keeper;
mod lanes;
mod links;
mod load;
mod migrate;
mod node;
mod notices;
mod options;
mod plan;
mod pool;
mod reads;
mod rows;
mod schema;
mod session;
mod shared;
mod sql;
#[cfg(test)]
mod subset;
mod system;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transact;
mod verify;
mod write;

pub use agreement::agrees;
pub use connect::{ConnectError, DatabaseUrl, UrlError};
pub use engine::Postgres;
pub use faults::{Fault, Faults, Point};
pub use migrate::{MigrateError, Migrator, Plan};
pub use notices::Notice;
pub use options::{Isolation, OpenError, Options};
pub use verify::{Report, verify};
