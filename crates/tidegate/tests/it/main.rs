//! Tidegate as its users meet it: stories, refusals, the command line, crashes and faults.

mod harness;
mod openapi;
mod sequence_accounts;
mod sequence_refusals;
mod sequence_transfers;
mod shape;
