//! Wiring: configuration, the server's life, the command line, the demo.

mod backup;
mod cli;
mod client;
mod commands;
mod config;
pub mod console;
mod copy;
mod demo;
mod engine;
pub mod listen;
mod offline;
mod output;
mod secrets;
mod serve;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// Chosen by measurement: `docs/decisions/2026-11-21-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program with these arguments (the first is its name).
///
/// Exit codes: 0 done; 1 it could not be done, or `verify` found a difference; 2 wrong usage.
pub fn run_cli(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = error.exit_code();
            drop(error.print());
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tidegate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    let data_dir = cli.connection.data_dir.as_deref();
    match cli.command {
        cli::Command::Serve(flags) => serve::run(&flags, data_dir),
        cli::Command::Config(cli::ConfigCommand::Check(flags)) => config::check(&flags, data_dir),
        cli::Command::Verify(database) => {
            offline::verify(&config::Whereabouts::find(data_dir, Some(&database))?)
        }
        cli::Command::Migrate { database, dry_run } => offline::migrate(
            &config::Whereabouts::find(data_dir, Some(&database))?,
            dry_run,
        ),
        cli::Command::Copy(flags) => copy::run(&flags),
        cli::Command::Backup { to } => {
            backup::backup(&config::Whereabouts::find(data_dir, None)?, &to)
        }
        cli::Command::Restore { from } => {
            backup::restore(&config::Whereabouts::find(data_dir, None)?, &from)
        }
        cli::Command::Views(cli::ViewsCommand::Rebuild) => {
            offline::rebuild(&config::Whereabouts::find(data_dir, None)?.data_dir)
        }
        cli::Command::Openapi { dialect } => {
            output::line(&offline::document(dialect).trim_end());
            Ok(ExitCode::SUCCESS)
        }
        cli::Command::Console => {
            output::line(&client::Client::connect(&cli.connection)?.console_link());
            Ok(ExitCode::SUCCESS)
        }
        cli::Command::Admin(command) => commands::run(&cli.connection, command),
    }
}
