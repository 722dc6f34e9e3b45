//! The engine over PostgreSQL: many servers, one transaction a group
//! (`docs/decisions/2026-11-21-postgres-store.md`).

mod chain;
mod connect;
mod error;
mod pool;
mod reads;
mod rows;
mod schema;
mod sql;
mod verify;

pub use verify::{Report, verify};
