//! Where an interpreter's parts lie: what CPython's `Modules/getpath.py` computes at start-up, from files.

use std::path::{Path, PathBuf};

use super::{names, version};
use crate::host::Host;

/// `pyvenv.cfg` of a virtual environment (PEP 405).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenvConfig {
    /// `home`: the folder of the base interpreter's executable.
    pub home: Option<PathBuf>,
    /// `include-system-site-packages`.
    pub system_site: bool,
    /// `version` (venv) or `version_info` (virtualenv), reduced to `3.11.7`.
    pub version: Option<String>,
}

/// Where an interpreter's parts lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The executable with every link resolved.
    pub real_executable: PathBuf,
    /// `sys.prefix`.
    pub prefix: PathBuf,
    /// `sys.base_prefix`.
    pub base_prefix: PathBuf,
    /// The virtual environment's configuration, where it is one.
    pub venv: Option<VenvConfig>,
    /// `cpython`, `pypy` or `graalpy`.
    pub implementation: Option<&'static str>,
    /// `major.minor`.
    pub series: Option<String>,
    /// The standard library's folder.
    pub stdlib: Option<PathBuf>,
    /// The name of the version's folder below `lib`: `python3.11`, `python3.13t`, `pypy3.10`.
    pub folder: Option<String>,
}

impl Layout {
    /// The layout around an executable.
    pub fn of(host: &dyn Host, executable: &Path) -> Self {
        let real = host.canonicalize(executable).unwrap_or_else(|_| executable.to_path_buf());
        let home = host.env("PYTHONHOME").filter(|home| !home.is_empty());
        // PYTHONHOME switches virtual environments off (getpath.py: "will override venv detection").
        let venv = if home.is_some() { None } else { venv_of(host, executable) };
        let bin = |path: &Path| path.parent().map(Path::to_path_buf);
        let mut starts: Vec<PathBuf> = Vec::new();
        starts.extend(home.and_then(|home| home.split(':').next().map(PathBuf::from)));
        starts.extend(venv.as_ref().and_then(|(_, config)| config.home.clone()));
        starts.extend(bin(&real));
        let name = real.file_name().and_then(|name| name.to_str());
        let hint =
            name.and_then(names::series).map(|(_, series, flags)| (series.to_owned(), flags.contains('t')));
        // A copied executable is called `python3`; then the environment's own note has to do.
        let hint = hint.or_else(|| {
            let (_, config) = venv.as_ref()?;
            let (minor, _micro) = config.version.as_deref()?.rsplit_once('.')?;
            minor.contains('.').then(|| (minor.to_owned(), false))
        });
        let library = starts.iter().find_map(|start| {
            start.ancestors().find_map(|dir| stdlib_below(host, dir, hint.as_ref()).map(|found| (dir, found)))
        });
        let fallback = || real.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_path_buf();
        let base_prefix = library.as_ref().map_or_else(fallback, |(dir, _)| dir.to_path_buf());
        let (prefix, venv) = match venv {
            Some((prefix, config)) => (prefix, Some(config)),
            None => (base_prefix.clone(), None),
        };
        let mut layout = Self { real_executable: real, prefix, base_prefix, venv, ..Self::default() };
        if let Some((_, Stdlib { path, folder })) = library {
            let known = names::series(&folder);
            layout.implementation = known.map(|(implementation, ..)| implementation).or(Some("pypy"));
            layout.series = known.map(|(_, series, _)| series.to_owned());
            layout.stdlib = Some(path);
            layout.folder = Some(folder);
        }
        layout
    }

    /// The interpreter's version, `3.11.7`, and the road by which it was found.
    pub fn version(&self, host: &dyn Host) -> Option<(String, &'static str)> {
        version::find(host, self)
    }

    /// The folders of a prefix that hold site folders: `sys.platlibdir`, which Fedora and openSUSE set to `lib64`,
    /// and `lib`.
    pub fn lib_folders(&self) -> &'static [&'static str] {
        let stdlib = self.stdlib.as_deref().and_then(|path| path.strip_prefix(&self.base_prefix).ok());
        if stdlib.is_some_and(|path| path.starts_with("lib64")) { &["lib64", "lib"] } else { &["lib"] }
    }
}

/// A standard library's folder.
struct Stdlib {
    path: PathBuf,
    folder: String,
}

/// The standard library below `dir`, if `dir` is a prefix: the landmark is `os.py` (getpath.py, `STDLIB_LANDMARKS`).
fn stdlib_below(host: &dyn Host, dir: &Path, hint: Option<&(String, bool)>) -> Option<Stdlib> {
    for lib in ["lib", "lib64"] {
        let lib = dir.join(lib);
        let mut folders: Vec<String> =
            host.names(&lib).into_iter().filter(|n| names::series(n).is_some()).collect();
        if let Some((series, threaded)) = hint {
            folders.retain(|name| {
                names::series(name)
                    .is_some_and(|(_, s, flags)| s == series && flags.contains('t') == *threaded)
            });
        }
        folders.sort_by_key(|name| names::series(name).map(|(_, series, _)| names::numbers(series)));
        let is_library = |name: &&String| host.exists(&lib.join(name).join("os.py"));
        if let Some(folder) = folders.iter().rev().find(is_library) {
            return Some(Stdlib { path: lib.join(folder), folder: folder.clone() });
        }
    }
    // PyPy before 3.8.
    let old = dir.join("lib-python/3");
    host.exists(&old.join("os.py")).then(|| Stdlib { path: old, folder: "lib-python".to_owned() })
}

/// The virtual environment of an executable: `pyvenv.cfg` beside it or one folder up, links not resolved.
fn venv_of(host: &dyn Host, executable: &Path) -> Option<(PathBuf, VenvConfig)> {
    let bin = executable.parent()?;
    let prefix = bin.parent()?;
    let text = host.maybe(bin.join("pyvenv.cfg")).or_else(|| host.maybe(prefix.join("pyvenv.cfg")))?;
    let config = parse_pyvenv(&text);
    // Without `home` it is not a virtual environment to Python either.
    config.home.is_some().then(|| (prefix.to_path_buf(), config))
}

/// Parses `pyvenv.cfg`: `key = value` lines, keys in any case.
///
/// ```text
/// home = /usr/bin
/// implementation = CPython
/// uv = 0.4.1
/// version_info = 3.11.7.final.0
/// include-system-site-packages = false
/// ```
fn parse_pyvenv(text: &str) -> VenvConfig {
    let mut config = VenvConfig::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "home" => config.home = Some(PathBuf::from(value)).filter(|home| home.is_absolute()),
            "include-system-site-packages" => config.system_site = value.eq_ignore_ascii_case("true"),
            "version" | "version_info" => {
                config.version = config.version.take().or_else(|| version::release(value))
            }
            _ => {}
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyvenv_cfg_of_venv_and_of_virtualenv() {
        let venv =
            parse_pyvenv("home = /opt/py/bin\ninclude-system-site-packages = false\nversion = 3.11.7\n");
        assert_eq!(venv.home.as_deref(), Some(Path::new("/opt/py/bin")));
        assert_eq!((venv.system_site, venv.version.as_deref()), (false, Some("3.11.7")));
        let uv = parse_pyvenv(
            "HOME=/usr/bin\nuv = 0.4.1\nversion_info = 3.12.1.final.0\nInclude-System-Site-Packages = True",
        );
        assert_eq!((uv.system_site, uv.version.as_deref()), (true, Some("3.12.1")));
        assert_eq!(parse_pyvenv("home = relative").home, None);
    }
}
