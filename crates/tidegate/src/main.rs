//! The `tidegate` program. Everything is in the library, so that the benchmarks start the same
//! server.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate::run_cli(std::env::args_os())
}
