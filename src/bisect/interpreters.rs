//! Python environments of this machine that are A's or B's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::capture;
use crate::host::Host;
use crate::probes::python::interpreter::{self, Interpreter};
use crate::probes::python::sites::Origin;
use crate::probes::{Context, Options, PythonChoice};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// Packages by their normalised names.
pub type Packages = BTreeMap<String, Package>;

/// What is known of an installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// The digest of its RECORD: of all its files.
    pub record: Option<String>,
    /// Where it came from, other than an index.
    pub origin: Option<String>,
    /// Whether it runs from a checkout.
    pub editable: bool,
    /// The tags of its wheel.
    pub tag: Option<String>,
}

impl Package {
    /// Whether two are the same, as far as both know.
    pub fn same(&self, other: &Self) -> bool {
        let alike = |x: &Option<String>, y: &Option<String>| x.is_none() || y.is_none() || x == y;
        self.version == other.version && alike(&self.record, &other.record)
    }
}

/// The packages of a snapshot; `None` where nobody looked.
pub fn packages(snapshot: &Snapshot) -> Option<Packages> {
    if !snapshot.sections.contains("python") {
        return None;
    }
    let mut out = Packages::new();
    for (path, value) in &snapshot.facts {
        let [python, table, name, what] = path.segments() else { continue };
        if python != "python" || table != "packages" {
            continue;
        }
        let package = out.entry(name.clone()).or_default();
        match what.as_str() {
            "version" => package.version = value.plain(),
            "record" => package.record = Some(value.plain()),
            "origin" => package.origin = Some(value.plain()),
            "tag" => package.tag = Some(value.plain()),
            "editable" => package.editable = *value == Value::Bool(true),
            _ => {}
        }
    }
    Some(out)
}

/// An environment that is here.
#[derive(Clone, Debug)]
pub struct Local {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// What is installed.
    pub packages: Packages,
}

/// The environments that stand for the two sides here.
#[derive(Clone, Debug, Default)]
pub struct Locals {
    /// A's and B's.
    pub sides: [Option<Local>; 2],
    /// The command's own.
    pub own: Option<Local>,
}

impl Locals {
    /// Looks at the environments that the snapshots name, and at the command's.
    pub fn find(host: &Arc<dyn Host>, snapshots: [&Snapshot; 2], own: Option<&Path>, project: &Path) -> Self {
        let own = own.and_then(|path| local(host, path));
        let named = |s: &Snapshot| prefix(host.as_ref(), s, project).and_then(|path| local(host, &path));
        let found = snapshots.map(named);
        let sides = snapshots.map(|snapshot| {
            let wanted = packages(snapshot)?;
            let version = text(snapshot, "python.version");
            let fits = |local: &&Local| {
                let names = local.packages.keys().eq(wanted.keys());
                let version = version.is_none() || version == local.interpreter.version;
                names
                    && version
                    && local.packages.iter().all(|(n, p)| wanted.get(n).is_some_and(|w| w.same(p)))
            };
            found.iter().flatten().chain(&own).find(fits).cloned()
        });
        Self { sides, own }
    }

    /// Where this very package is installed here.
    pub fn source(&self, name: &str, package: &Package) -> Option<&Local> {
        let all = self.sides.iter().flatten().chain(&self.own);
        all.into_iter().find(|local| local.packages.get(name).is_some_and(|p| p.same(package)))
    }
}

/// The folders of the project that imports search because something is installed from there (`pip install -e .`): a
/// probe must import from its copy instead.
pub fn imports(host: &dyn Host, locals: &Locals, project: &Path) -> Vec<PathBuf> {
    let mut out = BTreeSet::new();
    for local in locals.sides.iter().flatten().chain(&locals.own) {
        let interpreter = &local.interpreter;
        let by_path = interpreter.search.folders.iter().filter(|f| f.origin == Origin::Pth);
        out.extend(by_path.map(|f| f.path.clone()).filter(|path| path.starts_with(project)));
        // Finders of setuptools name packages and no folders.
        for name in local.packages.iter().filter(|(_, p)| p.editable).map(|(name, _)| name) {
            let info =
                interpreter.distribution(host, name).map(|found| found.dist_info.join("top_level.txt"));
            let tops = info.and_then(|path| host.maybe(path)).unwrap_or_else(|| name.replace('-', "_"));
            for top in tops.lines().map(str::trim).filter(|top| !top.is_empty()) {
                let found = interpreter.package_dir(host, top);
                let parent = found.as_deref().and_then(Path::parent).map(Path::to_path_buf);
                out.extend(parent.filter(|parent| parent.starts_with(project)));
            }
        }
    }
    out.into_iter().collect()
}

fn text(snapshot: &Snapshot, path: &str) -> Option<String> {
    match snapshot.look(&path.parse::<FactPath>().ok()?) {
        Looked::Value(value) => Some(value.plain()),
        _ => None,
    }
}

/// The prefix that a snapshot names, where it is here.
fn prefix(host: &dyn Host, snapshot: &Snapshot, project: &Path) -> Option<PathBuf> {
    let label = text(snapshot, "python.prefix")?;
    let places = super::factor::Places {
        home: host.system().home.or_else(|| host.env("HOME").map(PathBuf::from)),
        project: Some(project.to_path_buf()),
        ..Default::default()
    };
    let path = PathBuf::from(places.expand(&label)?);
    host.exists(&path).then_some(path)
}

/// The environment at this path: its folder, or its interpreter.
fn local(host: &Arc<dyn Host>, path: &Path) -> Option<Local> {
    let choice = PythonChoice::Path(path.to_path_buf());
    let interpreter = interpreter::find(host.as_ref(), &choice).ok()??;
    let options = Options { python: choice, sections: vec!["python".to_owned()], ..Options::default() };
    let snapshot = capture::run(&Arc::new(Context::new(Arc::clone(host), options)), false).snapshot;
    Some(Local { interpreter, packages: packages(&snapshot)? })
}
