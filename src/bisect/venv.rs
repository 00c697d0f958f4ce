//! Virtual environments of mixtures: made once for each set of packages, kept in the cache, shared by all probes.
//!
//! A package that is installed here, in A's, B's or the command's environment, is not downloaded: its files (those of its
//! RECORD, "Recording installed projects", packaging.python.org) are linked one by one into the new environment, whose
//! folders are its own, so that nothing is ever written into yours. Any other package is installed with exactly its
//! version and nothing else, by `uv pip install --no-deps`, or by pip where there is no uv.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::cache::Fault;
use super::interpreters::{Local, Locals, Packages};
use super::start;
use crate::host::{Host, lexical};
use crate::probes::python::interpreter::Form;

/// Which environment a mixture runs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// The one that is here, as it is.
    Direct(PathBuf),
    /// One that is made.
    Made(Made),
}

/// What an environment is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The interpreter that it is made from, links resolved.
    pub base: PathBuf,
    /// `python3.11`: the name of the folder that holds its packages.
    pub folder: String,
    /// Its version.
    pub version: String,
    /// The packages: version, RECORD, and where one is here, the environment that has it.
    pub packages: BTreeMap<String, (String, Option<String>, Option<PathBuf>)>,
}

/// What installs packages: a program and the words before the requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installer {
    program: PathBuf,
    uv: bool,
}

/// uv on `PATH` or beside the interpreter, else pip of the interpreter.
pub fn installer(host: &dyn Host, own: Option<&Local>) -> Option<Installer> {
    let beside = |name: &str| {
        let path = own?.interpreter.executable.with_file_name(name);
        host.exists(&path).then_some(path)
    };
    if let Some(program) = host.which("uv").or_else(|| beside("uv")) {
        return Some(Installer { program, uv: true });
    }
    let own = own?;
    own.packages
        .contains_key("pip")
        .then(|| Installer { program: own.interpreter.executable.clone(), uv: false })
}

/// The environment for a set of packages on the interpreter of `base`.
pub fn choose(locals: &Locals, base: &Local, wanted: &Packages) -> Environment {
    for local in locals.sides.iter().flatten() {
        let whole = local.packages.len() == wanted.len()
            && local.interpreter.layout.real_executable == base.interpreter.layout.real_executable
            && wanted.iter().all(|(name, p)| local.packages.get(name).is_some_and(|l| l.same(p)));
        if whole {
            return Environment::Direct(local.interpreter.executable.clone());
        }
    }
    let layout = &base.interpreter.layout;
    let packages = wanted.iter().map(|(name, package)| {
        let first = base.packages.get(name).filter(|p| p.same(package)).map(|_| base);
        let source = first.or_else(|| locals.source(name, package));
        let prefix = source.map(|local| local.interpreter.prefix.clone());
        (name.clone(), (package.version.clone(), package.record.clone(), prefix))
    });
    Environment::Made(Made {
        base: layout.real_executable.clone(),
        folder: layout
            .folder
            .clone()
            .unwrap_or_else(|| format!("python{}", layout.series.clone().unwrap_or_else(|| "3".to_owned()))),
        version: base.interpreter.version.clone().unwrap_or_default(),
        packages: packages.collect(),
    })
}

/// The folder that says that an environment is whole.
const WHOLE: &str = "driftlock-whole";

/// Makes an environment at `dir` unless it is there already; its interpreter.
///
/// # Errors
///
/// A full disk and the like as [`Fault::Machine`]; a package that cannot be had as [`Fault::Mixture`].
pub fn make(
    host: &dyn Host,
    locals: &Locals,
    made: &Made,
    dir: &Path,
    limit: Duration,
) -> Result<PathBuf, Fault> {
    let python = dir.join("bin/python");
    if dir.join(WHOLE).exists() {
        return Ok(python);
    }
    let at = |e: io::Error| Fault::disk(dir, &e);
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(at)?;
    }
    let site = dir.join("lib").join(&made.folder).join("site-packages");
    fs::create_dir_all(&site).map_err(at)?;
    fs::create_dir_all(dir.join("bin")).map_err(at)?;
    let home = made.base.parent().unwrap_or(Path::new("/usr/bin"));
    // PEP 405 asks for no more.
    let config = format!(
        "home = {}\ninclude-system-site-packages = false\nversion = {}\n",
        home.display(),
        made.version
    );
    fs::write(dir.join("pyvenv.cfg"), config).map_err(at)?;
    symlink(&made.base, &python).map_err(at)?;
    for name in ["python3", made.folder.as_str()] {
        let link = dir.join("bin").join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink("python", link).map_err(at)?;
        }
    }
    let mut missing = Vec::new();
    for (name, (version, _, prefix)) in &made.packages {
        let local = locals.sides.iter().flatten().chain(&locals.own);
        let local = local.into_iter().find(|l| Some(&l.interpreter.prefix) == prefix.as_ref());
        match local {
            Some(local) => link(host, local, name, dir, &site).map_err(|e| match e {
                Link::Disk(e) => at(e),
                Link::Package(why) => Fault::Mixture(format!("{name} {version}: {why}")),
            })?,
            None => missing.push(format!("{name}=={version}")),
        }
    }
    if !missing.is_empty() {
        install(host, locals, &python, &missing, limit)?;
    }
    fs::write(dir.join(WHOLE), "").map_err(at)?;
    Ok(python)
}

