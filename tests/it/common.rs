//! What the tests share: the built binary in a scrubbed environment, and folders that vanish.
#![allow(dead_code, reason = "each test module uses some of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use tempfile::TempDir;

/// Prefixes of variables that move what driftlock records; removed from its environment in every test.
const SCRUBBED: [&str; 22] = [
    "CUDA",
    "NVIDIA",
    "PYTHON",
    "VIRTUAL_ENV",
    "CONDA",
    "PYENV",
    "UV_",
    "PIP_",
    "OMP_",
    "MKL_",
    "OPENBLAS",
    "ATEN_",
    "ONEDNN",
    "DNNL",
    "NPY_",
    "SLURM",
    "KUBERNETES",
    "GIT_",
    "LD_",
    "NO_COLOR",
    "CLICOLOR",
    "DRIFTLOCK",
];

/// The built binary with no variable set that a test does not set itself.
pub(crate) fn driftlock() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftlock"));
    for (name, _) in std::env::vars_os() {
        if SCRUBBED.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("TZ", "UTC").env("LC_ALL", "C").env("DRIFTLOCK_NOW", "1700000000");
    command
}

/// A new folder that is removed at the end of the test.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program that must succeed and returns its standard output.
pub(crate) fn sh(dir: &Path, program: &str, args: &[&str]) -> String {
    let out = Command::new(program)
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A capture in `dir` with these arguments, printed with `-o -` and parsed as TOML; it must succeed.
pub(crate) fn capture(dir: &Path, args: &[&str]) -> toml::Table {
    let out = driftlock()
        .arg("capture")
        .args(args)
        .args(["-o", "-"])
        .current_dir(dir)
        .output()
        .expect("driftlock runs");
    let (text, messages) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{messages}");
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The fact at a dotted path of a parsed snapshot, wherever its class puts it; none of the segments may hold a dot.
pub(crate) fn fact<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a toml::Value> {
    let apart = ["volatile", "private"].into_iter().filter_map(|name| snapshot.get(name)?.as_table());
    [snapshot].into_iter().chain(apart).find_map(|table| {
        let mut segments = path.split('.');
        let first = table.get(segments.next()?)?;
        segments.try_fold(first, |value, segment| value.as_table()?.get(segment))
    })
}
