//! `driftlock verify`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `driftlock verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// A snapshot, or `-` for standard input
    #[arg(default_value = "driftlock.lock")]
    pub file: PathBuf,
}
