//! Which Python interpreter would run here, from files alone.
//!
//! The order in which interpreters are looked for is documented, step by step, in
//! `docs/concepts/python-environments.md`.

use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::names;
use super::{discover, editable, sites};
use crate::error::Error;
use crate::host::Host;
use crate::probes::{ProbeError, PythonChoice};
use crate::redact::Labels;

/// Roots of installations that are no environments.
const SYSTEM: [&str; 3] = ["/", "/usr", "/usr/local"];

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

impl EnvKind {
    /// The word that the snapshot uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Venv => "venv",
            Self::Conda => "conda",
            Self::Pyenv => "pyenv",
            Self::System => "system",
        }
    }
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
    /// The road by which `version` was found.
    pub version_found_by: Option<&'static str>,
    /// How the environment was made.
    pub kind: EnvKind,
    /// The road by which it was found: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv`, `pyenv`, `PATH`.
    pub found_by: String,
    /// The folders that hold distributions, in the order of `sys.path` (the user's site folder where it counts,
    /// purelib, platlib, dist-packages), existing ones only.
    pub site_packages: Vec<PathBuf>,
    /// Where the executable and the standard library lie, and what that tells.
    pub layout: Layout,
    /// Every folder in which an import is looked for after the standard library's, in the order of `sys.path`, and
    /// what `.pth` files add.
    pub search: sites::Search,
}

/// In what form a distribution is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `NAME-VERSION.dist-info/` (PEP 376, PEP 427).
    DistInfo,
    /// `NAME-VERSION.egg-info`: a folder, the `NAME.egg-info/` of a development checkout, or one file (distutils).
    EggInfo,
    /// `NAME-VERSION.egg/EGG-INFO/`.
    Egg,
}

/// A distribution found in a site folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Normalised name (PEP 503).
    pub name: String,
    /// Version as the folder's name says; from its `PKG-INFO` where the name holds none, and then empty where that
    /// cannot be read.
    pub version: String,
    /// Its `*.dist-info` folder (or `*.egg-info`, which may be a file).
    pub dist_info: PathBuf,
    /// The site folder that holds it.
    pub site: PathBuf,
    /// In what form it is installed.
    pub form: Form,
}

impl Interpreter {
    /// How paths of this environment are shown, so that equal environments in other places compare equal: its root,
    /// under its own name and its resolved one, is `{env}`, the installation that it was made from `{base}`. Where
    /// the root is the system's, which holds much more than Python, only its site folders are shown so.
    pub fn labels(&self, host: &dyn Host, labels: &Labels) -> Labels {
        let mut roots = vec![(&self.prefix, "{env}")];
        if self.base_prefix != self.prefix {
            roots.insert(0, (&self.base_prefix, "{base}"));
        }
        let mut labels = labels.clone();
        for (root, label) in roots {
            let resolved = host.canonicalize(root).ok();
            for root in resolved.iter().chain([root]) {
                if !SYSTEM.iter().any(|system| root == Path::new(system)) {
                    labels = labels.with(root, label);
                    continue;
                }
                for site in &self.site_packages {
                    if let Ok(below) = site.strip_prefix(root) {
                        labels = labels.with(site, format!("{label}/{}", below.display()));
                    }
                }
            }
        }
        labels
    }

    /// The distribution of this normalised name that an import would find: the first in the order of `sys.path`.
    pub fn distribution(&self, host: &dyn Host, name: &str) -> Option<Distribution> {
        let name = names::normalise(name);
        self.search.folders.iter().find_map(|folder| folder.distribution(host, &name))
    }

    /// The folder (or file) that `import NAME` would load, from the site folders and their `.pth` files.
    ///
    /// A regular package, a module file and an extension module are found as `importlib`'s `FileFinder` does, a
    /// folder without `__init__.py` only where no other folder of the path holds a better one (PEP 420), and a
    /// package that setuptools installed as editable by the mapping of its finder.
    pub fn package_dir(&self, host: &dyn Host, name: &str) -> Option<PathBuf> {
        // Editable finders stand on `sys.meta_path` behind the path finder, so the path is asked first.
        let mut namespace = None;
        for folder in &self.search.folders {
            let dir = folder.path.join(name);
            if host.exists(&dir.join("__init__.py")) {
                return Some(dir);
            }
            if let Some(module) = folder.module(name) {
                return Some(folder.path.join(module));
            }
            if namespace.is_none() && folder.holds(name) && host.list(&dir).is_ok() {
                namespace = Some(dir);
            }
        }
        editable::mapped(host, &self.search, name).or(namespace)
    }
}

/// The interpreter that `choice` means here; `Ok(None)` where there is none.
pub fn find(host: &dyn Host, choice: &PythonChoice) -> Result<Option<Interpreter>, ProbeError> {
    let found = match choice {
        PythonChoice::None => None,
        PythonChoice::Auto => discover::auto(host),
        PythonChoice::Path(path) => Some(discover::named(host, path).map_err(|e| ProbeError::new(e.what))?),
    };
    Ok(found.map(|found| describe(host, found)))
}

/// Whether `--python` names an interpreter; the error says what is wrong with it and what to give instead.
pub fn check(host: &dyn Host, choice: &PythonChoice) -> Result<(), Error> {
    match choice {
        PythonChoice::Path(path) => discover::named(host, path).map(drop),
        PythonChoice::Auto | PythonChoice::None => Ok(()),
    }
}

fn describe(host: &dyn Host, found: discover::Found) -> Interpreter {
    let layout = Layout::of(host, &found.executable);
    let search = sites::search(host, &layout);
    let version = layout.version(host);
    Interpreter {
        executable: found.executable,
        prefix: layout.prefix.clone(),
        base_prefix: layout.base_prefix.clone(),
        version_found_by: version.as_ref().map(|(_, road)| *road),
        version: version.map(|(version, _)| version),
        kind: kind(host, &layout),
        found_by: found.road.to_owned(),
        site_packages: search.sites().map(Path::to_path_buf).collect(),
        layout,
        search,
    }
}

fn kind(host: &dyn Host, layout: &Layout) -> EnvKind {
    if layout.venv.is_some() {
        EnvKind::Venv
    } else if host.exists(&layout.prefix.join("conda-meta")) {
        EnvKind::Conda
    } else if super::pyenv::holds(host, &layout.prefix) {
        EnvKind::Pyenv
    } else {
        EnvKind::System
    }
}
