//! `driftlock capture`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::probes::{Options, PythonChoice};

/// Arguments of `driftlock capture`.
#[derive(Args, Debug)]
pub struct Capture {
    /// Where to write the snapshot; `-` prints it
    #[arg(short, long, value_name = "FILE", default_value = "driftlock.lock")]
    pub output: PathBuf,

    /// A name for this snapshot, kept in it
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,

    /// The Python interpreter, or the environment's folder, to look at
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

    /// A data file or folder to digest; repeatable
    #[arg(long, value_name = "PATH", help_heading = "What to record")]
    pub data: Vec<PathBuf>,

    /// A configuration file or Hydra output folder whose values become facts; `NAME=FILE` keeps its keys apart; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What to record")]
    pub config: Vec<PathBuf>,

    /// Keep the uncommitted patch itself, not only its digest
    #[arg(long, help_heading = "What to record")]
    pub patch: bool,

    /// Run the self-test of torch and record its digests (seconds to a minute)
    #[arg(long, conflicts_with_all = ["no_python", "replay"], help_heading = "What to record")]
    pub selftest: bool,

    /// Only this section; repeatable
    #[arg(long, value_name = "NAME", value_parser = section_names(), help_heading = "What to record")]
    pub section: Vec<String>,

    /// Leave out host name, user name, UUIDs and every other private fact
    #[arg(long)]
    pub anonymous: bool,

    /// The form of the snapshot
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Record how long each probe took, and print it
    #[arg(long)]
    pub timings: bool,

    /// How long one probe may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub timeout: Duration,

    /// Write a recording of this machine, for tests, into this folder
    #[arg(long, value_name = "DIR", hide = true)]
    pub record: Option<PathBuf>,

    /// Capture the machine of a recording instead of this one
    #[arg(long, value_name = "FILE", hide = true)]
    pub replay: Option<PathBuf>,
}

/// The form of a written snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The snapshot file: canonical TOML.
    #[default]
    Toml,
    /// The same tree as JSON, for other programs.
    Json,
}

impl Capture {
    /// What the probes are asked to do.
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
            sections: self.section.clone(),
            deep: self.deep,
            verify_packages: self.verify_packages,
            patch: self.patch,
            timeout: self.timeout,
            progress,
        }
    }
}

fn section_names() -> clap::builder::PossibleValuesParser {
    crate::probes::ALL.iter().map(|p| p.section()).collect::<Vec<_>>().into()
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() && limit.as_secs() <= 86_400 => Ok(limit),
        _ => Err("between 0 and 86400 seconds".to_owned()),
    }
}
