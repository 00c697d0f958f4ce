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
        let mut options =
            GitOptions { depth: Depth::Refs, patch: cx.options.patch, limit: cx.options.timeout / 10 * 9 };
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
            home.and_then(|home| Some(format!("~/{}", Path::new(path).strip_prefix(home).ok()?.display())))
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
    for (fact, files) in [("hidden_files", &work.hidden), ("lfs_pointer_files", &work.lfs_pointers)] {
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
    set("initialised", Some((module.work.is_some() || module.fault.is_some()).into()));
    let Some(work) = &module.work else { return };
    if module.fault.is_none() || work.dirty() {
        set("dirty", Some(work.dirty().into()));
    }
    if module.fault.is_none() {
        set("untracked", Some(work.untracked.into()));
        set("lfs_pointers", Some(work.lfs_pointers.count).filter(|n| *n > 0).map(Value::from));
    }
    set("diff_digest", work.diff_digest.as_deref().map(Value::from));
    set("untracked_digest", work.untracked_digest.as_deref().map(Value::from));
}

/// A remote's address without credentials, and without the user's folders where it is a path.
fn remote(cx: &Context, url: &str) -> String {
    let path = Path::new(url);
    if path.is_absolute() { cx.labels.show(path) } else { DisplayUrl::new(url).to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::recorded::Recorded;
    use crate::probes::Options;
    use crate::probes::sink::Collected;

    const ID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn collect(recording: &str) -> Collected {
        let host = Recorded::parse(recording).unwrap();
        let (cx, out) = (Context::new(Arc::new(host), Options::default()), Sink::new("git"));
        let result = Git.collect(&cx, &out);
        out.snapshot(result.as_ref().err())
    }

    fn shown(collected: &Collected) -> Vec<String> {
        let facts = collected.facts.iter().map(|(path, value)| format!("{path} = {value}"));
        let unknown = collected.unknown.iter().map(|(path, reason)| format!("{path}: {reason}"));
        facts.chain(unknown).collect()
    }

    #[test]
    fn a_recorded_report_gives_its_facts_and_what_it_does_not_know() {
        let collected = collect(&format!(
            r#"
            cwd = "/home/u/p"
            [system]
            home = "/home/u"
            [git]
            commit = "{ID}"
            branch = "main"
            [git.remotes]
            "my.fork" = "https://user:secret@example.org/r.git"
            here = "/home/u/mirror.git"
            [git.work]
            unstaged = 1
            hidden = {{ count = 11, first = ["a.py"] }}
            [git.submodules."libs/k"]
            recorded = "{ID}"
            [git.unknown]
            staged = "odd"
            describe = "odder"
            "#
        ));
        let shown = shown(&collected);
        for expected in [
            &format!("git.commit = \"{ID}\""),
            "git.branch = \"main\"",
            "git.dirty = true",
            "git.unstaged = 1",
            "git.hidden_edits = 11",
            "git.hidden_files = [\"a.py\"]",
            "git.remotes.here = \"~/mirror.git\"",
            "git.remotes.\"my.fork\" = \"https://example.org/r.git\"",
            "git.submodules.\"libs/k\".initialised = false",
            "git.staged: odd",
            "git.describe: odder",
        ] {
            assert!(shown.iter().any(|line| line == expected), "{expected} in {shown:#?}");
        }
        assert!(!shown.iter().any(|line| line.starts_with("git.staged =")), "{shown:#?}");
    }

    #[test]
    fn a_repository_of_another_user_gives_its_references_and_the_remedy() {
        let collected = collect(&format!(
            r#"
            cwd = "/home/u/p/sub"
            git_fault = {{ fault = "not_owned", reason = "/home/u/p" }}
            [system]
            home = "/home/u"
            [files]
            "/home/u/p/.git" = "gitdir: ../main/.git/worktrees/p"
            "/home/u/main/.git/worktrees/p/HEAD" = "ref: refs/heads/dev"
            "/home/u/main/.git/worktrees/p/commondir" = "../.."
            "/home/u/main/.git/packed-refs" = "{ID} refs/heads/dev"
            "#
        ));
        let remedy = "the repository belongs to another user; allow it with `git config --global --add safe.directory ~/p`";
        let expected = [
            "git.branch = \"dev\"".to_owned(),
            format!("git.commit = \"{ID}\""),
            "git.detached = false".to_owned(),
            "git.vcs = \"git\"".to_owned(),
            format!("git: {remedy}"),
        ];
        assert_eq!(shown(&collected), expected);
    }

    #[test]
    fn a_report_survives_its_recording() {
        let report = GitReport {
            commit: Some(ID.to_owned()),
            work: Some(Work { staged: 2, diff_digest: Some("sha256:0".to_owned()), ..Work::default() }),
            submodules: [(
                "a/b".to_owned(),
                Submodule { fault: Some("x".to_owned()), ..Submodule::default() },
            )]
            .into(),
            unknown: [(String::new(), "y".to_owned())].into(),
            ..GitReport::default()
        };
        let host = Recorded { git: Some(report.clone()), ..Recorded::default() };
        let text = toml::to_string(&host).unwrap();
        assert_eq!(Recorded::parse(&text).unwrap().git, Some(report), "{text}");
    }
}
