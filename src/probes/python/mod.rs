//! The `python` section: the interpreter that would run, how it was built, and every installed distribution.
//!
//! All of it comes from files; the interpreter is started only for `--deep`.

pub(crate) mod conda;
mod deep;
mod discover;
mod editable;
pub mod folder;
pub mod interpreter;
pub mod layout;
mod literal;
pub(crate) mod names;
mod origin;
mod packages;
mod pyenv;
mod record;
pub mod sites;
mod sysconfig;
#[cfg(test)]
mod tests;
mod verify;
mod version;

use std::time::Duration;

use super::{Context, Options, Probe, ProbeError, PythonChoice, Sink};
use crate::host::Host;
use crate::redact::Labels;
use interpreter::Interpreter;

/// See the module.
pub struct Python;

impl Probe for Python {
    fn section(&self) -> &'static str {
        "python"
    }

    fn wanted(&self, options: &Options) -> bool {
        options.python != PythonChoice::None
    }

    fn limit(&self, options: &Options) -> Option<Duration> {
        match options {
            // Tens of gigabytes are hashed, with progress shown.
            Options { verify_packages: true, .. } => None,
            // Each question has a limit of its own, and they are asked side by side.
            Options { deep: true, .. } => Some(deep::limit(options) + options.timeout),
            _ => Some(options.timeout),
        }
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let Some(interpreter) = cx.interpreter()? else {
            return Ok(());
        };
        let host = cx.host.as_ref();
        let labels = interpreter.labels(host, &cx.labels);
        describe(interpreter, &cx.labels, out);
        build_ids(host, interpreter, out);
        flags(host, interpreter, out);
        sysconfig::collect(host, &interpreter.layout, out);
        paths(interpreter, &labels, out);
        packages::collect(host, interpreter, &labels, out);
        conda::collect(host, &interpreter.prefix, out);
        if cx.options.deep {
            deep::collect(cx, interpreter, &labels, out);
        }
        if cx.options.verify_packages {
            verify::collect(host, interpreter, cx.options.progress, out);
        }
        Ok(())
    }
}

fn describe(interpreter: &Interpreter, labels: &Labels, out: &Sink) {
    out.set("kind", interpreter.kind.as_str());
    out.set("found_by", interpreter.found_by.as_str());
    out.set("executable", labels.show(&interpreter.executable));
    out.set("prefix", labels.show(&interpreter.prefix));
    out.set("base_prefix", labels.show(&interpreter.base_prefix));
    out.set_opt("implementation", interpreter.layout.implementation);
    out.set_opt("version_found_by", interpreter.version_found_by);
    match &interpreter.version {
        Some(version) => out.set("version", version.as_str()),
        None => {
            let reason =
                "no standard library belongs to the executable (a wrapper or shim?); name one with --python";
            for fact in ["version", "packages"] {
                out.unknown(fact, reason);
            }
        }
    }
}

/// The build ids of the executable and of the `libpython` that it loads.
fn build_ids(host: &dyn Host, interpreter: &Interpreter, out: &Sink) {
    let executable = match host.elf(&interpreter.executable) {
        Ok(elf) => elf,
        Err(e) => return out.unknown("build_id", e),
    };
    out.set_opt("build_id", executable.build_id);
    let Some(library) = executable.needed.iter().find(|name| name.starts_with("libpython")) else {
        return;
    };
    let folders = ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"];
    let paths = folders.iter().map(|folder| interpreter.base_prefix.join(folder).join(library));
    match paths.into_iter().find(|path| host.exists(path)).map(|path| host.elf(&path)) {
        Some(Ok(elf)) => out.set_opt("libpython_build_id", elf.build_id),
        Some(Err(e)) => out.unknown("libpython_build_id", e),
        None => {
            out.unknown("libpython_build_id", format!("{library} not found below the interpreter's prefix"))
        }
    }
}

/// What the interpreter's own variables do to a run.
fn flags(host: &dyn Host, interpreter: &Interpreter, out: &Sink) {
    out.set("user_site", interpreter.search.user_site);
    out.set_opt("system_site", interpreter.layout.venv.as_ref().map(|config| config.system_site));
    let is_python_3 = interpreter.layout.series.as_deref().is_some_and(|series| series.starts_with("3."));
    if interpreter.layout.implementation == Some("cpython") && is_python_3 {
        out.set("flags.hash_randomization", hashes_are_random(host.env("PYTHONHASHSEED").as_deref()));
    }
    out.set("flags.optimize", optimize(host.env("PYTHONOPTIMIZE").as_deref()));
}

/// Whether `hash(str)` differs from process to process: unless PYTHONHASHSEED is a number (`Python/initconfig.c`,
/// `config_init_hash_seed`).
fn hashes_are_random(seed: Option<&str>) -> bool {
    seed.is_none_or(|seed| seed.is_empty() || seed == "random")
}

/// `sys.flags.optimize`: a number, and 1 for anything else that is not empty (`_Py_get_env_flag`).
fn optimize(value: Option<&str>) -> i64 {
    match value {
        None | Some("") => 0,
        Some(value) => value.parse().ok().filter(|level| *level >= 0).unwrap_or(1),
    }
}

fn paths(interpreter: &Interpreter, labels: &Labels, out: &Sink) {
    let search = &interpreter.search;
    let shown = search.folders.iter().map(|folder| labels.show(&folder.path));
    out.set("sys_path", shown.collect::<Vec<_>>());
    if !search.pth_code.is_empty() {
        out.set("pth_code", search.pth_code.clone());
    }
    if let Some((path, reason)) = search.unreadable.first() {
        out.unknown("pth_code", format!("{}: {reason}", labels.show(path)));
    }
}
