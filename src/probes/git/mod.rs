//! The `git` section: which code this is. `docs/concepts/git-state.md` defines the digests.

mod mercurial;
mod refs;

use std::path::{Path, PathBuf};

use super::{Context, Probe, ProbeError, Sink};
use crate::host::git::{Depth, GitFault, GitOptions, GitReport, Submodule, Work};
use crate::redact::DisplayUrl;
use crate::snapshot::Value;

/// See the module.
pub struct Git;

impl Probe for Git {
    fn section(&self) -> &'static str {
        "git"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let cwd = cx.host.cwd();
        let kept = kept_in(cx, &cwd);
        if let Some(Kept::Mercurial(root)) = &kept {
            mercurial::collect(cx, root, out);
            return Ok(());
        }
        // A tenth of the time is left for what comes after, so that what was read by then is not lost.
        let mut options = GitOptions {
            depth: Depth::Refs,
            patch: cx.options.patch,
            limit: cx.options.timeout / 10 * 9,
        };
        match cx.host.git(&cwd, &options) {
            Ok(report) => record(cx, &report, out),
            Err(fault) => return broken(cx, kept.as_ref(), &fault, out),
        }
        options.depth = Depth::Full;
        match cx.host.git(&cwd, &options) {
            Ok(report) => record(cx, &report, out),
            Err(fault) => return Err(ProbeError::new(fault)),
        }
        Ok(())
    }
}

/// The innermost folder above the working directory that a version control system looks after.
enum Kept {
    Git(PathBuf),
    Mercurial(PathBuf),
}

fn kept_in(cx: &Context, cwd: &Path) -> Option<Kept> {
    if cx.host.env("GIT_DIR").is_some_and(|dir| !dir.is_empty()) {
        return None;
    }
    cwd.ancestors().find_map(|dir| match () {
        () if cx.host.exists(&dir.join(".git")) => Some(Kept::Git(dir.to_path_buf())),
        () if cx.host.exists(&dir.join(".hg")) => Some(Kept::Mercurial(dir.to_path_buf())),
        () => None,
    })
}

/// A repository that libgit2 does not open: what its references say, and the reason for the rest.
fn broken(cx: &Context, kept: Option<&Kept>, fault: &GitFault, out: &Sink) -> Result<(), ProbeError> {
    if *fault == GitFault::NoRepository {
        out.set("vcs", "none");
        return Ok(());
    }
    out.set("vcs", "git");
    if let Some(Kept::Git(root)) = kept {
        refs::collect(cx.host.as_ref(), root, out);
    }
    let home = cx.host.system().home;
    Err(ProbeError::new(match fault {
        // The remedy is to be typed as it stands, so only the home folder is shortened.
        GitFault::NotOwned(path) => GitFault::NotOwned(
            home.and_then(|home| {
                Some(format!(
                    "~/{}",
                    Path::new(path).strip_prefix(home).ok()?.display()
                ))
            })
            .unwrap_or_else(|| path.clone()),
        ),
        other => other.clone(),
    }))
}

/// Sets what the report holds, unless it is in [`GitReport::unknown`].
fn record(cx: &Context, report: &GitReport, out: &Sink) {
    let out = Known { report, out };
    out.set("vcs", Some("git"));
    out.set("commit", report.commit.as_deref());
    out.set("tree", report.tree.as_deref());
    out.set("branch", report.branch.as_deref());
    out.set("detached", Some(report.detached));
    out.set("unborn", Some(report.unborn));
    out.set("bare", Some(report.bare));
    out.set("shallow", Some(report.shallow));
    out.set("linked_worktree", Some(report.linked_worktree));
    out.set("sparse", Some(report.sparse));
    out.set("operation", report.operation.as_deref());
    out.set("prefix", report.prefix.as_deref());
    for (name, value) in &report.config {
        out.out.set_at(["config", name], value.as_str());
    }
    for (name, url) in &report.remotes {
        out.out.set_at(["remotes", name], remote(cx, url));
    }
    out.set("upstream", report.upstream.as_deref());
    out.set("ahead", report.ahead);
    out.set("behind", report.behind);
    out.set("describe", report.describe.as_deref());
    if let Some(work) = &report.work {
        working_tree(&out, work);
    }
    for (path, module) in &report.submodules {
        submodule(out.out, path, module);
    }
    for (path, reason) in &report.unknown {
        out.out.unknown(path, reason);
    }
}

/// A sink that keeps out what the report does not know.
struct Known<'a> {
    report: &'a GitReport,
    out: &'a Sink,
}

impl Known<'_> {
    fn set(&self, fact: &str, value: Option<impl Into<Value>>) {
        if !self.report.unknown.contains_key(fact) {
            self.out.set_opt(fact, value);
        }
    }
}

fn working_tree(out: &Known<'_>, work: &Work) {
    out.set("dirty", Some(work.dirty()));
    out.set("staged", Some(work.staged));
    out.set("unstaged", Some(work.unstaged));
    out.set("conflicted", Some(work.conflicted));
    out.set("untracked", Some(work.untracked));
    out.set("diff_digest", work.diff_digest.as_deref());
    out.set("untracked_digest", work.untracked_digest.as_deref());
    out.set("patch", work.patch.as_deref());
    out.set("hidden_edits", Some(work.hidden.count));
    out.set("hidden_digest", work.hidden.digest.as_deref());
    out.set("lfs_pointers", Some(work.lfs_pointers.count));
    for (fact, files) in [
        ("hidden_files", &work.hidden),
        ("lfs_pointer_files", &work.lfs_pointers),
    ] {
        out.set(fact, Some(files.first.clone()).filter(|first| !first.is_empty()));
    }
}

fn submodule(out: &Sink, path: &str, module: &Submodule) {
    let set = |fact: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.set_at(["submodules", path, fact], value);
        }
    };
    if let Some(fault) = &module.fault {
        out.unknown_at(["submodules", path], fault);
    }
    set("recorded", module.recorded.as_deref().map(Value::from));
    set("commit", module.commit.as_deref().map(Value::from));
    set(
        "initialised",
        Some((module.work.is_some() || module.fault.is_some()).into()),
    );
    let Some(work) = &module.work else { return };
    if module.fault.is_none() || work.dirty() {
        set("dirty", Some(work.dirty().into()));
    }
    if module.fault.is_none() {
        set("untracked", Some(work.untracked.into()));
        set(
            "lfs_pointers",
            Some(work.lfs_pointers.count).filter(|n| *n > 0).map(Value::from),
        );
    }
    set("diff_digest", work.diff_digest.as_deref().map(Value::from));
    set(
        "untracked_digest",
        work.untracked_digest.as_deref().map(Value::from),
    );
}

/// A remote's address without credentials, and without the user's folders where it is a path.
fn remote(cx: &Context, url: &str) -> String {
    let path = Path::new(url);
    if path.is_absolute() {
        cx.labels.show(path)
    } else {
        DisplayUrl::new(url).to_string()
    }
}
