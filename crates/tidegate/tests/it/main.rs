//! Tidegate as its users meet it: stories, refusals, the command line, crashes and faults.

mod admin;
mod cli;
mod completeness;
mod crash;
mod demo;
mod documents;
mod faults;
mod harness;
mod openapi;
mod permissions;
mod process;
mod random;
mod sequence_accounts;
mod sequence_refusals;
mod sequence_transfers;
mod shape;
