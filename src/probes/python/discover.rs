//! The roads to an interpreter, first to last.

use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::pyenv;
use crate::error::Error;
use crate::host::{FileKind, Host};

/// An executable and the road that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The executable as it would be started.
    pub executable: PathBuf,
    /// The road: a value of `python.found_by`.
    pub road: &'static str,
}

/// The interpreter that would run here without `--python`.
pub(super) fn auto(host: &dyn Host) -> Option<Found> {
    let on_path = on_path(host);
    for (variable, road) in [("VIRTUAL_ENV", "VIRTUAL_ENV"), ("CONDA_PREFIX", "CONDA_PREFIX")] {
        let Some(prefix) = host.env(variable).filter(|v| !v.is_empty()).map(PathBuf::from) else {
            continue;
        };
        if road == "CONDA_PREFIX" && is_base(host) {
            // conda activates `base` in every shell, so it says nothing about what the user meant.
            continue;
        }
        let Some(executable) = in_prefix(host, &prefix) else {
            continue;
        };
        if !is_on_path(host, &prefix.join("bin")) {
            return Some(Found { executable, road });
        }
        // Activated: what the shell starts decides, and that is this one unless something was put before it.
        return match &on_path {
            Some(first) if first.executable.parent() != executable.parent() => Some(first.clone()),
            _ => Some(Found { executable, road }),
        };
    }
    project_venv(host).map(|executable| Found { executable, road: ".venv" }).or(on_path)
}

/// The interpreter that `--python` names: an environment's folder, an executable, or a program on `PATH`.
pub(super) fn named(host: &dyn Host, path: &Path) -> Result<Found, Error> {
    let shown = path.display();
    let remedy =
        "give the interpreter's executable or the folder of its environment, for example `--python .venv`";
    let wrong = |what: String| Error::input(format!("--python {shown}: {what}")).hint(remedy);
    let absolute = host.cwd().join(path);
    let executable = match host.stat(&absolute) {
        Ok(stat) if stat.kind == FileKind::Dir => in_prefix(host, &absolute).ok_or_else(|| {
            wrong("no interpreter in this folder (looked for bin/python, bin/python3, bin/pypy3)".into())
        })?,
        Ok(stat) if stat.kind == FileKind::File && stat.executable => {
            shim(host, &absolute).unwrap_or(absolute)
        }
        Ok(_) => return Err(wrong("not an executable file".into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let program = path.to_str().filter(|name| !name.contains('/'));
            let found = program.and_then(|name| programs(host, name).into_iter().next());
            found.map(|f| f.executable).ok_or_else(|| wrong("no such file or folder".into()))?
        }
        Err(e) => return Err(wrong(e.to_string())),
    };
    let layout = Layout::of(host, &executable);
    if layout.stdlib.is_none()
        || ![&executable, &layout.real_executable].into_iter().any(|path| is_named(path))
    {
        return Err(wrong("not a Python interpreter with its standard library".into()));
    }
    Ok(Found { executable, road: "--python" })
}

/// Whether an executable is called as interpreters are: `/usr/bin/ls` also lies beside a standard library.
fn is_named(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["python", "pypy", "graalpy"].iter().any(|word| name.contains(word))
}

/// Whether a path is a file that can be started.
pub(super) fn is_program(host: &dyn Host, path: &Path) -> bool {
    host.stat(path).is_ok_and(|stat| stat.kind == FileKind::File && stat.executable)
}

/// The interpreter in an environment's folder.
fn in_prefix(host: &dyn Host, prefix: &Path) -> Option<PathBuf> {
    let names = ["python", "python3", "pypy3", "pypy"];
    names.iter().map(|name| prefix.join("bin").join(name)).find(|path| is_program(host, path))
}

/// `.venv` in the working directory or above it, up to the root of the repository that holds it.
fn project_venv(host: &dyn Host) -> Option<PathBuf> {
    let cwd = host.cwd();
    let is_root = |dir: &Path| [".git", ".hg"].iter().any(|name| host.exists(&dir.join(name)));
    let depth = cwd.ancestors().position(is_root).unwrap_or(0);
    let venvs = cwd.ancestors().take(depth + 1).map(|dir| dir.join(".venv"));
    venvs.filter(|venv| host.exists(&venv.join("pyvenv.cfg"))).find_map(|venv| in_prefix(host, &venv))
}

/// Whether the active conda environment is the one that conda itself lives in.
fn is_base(host: &dyn Host) -> bool {
    matches!(host.env("CONDA_DEFAULT_ENV").as_deref(), Some("base" | "root"))
}

fn is_on_path(host: &dyn Host, dir: &Path) -> bool {
    path_folders(host).iter().any(|folder| folder == dir)
}

fn path_folders(host: &dyn Host) -> Vec<PathBuf> {
    let path = host.env("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect()
}

/// What typing `python` starts, where that is Python 3; else `python3`; else whatever `python` is.
fn on_path(host: &dyn Host) -> Option<Found> {
    let python = programs(host, "python").into_iter().next();
    let is_python_2 = |found: &Found| {
        let layout = Layout::of(host, &found.executable);
        layout.series.is_some_and(|series| series.starts_with("2."))
    };
    match python {
        Some(found) if !is_python_2(&found) => Some(found),
        older => programs(host, "python3").into_iter().next().or(older),
    }
}

/// Every program of this name on `PATH`, in its order, pyenv's shims replaced by what they start.
fn programs(host: &dyn Host, name: &str) -> Vec<Found> {
    let candidates =
        path_folders(host).into_iter().map(|dir| dir.join(name)).filter(|path| is_program(host, path));
    candidates
        .filter_map(|path| match path.parent().and_then(|dir| pyenv::root_of_shims(host, dir)) {
            Some(root) => {
                pyenv::resolve(host, &root, name).map(|executable| Found { executable, road: "pyenv" })
            }
            None => Some(Found { executable: path, road: "PATH" }),
        })
        .collect()
}

/// What a pyenv shim given by its own path starts.
fn shim(host: &dyn Host, path: &Path) -> Option<PathBuf> {
    let root = pyenv::root_of_shims(host, path.parent()?)?;
    pyenv::resolve(host, &root, path.file_name()?.to_str()?)
}
