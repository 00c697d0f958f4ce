//! `driftlock run` on real commands: what passes through, what is seen, and what is left where something goes wrong.

mod fidelity;
mod ranks;
mod signals;
mod truth;
mod watch;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{driftlock, fact};

/// `driftlock run -o run.lock ARGS -- COMMAND` in `dir`, not started yet.
fn command(dir: &Path, args: &[&str], words: &[&str]) -> Command {
    let mut command = driftlock();
    command.arg("run").args(["-o", "run.lock"]).args(args).arg("--").args(words).current_dir(dir);
    command
}

/// The same, run to its end.
fn run(dir: &Path, args: &[&str], words: &[&str]) -> Output {
    command(dir, args, words).output().expect("driftlock runs")
}

/// The snapshot that a run left.
fn snapshot(dir: &Path) -> toml::Table {
    read(&dir.join("run.lock"))
}

fn read(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The strings of a list fact; empty where it is absent.
fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let items = fact(snapshot, path).and_then(toml::Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The interpreter that `python3` starts: a version manager's shim of that name starts two dozen other processes.
fn python() -> &'static str {
    static PYTHON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PYTHON.get_or_init(|| {
        let ask = "import os, sys; print(os.path.realpath(sys.executable))";
        let out = Command::new("python3").args(["-c", ask]).output().expect("python3 runs");
        text(&out.stdout).trim().to_owned()
    })
}

/// The environment with torch and NumPy; where there is none, says that the test is skipped.
fn venv() -> Option<PathBuf> {
    let venv = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from);
    if venv.is_none() {
        eprintln!("skipped: set DRIFTLOCK_TEST_VENV to a virtual environment with torch and numpy");
    }
    venv
}

/// Waits until `done`, which must come to pass.
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("waited in vain for {what}");
}
