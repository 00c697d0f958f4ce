//! What HEAD, the references and the configuration say: a few small files.

use std::path::Path;

use git2::{Config, ErrorCode, Repository, RepositoryState};

use super::{GitReport, words};

/// Settings that change the bytes of files between the repository and the working tree (git-config(1)), and those
/// that keep git-lfs from fetching (git-lfs-config(5)).
const SETTINGS: [&str; 5] =
    ["core.autocrlf", "core.eol", "core.symlinks", "lfs.fetchexclude", "lfs.fetchinclude"];

/// The part of the report that needs neither history nor working tree.
pub(super) fn read(repo: &Repository, start: &Path) -> GitReport {
    let mut report = GitReport {
        bare: repo.is_bare(),
        shallow: repo.is_shallow(),
        linked_worktree: repo.is_worktree(),
        operation: operation(repo.state()).map(str::to_owned),
        prefix: prefix(repo, start),
        ..GitReport::default()
    };
    head(repo, &mut report);
    match repo.config().and_then(|mut config| config.snapshot()) {
        Ok(config) => configuration(&config, &mut report),
        Err(error) => {
            report
                .unknown
                .extend(["config", "remotes", "sparse"].map(|fact| (fact.to_owned(), words(&error))));
        }
    }
    report
}

/// HEAD, its commit and that commit's tree. Each part that cannot be read leaves those before it.
fn head(repo: &Repository, report: &mut GitReport) {
    let mut unknown = |facts: &[&str], error: &git2::Error| {
        report.unknown.extend(facts.iter().map(|fact| ((*fact).to_owned(), words(error))));
    };
    let head = match repo.find_reference("HEAD") {
        Ok(head) => head,
        Err(error) => return unknown(&["branch", "detached", "unborn", "commit", "tree"], &error),
    };
    let target = head.symbolic_target_bytes().map(|name| String::from_utf8_lossy(name).into_owned());
    let branch = target.as_deref().map(|name| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned());
    let id = match head.resolve().map(|direct| direct.target()) {
        Ok(id) => id,
        Err(error) if error.code() == ErrorCode::NotFound && branch.is_some() => None,
        Err(error) => {
            unknown(&["unborn", "commit", "tree"], &error);
            report.detached = branch.is_none();
            report.branch = branch;
            return;
        }
    };
    if let Some(id) = id {
        match repo.find_commit(id) {
            Ok(commit) => report.tree = Some(commit.tree_id().to_string()),
            Err(error) => unknown(&["tree"], &error),
        }
    }
    report.unborn = id.is_none();
    report.commit = id.map(|id| id.to_string());
    report.detached = branch.is_none();
    report.branch = branch;
}

fn configuration(config: &Config, report: &mut GitReport) {
    report.sparse = config.get_bool("core.sparsecheckout").unwrap_or(false);
    report.config = SETTINGS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), config.get_string(name).ok()?)))
        .collect();
    // Not `Remote::url`: that applies `url.*.insteadOf`, which differs by user and often carries a token.
    let Ok(entries) = config.entries(Some(r"^remote\..*\.url$")) else {
        return;
    };
    let _broken_config_ends_the_list = entries.for_each(|entry| {
        let name = entry.name().ok().and_then(|name| name.strip_prefix("remote.")?.strip_suffix(".url"));
        if let (Some(name), Ok(url)) = (name, entry.value()) {
            report.remotes.entry(name.to_owned()).or_insert_with(|| url.to_owned());
        }
    });
}

fn operation(state: RepositoryState) -> Option<&'static str> {
    match state {
        RepositoryState::Clean => None,
        RepositoryState::Merge => Some("merge"),
        RepositoryState::Revert | RepositoryState::RevertSequence => Some("revert"),
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("cherry-pick"),
        RepositoryState::Bisect => Some("bisect"),
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            Some("rebase")
        }
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("am"),
    }
}

fn prefix(repo: &Repository, start: &Path) -> Option<String> {
    let (root, here) = (repo.workdir()?.canonicalize().ok()?, start.canonicalize().ok()?);
    let below = here.strip_prefix(root).ok()?;
    Some(below.to_string_lossy().into_owned()).filter(|below| !below.is_empty())
}
