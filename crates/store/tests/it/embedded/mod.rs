//! What is about the embedded engine alone: its journal, its views, its disk, its groups. These tests
//! are left out (`--skip embedded::`) when the others run on a database, which has none of that.

mod crash;
mod failure;
mod gate;
mod groups;
mod measure;
mod programme;
mod programme_crash;
mod records;
mod rules;
mod verify;
mod views;
