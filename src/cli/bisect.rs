//! `driftlock bisect`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::capture::seconds;

/// Arguments of `driftlock bisect`.
#[derive(Args, Debug)]
#[command(
    after_help = "A and B are snapshots, `now` for this machine, or any dump that `driftlock import` reads. Your files, environments and variables are not touched: every probe runs in a copy."
)]
pub struct Bisect {
    /// The one side
    pub a: PathBuf,

    /// The other side
    pub b: PathBuf,

    /// A file, folder or glob that COMMAND writes and that is compared; without any, its standard output is; repeatable
    #[arg(long = "output", value_name = "PATH|GLOB")]
    pub outputs: Vec<String>,

    /// Results count as the same up to this relative difference, for example 1e-6; without it every bit counts
    #[arg(long, value_name = "TOLERANCE", value_parser = tolerance)]
    pub compare: Option<f64>,

    /// How often A and B are run to see whether they repeat themselves
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,

    /// Only differences of this name, or with such a fact; the others stay as in A; repeatable
    #[arg(long = "factor", value_name = "GLOB")]
    pub factors: Vec<String>,

    /// Probes to run side by side; more than one moves timings, and results that depend on the load
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,

    /// How long one probe may take, in seconds; without it ten times what A or B took, and a minute at least
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,

    /// Print what would be tried, and run nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Where environments and results of probes are kept [default: driftlock/bisect in the user's cache]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,

    /// What the runs use, if it is not to be found out, as in `diff`: it ranks the differences
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub scope: Vec<String>,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The forms of a bisection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// `driftlock/bisect/1`
    Json,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("a number of at least 0, for example 1e-6".to_owned()),
    }
}
