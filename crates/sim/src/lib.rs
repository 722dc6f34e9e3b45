//! What tests stand on: a disk that fails, a model of the ledger, a second planner of rules, and
//! PostgreSQL clusters that come and go. Never shipped.

pub mod disk;
pub mod model;
pub mod postgres;
pub mod rules;
