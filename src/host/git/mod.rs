//! The state of a git repository as plain data, read with libgit2. Nothing here writes: not into the repository (the
//! index is not refreshed), not anywhere else.

mod content;
mod history;
mod lfs;
mod open;
mod patch;
mod refs;
pub mod tracked;
mod untracked;
mod work;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How much to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// What a few small files say: HEAD, branch, remotes, configuration. Milliseconds on a repository of any size.
    Refs,
    /// That, and what needs the history or every tracked file.
    #[default]
    Full,
}

/// What to read, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitOptions {
    /// How much to read.
    pub depth: Depth,
    /// Keep the patch against HEAD itself, not only its digest.
    pub patch: bool,
    /// When to give up: what is not read by then is in [`GitReport::unknown`].
    pub limit: Duration,
}

impl Default for GitOptions {
    fn default() -> Self {
        Self { depth: Depth::Full, patch: false, limit: Duration::from_secs(2) }
    }
}

/// One repository. `docs/concepts/git-state.md` defines each part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitReport {
    /// Commit id of HEAD in hexadecimal; `None` on an unborn branch, or where it is in [`GitReport::unknown`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Tree id of HEAD: equal trees are equal files, whatever the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The branch that HEAD names, without `refs/heads/`; `None` where HEAD is detached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Whether HEAD names a commit and no branch.
    pub detached: bool,
    /// Whether HEAD's branch has no commit yet.
    pub unborn: bool,
    /// Whether there is no working tree.
    pub bare: bool,
    /// Whether the history was cut off (`git clone --depth`).
    pub shallow: bool,
    /// Whether this is a linked working tree (`git worktree add`).
    pub linked_worktree: bool,
    /// Whether the working tree holds only a part of the files (`git sparse-checkout`).
    pub sparse: bool,
    /// What was begun and not ended: `merge`, `rebase`, `cherry-pick`, `revert`, `bisect`, `am`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The working directory relative to the working tree's root, with `/`; `None` at the root itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Settings that change the bytes of files on their way to or from git, by their lower-case names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// URL of each remote as configured, credentials included: whoever shows it takes them out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub remotes: BTreeMap<String, String>,
    /// The branch's upstream, for example `origin/main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Commits of HEAD that the upstream lacks, as of the last fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// Commits of the upstream that HEAD lacks, as of the last fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// `git describe --tags --always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub describe: Option<String>,
    /// What the working tree holds; `None` in a bare repository and where it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// Submodules by their path, nested ones too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub submodules: BTreeMap<String, Submodule>,
    /// Facts (by their path below `git`) that could not be looked at, and why. The empty path is all the rest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, String>,
}

/// How the index and the working tree differ from HEAD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Files whose index entry differs from HEAD.
    pub staged: u64,
    /// Files whose content, mode or presence in the working tree differs from the index; submodules included.
    pub unstaged: u64,
    /// Files with unresolved merge conflicts.
    pub conflicted: u64,
    /// Files that are neither tracked nor ignored.
    pub untracked: u64,
    /// `sha256:…` of what differs between HEAD and the working tree; `None` where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff_digest: Option<String>,
    /// `sha256:…` of the untracked files' contents; `None` where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untracked_digest: Option<String>,
    /// The patch itself, where it was asked for and there is a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Files marked `assume-unchanged` or `skip-worktree` that differ from the index all the same: edits that `git
    /// status` does not show.
    #[serde(skip_serializing_if = "Files::is_empty")]
    pub hidden: Files,
    /// Files under `filter=lfs` that hold their pointer: the data was not fetched.
    #[serde(skip_serializing_if = "Files::is_empty")]
    pub lfs_pointers: Files,
}

impl Work {
    /// Whether anything tracked differs from HEAD, as `git describe --dirty` decides it: untracked files do not count.
    pub fn dirty(&self) -> bool {
        self.staged + self.unstaged + self.conflicted > 0
    }
}

/// Some files: how many, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    /// How many.
    pub count: u64,
    /// The first [`Files::SHOWN`] paths relative to the working tree's root, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<String>,
    /// `sha256:…` of what makes them worth a word, where that is defined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Files {
    /// How many paths are kept.
    pub const SHOWN: usize = 10;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// One submodule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Submodule {
    /// The commit that is checked out; `None` where the submodule is not initialised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit that the index of the outer repository asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// What its own working tree holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum GitFault {
    /// No repository here or above.
    #[error("not in a git repository")]
    NoRepository,
    /// The repository at this path belongs to another user and is not in `safe.directory`.
    #[error(
        "the repository belongs to another user; allow it with `git config --global --add safe.directory {0}`"
    )]
    NotOwned(String),
    /// A repository is there but cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the repository that holds `start`, which the variables `GIT_DIR`, `GIT_WORK_TREE` and so on may name as they
/// do for git. History and working tree are read side by side; what takes longer than the limit is unknown.
pub fn inspect(start: &Path, options: &GitOptions) -> Result<GitReport, GitFault> {
    let deadline = Instant::now() + options.limit;
    let repo = open::repository(start)?;
    let mut report = refs::read(&repo, start);
    if options.depth == Depth::Refs {
        return Ok(report);
    }
    let second = open::repository(start)?;
    let branch = report.branch.clone();
    let history = spawn("probe-git-history", move || history::read(&second, branch.as_deref()));
    let work = (!repo.is_bare()).then(|| {
        let patch = options.patch;
        spawn("probe-git-work", move || work::read(&repo, patch, deadline))
    });
    if let Some(work) = work {
        match wait(work, deadline) {
            Ok(found) => {
                report.work = Some(found.work);
                report.submodules = found.submodules;
                report.unknown.extend(found.unknown);
            }
            Err(reason) => report.unknown.extend(work::FACTS.map(|fact| (fact.to_owned(), reason.clone()))),
        }
    }
    match wait(history, deadline) {
        Ok(found) => {
            report.upstream = found.upstream;
            (report.ahead, report.behind) = found.ahead_behind.unzip();
            report.describe = found.describe;
            report.unknown.extend(found.unknown);
        }
        Err(reason) => report.unknown.extend(history::FACTS.map(|fact| (fact.to_owned(), reason.clone()))),
    }
    if !options.patch {
        report.unknown.remove("patch");
    }
    Ok(report)
}

/// What a thread will say.
struct Reading<T> {
    answer: Receiver<T>,
    thread: JoinHandle<()>,
}

/// Runs `read` in a thread of its own: libgit2 cannot be interrupted, so past the deadline it is left to itself.
fn spawn<T: Send + 'static>(name: &str, read: impl FnOnce() -> T + Send + 'static) -> io::Result<Reading<T>> {
    let (send, answer) = mpsc::channel();
    let body = move || {
        let _late = send.send(read());
    };
    thread::Builder::new().name(name.to_owned()).spawn(body).map(|thread| Reading { answer, thread })
}

fn wait<T>(reading: io::Result<Reading<T>>, deadline: Instant) -> Result<T, String> {
    let Reading { answer, thread } = reading.map_err(|error| format!("could not start a thread: {error}"))?;
    answer.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|error| {
        if error == RecvTimeoutError::Disconnected
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
        TOO_LONG.to_owned()
    })
}

/// The reason for what the time did not suffice for.
const TOO_LONG: &str = "took too long (raise --timeout)";

/// libgit2's own words.
fn words(error: &git2::Error) -> String {
    error.message().trim().to_owned()
}
