//! The self-test: real libraries, real processes, planted differences and faults.
//!
//! Python with torch is found by DRIFTLOCK_TEST_VENV; the worker, built with the feature `selftest`, beside the tested
//! binary or by DRIFTLOCK_TEST_WORKER. What is missing is skipped with a message; `tests/all.sh` provides both.

mod faults;
mod measured;
mod reference;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::common::driftlock;

/// The environment with torch.
pub(crate) fn venv() -> Option<PathBuf> {
    let venv = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from);
    if venv.is_none() {
        eprintln!("skipped: DRIFTLOCK_TEST_VENV names no environment with torch");
    }
    venv
}

/// The worker.
pub(crate) fn worker() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_BIN_EXE_driftlock")).with_file_name("driftlock-selftest");
    let worker = std::env::var_os("DRIFTLOCK_TEST_WORKER").map_or(beside, PathBuf::from);
    if worker.is_file() {
        return Some(worker);
    }
    eprintln!("skipped: no worker; build it with --features selftest");
    None
}

/// `driftlock selftest` with these arguments.
pub(crate) fn selftest(args: &[&str]) -> Command {
    let mut command = driftlock();
    command.arg("selftest").args(args);
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn json(out: &Output) -> Json {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}\n{}", text(&out.stderr)))
}
