//! What is about the embedded engine's files: a torn journal, damaged views, a full disk, commands
//! that work on them. These tests are left out (`--skip embedded::`) when the others run on a
//! database, whose server has no such files.

mod backup;
mod commands;
mod faults;
