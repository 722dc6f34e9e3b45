//! Temporary PostgreSQL clusters, made with the installed programs of PostgreSQL 15 or newer.
//!
//! A test takes a database of its own with [`database`] or [`empty_database`]. They are in one
//! cluster, started by the first of a process, or on the server that `TEST_DATABASE_URL` names.
//! Tests about failures start a [`Cluster`] of their own: it can be killed, blocked, followed by a
//! synchronous standby, and reached through a [`Link`] that breaks.
//!
//! Whatever way the process ends, a watchdog stops its clusters and removes their folders.

mod cluster;
mod database;
mod failover;
mod link;
mod programs;
mod session;

pub use cluster::{Cluster, Options};
pub use database::{Database, database, empty_database, is_chosen, server_url};
pub use link::Link;
pub use session::{Row, run};
