//! The store through its trait, and what is of one engine alone.
//!
//! The engine is the embedded one, or PostgreSQL with `TIDEGATE_TEST_STORE=postgres`; then
//! `--skip embedded::` leaves out what is about files (`scripts/test` runs both).

mod bed;
mod commits;
mod embedded;
mod history;
mod lists;
mod postgres;
mod programme;
mod programme_reads;
mod reads;
mod records;
mod rules;
mod servers;
mod time;
