//! `driftlock run`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::capture::seconds;
use crate::probes::{Options, PythonChoice};

/// Arguments of `driftlock run`.
#[derive(Args, Debug)]
pub struct Run {
    /// Where to write the snapshot; a rank of a distributed job writes FILE.RANK
    #[arg(short = 'o', value_name = "FILE", default_value = "driftlock.lock")]
    pub lock: PathBuf,

    /// A file, folder or glob that the command writes, to digest after its end; repeatable
    #[arg(long = "output", value_name = "PATH|GLOB", help_heading = "What to record")]
    pub outputs: Vec<String>,

    /// A name for this snapshot, kept in it
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,

    /// The Python interpreter, or the environment's folder, to look at; without it the one that COMMAND starts
    #[arg(long, value_name = "PATH", help_heading = "Python")]
    pub python: Option<PathBuf>,

    /// Look at no Python
    #[arg(long, conflicts_with_all = ["python", "deep", "verify_packages"], help_heading = "Python")]
    pub no_python: bool,

    /// Start the interpreter and ask it what only it knows (imports the frameworks: seconds)
    #[arg(long, help_heading = "Python")]
    pub deep: bool,

    /// Hash every installed file against its distribution's RECORD, and name the ones edited by hand
    #[arg(long, help_heading = "Python")]
    pub verify_packages: bool,

    /// A further environment variable to record, by name or glob; repeatable
    #[arg(long, value_name = "NAME|GLOB", help_heading = "What to record")]
    pub env: Vec<String>,

    /// Record every environment variable (secrets are still replaced by digests)
    #[arg(long, help_heading = "What to record")]
    pub env_all: bool,

    /// A data file or folder to digest before the start; repeatable
    #[arg(long, value_name = "PATH", help_heading = "What to record")]
    pub data: Vec<PathBuf>,

    /// A configuration file or Hydra output folder whose values become facts; `NAME=FILE` keeps its keys apart; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What to record")]
    pub config: Vec<PathBuf>,

    /// Keep the uncommitted patch itself, not only its digest
    #[arg(long, help_heading = "What to record")]
    pub patch: bool,

    /// Leave out host name, user name, UUIDs and every other private fact
    #[arg(long)]
    pub anonymous: bool,

    /// Record how long each probe took
    #[arg(long)]
    pub timings: bool,

    /// How long one probe may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub timeout: Duration,

    /// Never trace the command: a debugger can attach to it, and libraries loaded just before its end may be missed
    #[arg(long)]
    pub no_ptrace: bool,

    /// The command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Run {
    /// What the probes are asked to do, without the choice of the interpreter.
    pub fn options(&self, progress: bool) -> Options {
        Options {
            python: match &self.python {
                _ if self.no_python => PythonChoice::None,
                Some(path) => PythonChoice::Path(path.clone()),
                None => PythonChoice::Auto,
            },
            env: self.env.clone(),
            env_all: self.env_all,
            data: self.data.clone(),
            config: self.config.clone(),
            sections: Vec::new(),
            deep: self.deep,
            verify_packages: self.verify_packages,
            patch: self.patch,
            timeout: self.timeout,
            progress,
        }
    }
}
