//! `driftlock check`.

use std::path::PathBuf;

use clap::Args;

use crate::render::findings::Format;

/// Arguments of `driftlock check`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 the policy lets it pass, 1 something fails the gate, 2 it could not be checked."
)]
pub struct Check {
    /// The lock; without it the policy's, or the one that fits this machine best
    pub lock: Option<PathBuf>,

    /// The policy, instead of the nearest `driftlock.toml`
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// A snapshot, or a dump that `driftlock import` reads, instead of this machine
    #[arg(long, value_name = "FILE", default_value = "now")]
    pub against: PathBuf,

    /// The environment of the policy whose lock it is
    #[arg(long, value_name = "NAME", conflicts_with = "lock")]
    pub environment: Option<String>,

    /// The profile of the policy that holds
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// What the runs use, if it is not to be found out: frameworks, devices, libraries, operations, joined by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub scope: Vec<String>,

    /// Also what is allowed, and everything that is known of each finding
    #[arg(long)]
    pub all: bool,

    /// Add an `[[ignore]]` to the policy for everything that fails now
    #[arg(long)]
    pub write_ignores: bool,

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
