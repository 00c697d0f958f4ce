//! One file per subcommand: wires inputs to outputs.

pub mod capture;
pub mod nvml;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::exit::Exit;

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<Exit, Error> {
    match cli.command {
        Command::Capture(args) => capture::run(&args),
        Command::Nvml(args) => nvml::run(&args),
    }
}
