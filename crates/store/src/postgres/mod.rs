//! The engine over PostgreSQL: many servers, one transaction a group
//! (`docs/decisions/2026-11-21-postgres-store.md`).

mod agreement;
mod chain;
mod connect;
mod error;
mod migrate;
mod pool;
mod reads;
mod rows;
mod schema;
mod sql;
#[cfg(test)]
mod subset;
#[cfg(test)]
mod testing;
mod verify;

pub use agreement::agrees;
pub use connect::{ConnectError, DatabaseUrl, UrlError};
pub use migrate::{MigrateError, Migrator, Plan};
pub use verify::{Report, verify};
