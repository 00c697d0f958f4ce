//! The command line: one clap struct per subcommand.

pub mod capture;

use clap::{Parser, Subcommand};

/// Why do two runs not give the same numbers?
#[derive(Debug, Parser)]
#[command(
    name = "driftlock",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a snapshot of everything on this machine that can move a result.
    Capture(capture::Capture),
}
