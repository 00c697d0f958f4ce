//! The gate: `driftlock check` and `driftlock init` through the built binary, and the forms of findings.

mod calm;
mod environments;
mod formats;
mod init;
mod ladder;
mod megatron;
mod policy;
mod recipes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::common::{TempDir, driftlock, folder, sh};

/// A project in a folder of its own: a git repository with what a test puts into it.
struct Project {
    dir: TempDir,
    env: Vec<(String, String)>,
}

impl Project {
    /// A repository with one committed file and a policy that looks at no Python, so that nothing takes long.
    fn new() -> Self {
        let project = Self::empty();
        project.write("driftlock.toml", "[capture]\nno-python = true\n");
        project
    }

    fn empty() -> Self {
        let project = Self { dir: folder(), env: Vec::new() };
        project.git(&["init", "-q", "-b", "main"]);
        project.write("train.py", "print(1)\n");
        project.commit();
        project
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"];
        sh(self.path(), "git", &[&who, args].concat())
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    /// From now on this variable is set.
    fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    fn unset(&mut self, name: &str) {
        self.env.retain(|(n, _)| n != name);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = driftlock();
        command.args(args).current_dir(self.path()).envs(self.env.iter().map(|(n, v)| (n, v)));
        command
    }

    /// Exit code, standard output, standard error.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        outcome(&self.command(args).output().unwrap())
    }

    fn init(&self) {
        let (code, _, messages) = self.run(&["init"]);
        assert_eq!(code, 0, "{messages}");
    }

    fn check(&self, args: &[&str]) -> (i32, String, String) {
        self.run(&[&["check"], args].concat())
    }

    /// The exit code and the report in JSON.
    fn report(&self, args: &[&str]) -> (i32, Json) {
        let (code, out, messages) = self.check(&[args, &["--format", "json"]].concat());
        let report = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}\n{out}\n{messages}"));
        (code, report)
    }
}

fn outcome(out: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
}

/// The rules of the findings of this level, in order.
fn rules(report: &Json, level: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of_level = findings.filter(|f| f["level"] == level);
    of_level.map(|f| f["rule"].as_str().unwrap().to_owned()).collect()
}

/// The finding of a rule.
fn finding<'r>(report: &'r Json, rule: &str) -> &'r Json {
    let mut findings = report["findings"].as_array().unwrap().iter();
    findings.find(|f| f["rule"] == rule).unwrap_or_else(|| panic!("no {rule} in {report:#}"))
}
