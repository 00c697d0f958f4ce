//! Parses, dispatches, and turns the outcome into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use driftlock::cli::Cli;
use driftlock::exit::Exit;

fn main() -> ExitCode {
    match driftlock::commands::run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::Trouble.into()
        }
    }
}
