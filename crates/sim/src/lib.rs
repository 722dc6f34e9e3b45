//! What tests stand on: a disk that fails, a model of the ledger, and a second planner of
//! rules. Never shipped.

pub mod disk;
pub mod model;
pub mod rules;
