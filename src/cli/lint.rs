//! `driftlock lint`.

use std::path::PathBuf;

use clap::Args;

use crate::render::findings::Format;

/// Arguments of `driftlock lint`.
#[derive(Args, Debug)]
#[command(
    after_help = "Without arguments: this machine, and the Python files that git tracks below the working directory.\nExit codes: 0 no hazard, 1 hazards found, 2 something could not be looked at."
)]
pub struct Lint {
    /// Python files, notebooks and folders to look at, and at most one snapshot: a file, `now` for this machine, `-`
    #[arg(value_name = "FILE|PATH")]
    pub paths: Vec<PathBuf>,

    /// What the runs use, if it is not to be found out: frameworks, devices, libraries, operations, joined by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub scope: Vec<String>,

    /// Look at the project's source also where a snapshot is named
    #[arg(long, overrides_with = "no_source")]
    pub source: bool,

    /// Look at the environment alone
    #[arg(long, overrides_with = "source")]
    pub no_source: bool,

    /// Hash every installed file against its RECORD, to find packages that were edited by hand (seconds)
    #[arg(long)]
    pub verify_packages: bool,

    /// Also notes, and everything that is known of each hazard
    #[arg(long)]
    pub all: bool,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print how long each part took, to standard error
    #[arg(long, hide = true)]
    pub timings: bool,
}
