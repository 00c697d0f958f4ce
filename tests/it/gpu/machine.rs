//! A machine whose NVML is the stand-in, and what a test reads of its snapshot.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::common::{TempDir, driftlock, fact, folder, root, sh};

/// The folder with the stand-in, built once.
pub(crate) fn library() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let dir = folder();
        let source = root().join("fixtures/nvml/nvml_stub.c");
        let out = dir.path().join("libnvidia-ml.so.1");
        let args =
            ["-shared", "-fPIC", "-Wall", "-Werror", "-o", &out.to_string_lossy(), &source.to_string_lossy()];
        sh(dir.path(), "cc", &args);
        dir
    });
    dir.path()
}

/// A machine whose NVML answers by a script.
pub(super) struct Machine {
    dir: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Machine {
    pub(super) fn new(script: &str) -> Self {
        let dir = folder();
        fs::write(dir.path().join("script"), script).expect("a script");
        Self { dir, env: Vec::new() }
    }

    pub(super) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = driftlock();
        command.args(["capture", "-o", "-"]).args(args).current_dir(self.dir.path());
        command
            .env("LD_LIBRARY_PATH", library())
            .env("DRIFTLOCK_NVML_SCRIPT", self.dir.path().join("script"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(super) fn capture(&self, args: &[&str]) -> toml::Table {
        parse(&self.command(args).output().expect("driftlock runs"))
    }

    pub(super) fn gpu(&self) -> toml::Table {
        self.capture(&["--section", "gpu"])
    }

    /// The processes that ask NVML on behalf of this machine, still there.
    pub(super) fn children(&self) -> usize {
        let script = self.dir.path().join("script").to_string_lossy().into_owned();
        let pids = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
        let ours = |pid: &Path| {
            let text = |name: &str| {
                String::from_utf8_lossy(&fs::read(pid.join(name)).unwrap_or_default()).into_owned()
            };
            text("cmdline").contains("__nvml") && text("environ").contains(&script)
        };
        pids.filter(|pid| ours(pid)).count()
    }

    /// Waits until as many processes as that ask; says whether it came to that.
    pub(super) fn reaches(&self, children: usize) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.children() != children {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

fn parse(out: &Output) -> toml::Table {
    let (text, messages) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{messages}");
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

pub(super) fn text<'a>(snapshot: &'a toml::Table, path: &str) -> &'a str {
    fact(snapshot, path)
        .and_then(|v| v.as_str())
        .unwrap_or_else(|| panic!("no text at {path}: {snapshot:#?}"))
}

pub(super) fn int(snapshot: &toml::Table, path: &str) -> i64 {
    fact(snapshot, path)
        .and_then(toml::Value::as_integer)
        .unwrap_or_else(|| panic!("no number at {path}: {snapshot:#?}"))
}

pub(super) fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let items = fact(snapshot, path).and_then(toml::Value::as_array);
    let items = items.unwrap_or_else(|| panic!("no list at {path}: {snapshot:#?}"));
    items.iter().map(|item| item.as_str().expect("text").to_owned()).collect()
}

/// Why a fact is unknown.
pub(super) fn reason<'a>(snapshot: &'a toml::Table, path: &str) -> &'a str {
    let unknown = snapshot.get("unknown").and_then(|u| u.as_table()?.get(path));
    unknown.and_then(|v| v.as_str()).unwrap_or_else(|| panic!("{path} is not unknown: {snapshot:#?}"))
}
