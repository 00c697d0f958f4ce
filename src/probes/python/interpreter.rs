//! Which Python interpreter would run here, from files alone.

use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::probes::{ProbeError, PythonChoice};

/// How the environment was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvKind {
    /// `pyvenv.cfg` stands beside `bin` (PEP 405).
    Venv,
    /// `conda-meta` stands in the prefix.
    Conda,
    /// Under `$PYENV_ROOT/versions`.
    Pyenv,
    /// The system's, or one that none of the others describes.
    System,
}

/// An interpreter and its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The executable as it would be started (links not resolved: that is what makes it a venv's).
    pub executable: PathBuf,
    /// The environment's root: `sys.prefix`.
    pub prefix: PathBuf,
    /// The root of the interpreter that the environment was made from: `sys.base_prefix`.
    pub base_prefix: PathBuf,
    /// `sys.version_info` as `3.11.7`, where it can be told from files.
    pub version: Option<String>,
    /// How the environment was made.
    pub kind: EnvKind,
    /// The road by which it was found: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv`, `pyenv`, `PATH`.
    pub found_by: String,
    /// The folders that hold distributions, in the order of `sys.path` (the user's site folder where it counts,
    /// purelib, platlib, dist-packages), existing ones only.
    pub site_packages: Vec<PathBuf>,
}

/// A distribution found in a site folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Normalised name (PEP 503).
    pub name: String,
    /// Version as the folder's name says.
    pub version: String,
    /// Its `*.dist-info` folder.
    pub dist_info: PathBuf,
    /// The site folder that holds it.
    pub site: PathBuf,
}

impl Interpreter {
    /// The distribution of this normalised name that an import would find: the first in `site_packages`.
    pub fn distribution(&self, host: &dyn Host, name: &str) -> Option<Distribution> {
        let _ = (host, name);
        None
    }

    /// The folder (or file) that `import NAME` would load, from the site folders and their `.pth` files.
    pub fn package_dir(&self, host: &dyn Host, name: &str) -> Option<PathBuf> {
        self.site_packages
            .iter()
            .map(|site| site.join(name))
            .find(|dir| host.exists(dir))
    }
}

/// The interpreter that `choice` means here; `Ok(None)` where there is none.
pub fn find(host: &dyn Host, choice: &PythonChoice) -> Result<Option<Interpreter>, ProbeError> {
    let _ = (host, choice, Path::new("."));
    Ok(None)
}
