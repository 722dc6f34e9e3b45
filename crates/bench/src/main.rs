//! Benchmarks of Tidegate. How to run and read them: `docs/operations/benchmarks.md`.

// Rates and ratios are measurements; no money is computed here.
#![allow(clippy::float_arithmetic)]

mod args;
mod audit;
mod child;
mod client;
mod disk;
mod echo;
mod failover;
mod histogram;
mod load;
mod multi;
mod postgres;
mod process;
mod random;
mod report;
mod rules;
mod scale;
mod setup;
mod startup;
mod template;
mod transfers;
mod turns;
mod webhooks;
mod writer;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Transfers(args) => transfers::run(args),
        Command::Multi(args) => multi::transfers::run(args),
        Command::Get(args) => multi::get::run(args),
        Command::List(args) => multi::list::run(args),
        Command::Scheduled(args) => multi::scheduled::run(args),
        Command::Postgres(args) => postgres::run(args),
        Command::Failover(args) => failover::run(args),
        Command::Scale(args) => scale::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Webhooks(args) => webhooks::run(args),
        Command::Writer(args) => writer::run(args),
        Command::Startup(args) => startup::run(args),
        Command::ChildServer { args } => return child::run_server(args),
        Command::ChildEcho { listen } => echo::run(listen).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A folder that is removed again, in `parent` or the system's temporary folder.
fn temporary_folder(parent: Option<&Path>) -> anyhow::Result<tempfile::TempDir> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    Ok(tempfile::Builder::new()
        .prefix("tidegate-bench-")
        .tempdir_in(parent)?)
}
