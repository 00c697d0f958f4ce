//! The distributions behind a program's imports: those that provide them, and all that these require.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::host::Host;
use crate::import::{Marker, Target, requirement};
use crate::probes::python::interpreter::{Distribution, Form, Interpreter};
use crate::probes::python::names::normalise;

/// What distributions load when it is there, without saying so in what they require: the distribution, and what it
/// looks for. From their sources: `pandas/core/computation/check.py` and `pandas/core/nanops.py`,
/// `torch/backends/opt_einsum`, `torch/_numpy` and every conversion, `transformers/utils/import_utils.py`,
/// `diffusers/utils/import_utils.py`, `scipy/sparse/linalg/_dsolve`, `xarray/core/options.py`.
const BY_ITSELF: &[(&str, &[&str])] = &[
    ("pandas", &["bottleneck", "numexpr", "numba", "pyarrow"]),
    ("torch", &["numpy", "opt-einsum", "triton", "pytorch-triton", "pytorch-triton-rocm"]),
    (
        "transformers",
        &[
            "torch",
            "tensorflow",
            "jax",
            "flax",
            "accelerate",
            "bitsandbytes",
            "flash-attn",
            "kernels",
            "peft",
            "xformers",
        ],
    ),
    ("diffusers", &["torch", "accelerate", "transformers", "xformers", "peft", "bitsandbytes", "flash-attn"]),
    ("scipy", &["scikit-umfpack", "pooch"]),
    ("xarray", &["bottleneck", "numbagg", "flox", "dask"]),
    ("scikit-learn", &["scikit-learn-intelex"]),
    ("jax", &["jax-cuda12-plugin", "jax-cuda12-pjrt", "jax-cuda13-plugin", "jax-cuda13-pjrt", "libtpu"]),
    ("keras", &["tensorflow", "jax", "torch"]),
];

/// Which imports have no distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// Normalised names, sorted.
    pub names: BTreeSet<String>,
    /// Imports that are installed and belong to none.
    pub stray: BTreeSet<String>,
}

/// The distributions behind these imports.
pub fn of(host: &dyn Host, interpreter: &Interpreter, imports: &BTreeSet<String>) -> Packages {
    let installed = installed(host, interpreter);
    let mut packages = Packages::default();
    let mut todo: Vec<String> = Vec::new();
    let mut slow: BTreeSet<&str> = BTreeSet::new();
    for import in imports {
        let name = normalise(import);
        match installed.get(&name) {
            Some(dist) if provides_by_name(host, dist, import) => todo.push(name),
            _ => {
                slow.insert(import);
            }
        }
    }
    let provided = providers(host, &installed, &slow);
    for import in slow {
        match provided.get(import) {
            Some(names) => todo.extend(names.iter().cloned()),
            None if interpreter.package_dir(host, import).is_some() => {
                packages.stray.insert(import.to_owned());
            }
            None => {}
        }
    }
    let python = interpreter.version.as_deref().and_then(|text| Version::from_str(text).ok());
    let plugins = plugins(host, &installed);
    while let Some(name) = todo.pop() {
        let Some(dist) = installed.get(&name) else {
            continue;
        };
        if !packages.names.insert(name.clone()) {
            continue;
        }
        todo.extend(requirements(host, dist, python.as_ref()));
        let by_itself = BY_ITSELF.iter().filter(|(by, _)| *by == name).flat_map(|(_, names)| *names);
        todo.extend(by_itself.map(|name| (*name).to_owned()));
        todo.extend(
            plugins.iter().filter(|(group, _)| extends(group, &name)).map(|(_, plugin)| plugin.clone()),
        );
    }
    packages
}

/// The distributions by name: of several with one name the one that an import finds.
fn installed(host: &dyn Host, interpreter: &Interpreter) -> BTreeMap<String, Distribution> {
    let mut all = BTreeMap::new();
    for folder in &interpreter.search.folders {
        for dist in folder.distributions(host) {
            all.entry(dist.name.clone()).or_insert(dist);
        }
    }
    all
}

/// Whether a distribution of the import's own name holds that module: nearly always, and then nothing need be read.
fn provides_by_name(host: &dyn Host, dist: &Distribution, import: &str) -> bool {
    let site = &dist.site;
    // A namespace that many share is no sign.
    host.exists(&site.join(import).join("__init__.py")) || host.exists(&site.join(format!("{import}.py")))
}

