//! `driftlock bisect` through the built binary: real snapshots, real processes, small programs.

mod environments;
mod factors;
mod ground;
mod search;
mod stopped;
mod untouched;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::common::{TempDir, driftlock, folder};

/// A project, its snapshots and a cache of its own.
pub(super) struct Bench {
    dir: TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        let bench = Self { dir: folder() };
        std::fs::create_dir(bench.project()).unwrap();
        bench
    }

    /// With a program for `sh`.
    pub(super) fn with(program: &str) -> Self {
        let bench = Self::new();
        bench.put("prog.sh", program);
        bench
    }

    pub(super) fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.beside("cache")
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    /// A snapshot of the environment, the processor and the repository under these variables.
    pub(super) fn snapshot(&self, name: &str, env: &[(&str, &str)]) {
        self.capture(name, env, &["--section", "env", "--section", "git", "--no-python"]);
    }

    pub(super) fn capture(&self, name: &str, env: &[(&str, &str)], args: &[&str]) {
        let out = driftlock()
            .args(["capture", "-o"])
            .arg(self.beside(name))
            .args(args)
            .envs(env.iter().copied())
            .current_dir(self.project())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Both snapshots, by their variables.
    pub(super) fn pair(&self, a: &[(&str, &str)], b: &[(&str, &str)]) {
        self.snapshot("a.lock", a);
        self.snapshot("b.lock", b);
    }

    /// `driftlock bisect a.lock b.lock ARGS -- WORDS`.
    pub(super) fn command(&self, args: &[&str], words: &[&str]) -> Command {
        let mut command = driftlock();
        command
            .arg("bisect")
            .arg(self.beside("a.lock"))
            .arg(self.beside("b.lock"))
            .arg("--cache")
            .arg(self.cache());
        command.args(args).arg("--").args(words).current_dir(self.project());
        command
    }

    pub(super) fn run(&self, args: &[&str], words: &[&str]) -> Output {
        self.command(args, words).output().unwrap()
    }

    /// The report, which must be one.
    pub(super) fn json(&self, args: &[&str], words: &[&str]) -> Json {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        let out = self.run(&args, words);
        serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&out.stderr)))
    }

    /// The report of `sh prog.sh`.
    pub(super) fn program(&self, args: &[&str]) -> Json {
        self.json(args, &["sh", "prog.sh"])
    }
}

/// The factors of each cause.
pub(super) fn causes(report: &Json) -> Vec<Vec<String>> {
    let list = |value: &Json| -> Vec<String> {
        value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    report["causes"].as_array().unwrap().iter().map(|cause| list(&cause["factors"])).collect()
}

/// Variables `V0_SEED`, … with this value.
pub(super) fn noise(n: usize, value: &'static str) -> Vec<(&'static str, &'static str)> {
    const NAMES: [&str; 9] =
        ["V0_SEED", "V1_SEED", "V2_SEED", "V3_SEED", "V4_SEED", "V5_SEED", "V6_SEED", "V7_SEED", "V8_SEED"];
    NAMES[..n].iter().map(|name| (*name, value)).collect()
}

pub(super) fn join<'a>(list: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    list.iter().chain(more).copied().collect()
}

/// Every file and link below a folder with its content; nothing else of it may change.
pub(super) fn digest(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir).into_iter().map(|e| e.unwrap()) {
        let content = if entry.file_type().is_file() {
            std::fs::read(entry.path()).unwrap()
        } else if entry.file_type().is_symlink() {
            std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        out.insert(entry.into_path(), content);
    }
    out
}
