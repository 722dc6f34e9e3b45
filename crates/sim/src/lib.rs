//! What tests stand on: a disk that fails, a model of the ledger, and PostgreSQL clusters that come
//! and go. Never shipped.

pub mod disk;
pub mod model;
pub mod postgres;
