//! What tests stand on: a disk that fails. Never shipped.

pub mod disk;
