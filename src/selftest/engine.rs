//! The two engines: which programs compute, and how they are started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalogue::Library;
use super::fault::Fault;
use super::spawn;
use crate::host::Host;
use crate::probes::python::interpreter::Interpreter;
use crate::probes::{Context, Options, PythonChoice};

/// `major.minor` of the torch that the worker is built against (tch 0.24). The C++ interface of libtorch changes with
/// each minor version: on 2.10 a virtual call lands in the wrong slot, and nothing says so.
pub const TORCH: &str = "2.11";

/// The variable that names another worker.
pub const WORKER: &str = "DRIFTLOCK_SELFTEST_WORKER";

macro_rules! program {
    ($($file:literal),*) => { concat!($(include_str!(concat!("python/", $file))),*) };
}

/// The program of a library: its files in the order in which they are joined.
fn program(library: Library) -> &'static str {
    match library {
        Library::Torch => program!(
            "common.py",
            "torch_inputs.py",
            "torch_elementary.py",
            "torch_products.py",
            "torch_layers.py",
            "torch_indexing.py",
            "torch_training.py",
            "torch_library.py",
            "main.py"
        ),
        Library::Numpy => program!("common.py", "numpy_inputs.py", "numpy_operations.py", "main.py"),
        Library::Jax => program!("common.py", "numpy_inputs.py", "jax_operations.py", "main.py"),
        Library::Tensorflow => {
            program!("common.py", "numpy_inputs.py", "tensorflow_operations.py", "main.py")
        }
    }
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The worker that links libtorch.
    Tch,
    /// The program in the user's interpreter.
    Python,
}

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tch => "tch",
            Self::Python => "python",
        }
    }
}

/// How a process is started; the request is its last argument.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// Arguments before the request.
    pub args: Vec<String>,
    /// Variables on top of ours.
    pub env: BTreeMap<String, String>,
}

/// What the user's environment offers.
#[derive(Debug)]
pub struct Environment {
    host: Arc<dyn Host>,
    interpreter: Result<Interpreter, String>,
    worker: Option<PathBuf>,
}

impl std::fmt::Debug for dyn Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

impl Environment {
    /// Looks for the interpreter, as a capture does.
    pub fn find(host: Arc<dyn Host>, python: PythonChoice) -> Self {
        let cx = Context::new(Arc::clone(&host), Options { python, ..Options::default() });
        let interpreter = match cx.interpreter() {
            Ok(Some(interpreter)) => Ok(interpreter.clone()),
            Ok(None) => Err("none on PATH".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Self { host, interpreter, worker: spawn::find(WORKER, "driftlock-selftest") }
    }

    /// The same with another worker.
    #[must_use]
    pub fn with_worker(mut self, worker: PathBuf) -> Self {
        self.worker = Some(worker);
        self
    }

    /// The interpreter.
    pub fn python(&self) -> Option<&Path> {
        self.interpreter.as_ref().ok().map(|i| i.executable.as_path())
    }

    /// The version of torch that `import torch` would load, from its `version.py`, without importing it.
    fn torch(&self) -> Result<(PathBuf, String), Fault> {
        let interpreter = self.interpreter.as_ref().map_err(|e| Fault::NoPython(e.clone()))?;
        let missing = || Fault::NoLibrary {
            library: "torch".to_owned(),
            python: interpreter.executable.display().to_string(),
        };
        let dir = interpreter.package_dir(self.host.as_ref(), "torch").ok_or_else(missing)?;
        let text = self.host.text(&dir.join("version.py")).map_err(|_| missing())?;
        let version = text.lines().find_map(|l| {
            let value = l.strip_prefix("__version__")?.split('=').next_back()?;
            Some(value.trim().trim_matches(['\'', '"']).to_owned())
        });
        Ok((dir, version.ok_or_else(missing)?))
    }

    /// How the engine is started here.
    pub fn start(&self, kind: Kind, library: Library) -> Result<Start, Fault> {
        let mut start = match kind {
            Kind::Python => self.start_python(library)?,
            Kind::Tch => self.start_tch()?,
        };
        // The default of GNU OpenMP, to spin while it waits, costs a factor of 5 where cores are shared; it moves no
        // digest.
        if ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"].iter().all(|name| self.host.env(name).is_none()) {
            start.env.insert("GOMP_SPINCOUNT".to_owned(), "0".to_owned());
        }
        Ok(start)
    }

    fn start_python(&self, library: Library) -> Result<Start, Fault> {
        let interpreter = self.interpreter.as_ref().map_err(|e| Fault::NoPython(e.clone()))?;
        if interpreter.package_dir(self.host.as_ref(), library.module()).is_none() {
            let python = interpreter.executable.display().to_string();
            return Err(Fault::NoLibrary { library: library.module().to_owned(), python });
        }
        let args = vec!["-B".to_owned(), "-c".to_owned(), program(library).to_owned()];
        Ok(Start { program: interpreter.executable.clone(), args, env: BTreeMap::new() })
    }

    fn start_tch(&self) -> Result<Start, Fault> {
        let worker = self.worker.clone().filter(|path| path.is_file()).ok_or(Fault::NotBuilt)?;
        let (dir, found) = self.torch()?;
        let minor: Vec<&str> = found.split('.').take(2).collect();
        if minor.join(".") != TORCH {
            return Err(Fault::WrongVersion { built: TORCH.to_owned(), found });
        }
        let mut path = dir.join("lib").into_os_string();
        if let Some(more) = self.host.env("LD_LIBRARY_PATH") {
            path.push(":");
            path.push(more);
        }
        let env = BTreeMap::from([("LD_LIBRARY_PATH".to_owned(), path.to_string_lossy().into_owned())]);
        Ok(Start { program: worker, args: Vec::new(), env })
    }

    /// The machine.
    pub fn host(&self) -> &dyn Host {
        self.host.as_ref()
    }
}
