//! What tests stand on: a disk that fails, and a model of the ledger. Never shipped.

pub mod disk;
pub mod model;
