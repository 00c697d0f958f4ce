//! `driftlock __workload`, to look at the analysis alone.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Arguments of `driftlock __workload`.
#[derive(Args, Debug)]
pub struct Workload {
    /// The Python interpreter, or the environment's folder, to look at; without it the one that COMMAND starts
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,

    /// The command and its arguments, which is not started
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
