//! The engine over PostgreSQL: many servers, one transaction a group
//! (`docs/decisions/2026-11-21-postgres-store.md`).

mod agreement;
mod answers;
mod batch;
pub(crate) mod chain;
mod committer;
mod connect;
pub(crate) mod copy;
mod due;
mod engine;
mod error;
mod facts;
pub(crate) mod failure;
mod faults;
mod group;
mod keeper;
mod lanes;
mod links;
mod load;
pub(crate) mod migrate;
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
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transact;
mod verify;
mod wire;
mod write;

pub use agreement::{agrees, fact};
pub use connect::{ConnectError, DatabaseUrl, UrlError};
pub use engine::Postgres;
pub use faults::{Fault, Faults, Point};
pub use migrate::{MigrateError, Migrator, Plan};
pub use notices::Notice;
pub use options::{Isolation, OpenError, Options};
pub use verify::{Report, verify};