enum Link {
    Disk(io::Error),
    Package(String),
}

impl From<io::Error> for Link {
    fn from(e: io::Error) -> Self {
        Self::Disk(e)
    }
}

/// Links a package's files. What it put beside `site-packages` (scripts, headers) goes to the same place here.
fn link(host: &dyn Host, local: &Local, name: &str, dir: &Path, site: &Path) -> Result<(), Link> {
    let found = local.interpreter.distribution(host, name);
    let found = found.ok_or_else(|| Link::Package("it is not in its environment any more".to_owned()))?;
    if found.form != Form::DistInfo {
        return Err(Link::Package("it is not installed as a wheel".to_owned()));
    }
    let record = fs::read_to_string(found.dist_info.join("RECORD"))
        .map_err(|e| Link::Package(format!("its RECORD cannot be read: {e}")))?;
    let prefix = &local.interpreter.prefix;
    for line in record.lines().filter(|line| !line.trim().is_empty()) {
        let mut parts = line.rsplitn(3, ',');
        let path = parts.nth(2).unwrap_or(line).trim_matches('"').replace("\"\"", "\"");
        if path.ends_with(".pyc") {
            continue;
        }
        // RECORD writes what lies elsewhere with `..` from the site folder.
        let source = lexical::normalize(&found.site.join(&path));
        if !source.exists() {
            continue;
        }
        let target = match (source.strip_prefix(&found.site), source.strip_prefix(prefix)) {
            (Ok(below), _) => site.join(below),
            (_, Ok(below)) => dir.join(below),
            // Outside its environment: what a wheel may not do, and no import finds.
            _ => continue,
        };
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        match script(&source, prefix, dir) {
            Some(text) => {
                fs::write(&target, text)?;
                fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
            }
            None => symlink(&source, &target)?,
        }
    }
    Ok(())
}

/// A script that starts its environment's interpreter, for the new one.
fn script(source: &Path, prefix: &Path, dir: &Path) -> Option<String> {
    source.parent().filter(|p| p.ends_with("bin"))?;
    let text = fs::read_to_string(source).ok().filter(|text| text.starts_with("#!"))?;
    let (first, rest) = text.split_once('\n')?;
    let prefix = prefix.to_str()?;
    first.contains(prefix).then(|| format!("{}\n{rest}", first.replace(prefix, &dir.display().to_string())))
}

fn install(
    host: &dyn Host,
    locals: &Locals,
    python: &Path,
    wanted: &[String],
    limit: Duration,
) -> Result<(), Fault> {
    let list = wanted.join(", ");
    let Some(installer) = installer(host, locals.own.as_ref()) else {
        return Err(Fault::Mixture(format!("neither uv nor pip is here to install {list}")));
    };
    let python = python.display().to_string();
    let mut words: Vec<String> = if installer.uv {
        ["pip", "install", "--no-deps", "--quiet", "--python", &python].map(str::to_owned).to_vec()
    } else {
        ["-m", "pip", "--python", &python, "install", "--no-deps", "--quiet"].map(str::to_owned).to_vec()
    };
    words.extend(wanted.iter().cloned());
    let done = start::tool(&installer.program, &words, limit);
    match done {
        Ok(()) => Ok(()),
        Err(start::Ended::Stopped(signal)) => Err(Fault::Stopped(signal)),
        Err(start::Ended::Failed(why)) => Err(Fault::Mixture(format!("cannot install {list}: {why}"))),
    }
}
