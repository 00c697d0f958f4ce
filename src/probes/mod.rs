//! The probes: one file per section of the snapshot. `docs/design/probes.md` says how to add one.

pub mod cgroup;
pub mod config;
pub mod container;
pub mod cpu;
pub mod cuda;
pub mod data;
pub mod env;
pub mod git;
pub mod gpu;
pub mod jax;
pub mod library;
pub mod memory;
pub mod numpy;
pub mod os;
pub mod python;
pub mod scheduler;
pub mod scipy;
pub mod sink;
pub mod sklearn;
pub mod tensorflow;
pub mod torch;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::host::Host;
use crate::redact::Labels;
pub use sink::Sink;

/// Every probe, in the order of the file. The only list of them.
pub static ALL: &[&dyn Probe] = &[
    &os::Os,
    &cpu::Cpu,
    &memory::Memory,
    &gpu::Gpu,
    &cuda::Cuda,
    &torch::Torch,
    &tensorflow::Tensorflow,
    &jax::Jax,
    &numpy::Numpy,
    &scipy::Scipy,
    &sklearn::Sklearn,
    &python::Python,
    &env::Env,
    &git::Git,
    &container::Container,
    &scheduler::Scheduler,
    &data::Data,
    &config::Config,
];

/// Writes one section of the snapshot.
pub trait Probe: Send + Sync {
    /// The section that this probe writes, and its file's name.
    fn section(&self) -> &'static str;

    /// Whether the section belongs to this capture at all: `data` only where `--data` is given, for example.
    fn wanted(&self, options: &Options) -> bool {
        let _ = options;
        true
    }

    /// How long the probe may take; `None` for no limit (data of any size).
    fn limit(&self, options: &Options) -> Option<Duration> {
        Some(options.timeout)
    }

    /// Puts the facts of the section into `out`, the cheap and sure ones first: where the time runs out, what is in
    /// `out` is kept and the rest of the section becomes unknown.
    ///
    /// An error makes the rest of the section unknown. What is simply not on this machine is no error: it is left
    /// out, and so is absent.
    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError>;
}

/// Why a probe could not finish: recorded as the reason for the unknown rest of its section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(pub String);

impl ProbeError {
    /// An error with these words: lower case, no full stop, no path of the user's home.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Which Python interpreter to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PythonChoice {
    /// The one that `python` would start here.
    #[default]
    Auto,
    /// The one that `--python` names: an executable or an environment's folder.
    Path(PathBuf),
    /// None: `--no-python`.
    None,
}

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--python`, `--no-python`.
    pub python: PythonChoice,
    /// `--env`: further variables, names or globs.
    pub env: Vec<String>,
    /// `--env-all`.
    pub env_all: bool,
    /// `--data`.
    pub data: Vec<PathBuf>,
    /// `--config`.
    pub config: Vec<PathBuf>,
    /// `--section`; empty for all.
    pub sections: Vec<String>,
    /// `--deep`: the interpreter may be started.
    pub deep: bool,
    /// `--verify-packages`: hash every installed file against its RECORD.
    pub verify_packages: bool,
    /// `--patch`: keep the diff against HEAD itself.
    pub patch: bool,
    /// `--timeout`: the limit of one probe.
    pub timeout: Duration,
    /// Whether progress may be shown on standard error.
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            python: PythonChoice::Auto,
            env: Vec::new(),
            env_all: false,
            data: Vec::new(),
            config: Vec::new(),
            sections: Vec::new(),
            deep: false,
            verify_packages: false,
            patch: false,
            timeout: Duration::from_secs(2),
            progress: false,
        }
    }
}

/// What every probe is given.
pub struct Context {
    /// The machine.
    pub host: Arc<dyn Host>,
    /// What the user asked for.
    pub options: Options,
    /// How paths are shown: relative to the environment, the project, the home folder.
    pub labels: Labels,
    interpreter: OnceLock<Result<Option<python::interpreter::Interpreter>, ProbeError>>,
}

impl Context {
    /// A context over this machine.
    pub fn new(host: Arc<dyn Host>, options: Options) -> Self {
        let labels = Labels::new(host.as_ref());
        Self { host, options, labels, interpreter: OnceLock::new() }
    }

    /// The interpreter to look at, found once for all probes; `None` where there is none or it is not wanted.
    pub fn interpreter(&self) -> Result<Option<&python::interpreter::Interpreter>, ProbeError> {
        self.interpreter
            .get_or_init(|| match &self.options.python {
                PythonChoice::None => Ok(None),
                choice => python::interpreter::find(self.host.as_ref(), choice),
            })
            .as_ref()
            .map(Option::as_ref)
            .map_err(Clone::clone)
    }
}