/// Which distributions provide these imports, by what they say they installed.
fn providers(
    host: &dyn Host,
    installed: &BTreeMap<String, Distribution>,
    imports: &BTreeSet<&str>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut provided: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if imports.is_empty() {
        return provided;
    }
    for (name, dist) in installed {
        let top = host.maybe(dist.dist_info.join("top_level.txt"));
        let found: Vec<&str> = match &top {
            Some(text) => {
                let tops: BTreeSet<&str> = text.lines().map(str::trim).collect();
                imports.iter().filter(|import| tops.contains(**import)).copied().collect()
            }
            None if dist.form == Form::DistInfo => match host.read(&dist.dist_info.join("RECORD")) {
                Ok(record) => imports.iter().filter(|import| records(&record, import)).copied().collect(),
                Err(_) => Vec::new(),
            },
            None => Vec::new(),
        };
        for import in found {
            provided.entry(import.to_owned()).or_default().insert(name.clone());
        }
    }
    provided
}

/// Whether a RECORD has a file of this module: `NAME/…`, `NAME.py`, `NAME.cpython-311-….so`.
fn records(record: &[u8], import: &str) -> bool {
    memchr::memmem::find_iter(record, import.as_bytes()).any(|at| {
        let begins = at == 0 || record.get(at - 1) == Some(&b'\n');
        let behind = record.get(at + import.len()..).unwrap_or_default();
        begins && (behind.starts_with(b"/") || behind.starts_with(b".py") || is_extension(behind))
    })
}

fn is_extension(behind: &[u8]) -> bool {
    let name = behind.split(|b| *b == b',').next().unwrap_or_default();
    name.starts_with(b".") && name.ends_with(b".so") && !name.contains(&b'/')
}

/// What a distribution requires on this machine, extras left out. A marker that cannot be decided holds.
fn requirements(host: &dyn Host, dist: &Distribution, python: Option<&Version>) -> Vec<String> {
    let (file, key) = match dist.form {
        Form::DistInfo => ("METADATA", "Requires-Dist"),
        // setuptools wrote them as sections, extras in brackets.
        Form::EggInfo | Form::Egg => {
            return host.maybe(dist.dist_info.join("requires.txt")).map_or_else(Vec::new, |t| egg(&t));
        }
    };
    let Ok(bytes) = host.read(&dist.dist_info.join(file)) else {
        return Vec::new();
    };
    // The headers end at the first empty line; a description of any length follows.
    let end = memchr::memmem::find(&bytes, b"\n\n").unwrap_or(bytes.len());
    let headers = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    let lines = headers.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| *name == key);
    lines
        .filter_map(|(_, text)| requirement::parse(text))
        .filter(|r| holds(host, r.marker, python))
        .map(|r| normalise(r.name))
        .collect()
}

/// The first section of a `requires.txt`: what is always required.
fn egg(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    lines.filter_map(requirement::parse).map(|r| normalise(r.name)).collect()
}

/// Whether a marker holds, or may hold.
fn holds(host: &dyn Host, marker: Option<&str>, python: Option<&Version>) -> bool {
    let Some(text) = marker else {
        return true;
    };
    let Some(marker) = Marker::parse(text) else {
        return true;
    };
    let system = host.system();
    let usual = system.sysname == "Linux" && system.machine == "x86_64";
    let Some(python) = python.filter(|_| usual) else {
        // Elsewhere only the extras are known.
        return !text.contains("extra");
    };
    let target = Target { python, extra: &|_| false, extras: &[], groups: &[] };
    marker.holds(&target).unwrap_or(true)
}

/// The groups of entry points that distributions announce: group and distribution.
fn plugins(host: &dyn Host, installed: &BTreeMap<String, Distribution>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, dist) in installed {
        let Some(text) = host.maybe(dist.dist_info.join("entry_points.txt")) else {
            continue;
        };
        let groups = text.lines().filter_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'));
        out.extend(groups.map(|group| (group.trim().to_owned(), name.clone())));
    }
    out
}

/// Whether a group of entry points belongs to a distribution: `jax_plugins` to jax, `torch.backends` to torch. Who
/// announces something there is loaded with it.
fn extends(group: &str, name: &str) -> bool {
    let group = normalise(group);
    group.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
