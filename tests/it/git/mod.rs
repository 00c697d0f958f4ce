//! The `git` section on real repositories, beside what git itself says of them.

mod broken;
mod content;
mod digests;
mod mercurial;
mod places;
mod refs;
mod submodules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};

use crate::common::{TempDir, driftlock, fact, folder, root};

/// A home folder without any git configuration but an author, and a folder `repo` in it.
struct Place {
    home: TempDir,
}

impl Place {
    /// No repository yet.
    fn empty() -> Self {
        let home = folder();
        let config = "[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n\
                      [protocol \"file\"]\nallow = always\n[advice]\ndetachedHead = false\n";
        fs::write(home.path().join(".gitconfig"), config).unwrap();
        fs::create_dir(home.path().join("repo")).unwrap();
        Self { home }
    }

    /// A repository without a commit.
    fn unborn() -> Self {
        let place = Self::empty();
        place.git(&["init", "--quiet"]);
        place
    }

    /// A repository with one commit of a few files.
    fn new() -> Self {
        let place = Self::unborn();
        place.write("train.py", "import torch\n");
        place.write("src/model.py", "class Model:\n    pass\n");
        place.write("run.sh", "echo\n");
        place.write(".gitignore", "*.log\n/out/\n");
        place.commit("first");
        place
    }

    fn repo(&self) -> PathBuf {
        self.home.path().join("repo")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.repo().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// `program` where git's settings are those of this place alone.
    fn isolated(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.home.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        command.env_remove("XDG_CONFIG_HOME").current_dir(self.repo());
        command
    }

    fn try_git_in(&self, dir: &Path, args: &[&str]) -> Output {
        self.isolated(Command::new("git")).current_dir(dir).args(args).output().expect("git runs")
    }

    fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let out = self.try_git_in(dir, args);
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    fn capture_in(&self, dir: &Path, args: &[&str]) -> Captured {
        self.capture_with(dir, args, &[])
    }

    fn capture_with(&self, dir: &Path, args: &[&str], env: &[(&str, &Path)]) -> Captured {
        let mut command = self.isolated(driftlock());
        command
            .args(["capture", "--section", "git", "--timeout", "60", "-o", "-"])
            .args(args)
            .current_dir(dir);
        command.envs(env.iter().copied());
        captured(&mut command)
    }

    fn capture(&self) -> Captured {
        self.capture_in(&self.repo(), &[])
    }

    /// The digest that the page in `docs/` tells a user to compute.
    fn recipe(&self, name: &str) -> Option<String> {
        let page = fs::read_to_string(root().join("docs/concepts/git-state.md")).unwrap();
        let start = page.find(&format!("# {name}\n")).expect("the recipe");
        let script = &page[start..start + page[start..].find("```").unwrap()];
        let out =
            self.isolated(Command::new("bash")).args(["-euo", "pipefail", "-c", script]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let digest = String::from_utf8_lossy(&out.stdout).split_whitespace().next().unwrap().to_owned();
        let nothing = Sha256::digest([]).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        (digest != nothing).then(|| format!("sha256:{digest}"))
    }

    /// Asserts that counts and digests are those that git gives; renames are two files here, hence `--no-renames`, and
    /// untracked files in a submodule are no edits.
    fn agrees_with_git(&self) -> Captured {
        let before = contents(&self.path(".git"));
        let captured = self.capture();
        assert_eq!(contents(&self.path(".git")), before, "a capture changed the repository");
        assert_eq!(self.capture().0, captured.0, "two captures differ");
        let args = [
            "--no-optional-locks",
            "status",
            "--porcelain=v2",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=untracked",
        ];
        let out = self.try_git_in(&self.repo(), &args).stdout;
        let mut counts =
            BTreeMap::from(["staged", "unstaged", "conflicted", "untracked"].map(|name| (name, 0)));
        for entry in out.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let mut count = |name, yes: bool| *counts.get_mut(name).unwrap() += i64::from(yes);
            match entry {
                [b'1', b' ', index, tree, ..] => {
                    count("staged", *index != b'.');
                    count("unstaged", *tree != b'.');
                }
                [b'u', ..] => count("conflicted", true),
                [b'?', ..] => count("untracked", true),
                other => panic!("{}", String::from_utf8_lossy(other)),
            }
        }
        for (name, count) in &counts {
            assert_eq!(captured.int(name), *count, "{name}\n{}", String::from_utf8_lossy(&out));
        }
        let dirty = counts["staged"] + counts["unstaged"] + counts["conflicted"] > 0;
        assert_eq!(captured.bool("dirty"), dirty);
        assert_eq!(captured.text("diff_digest"), self.recipe("diff_digest").as_deref());
        assert_eq!(captured.text("untracked_digest"), self.recipe("untracked_digest").as_deref());
        captured
    }
}

/// A parsed snapshot.
#[derive(Debug)]
struct Captured(toml::Table);

fn captured(command: &mut Command) -> Captured {
    let out = command.output().expect("driftlock runs");
    let (text, messages) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{messages}");
    let mut snapshot: toml::Table = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
    // When and how fast it was taken.
    snapshot.remove("meta");
    Captured(snapshot)
}

impl Captured {
    fn get(&self, path: &str) -> Option<&toml::Value> {
        fact(&self.0, &format!("git.{path}"))
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.get(path).map(|value| value.as_str().expect("text"))
    }

    fn int(&self, path: &str) -> i64 {
        self.get(path).unwrap_or_else(|| panic!("no git.{path} in {:#?}", self.0)).as_integer().unwrap()
    }

    fn bool(&self, path: &str) -> bool {
        self.get(path).unwrap_or_else(|| panic!("no git.{path} in {:#?}", self.0)).as_bool().unwrap()
    }

    fn volatile(&self, path: &str) -> Option<&toml::Value> {
        fact(&self.0, &format!("volatile.git.{path}"))
    }

    /// The reason why a fact is unknown.
    fn unknown(&self, path: &str) -> Option<&str> {
        let path = if path.is_empty() { "git".to_owned() } else { format!("git.{path}") };
        self.0.get("unknown")?.get(path)?.as_str()
    }
}

/// Every file below `dir` with its content and its time.
fn contents(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.unwrap();
        let content = if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
        found.insert(entry.path().to_path_buf(), (content, entry.metadata().unwrap().modified().unwrap()));
    }
    found
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Says why a test proves nothing here.
#[expect(clippy::print_stderr, reason = "the only way for a test to say so")]
fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
