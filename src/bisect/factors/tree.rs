//! The program's text: commit and uncommitted patch.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository};
use serde::Serialize;

use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting};
use crate::host::git::{Depth, GitOptions};
use crate::snapshot::{FactPath, Looked, Snapshot};

/// A state of the tracked files: a commit, and a patch on top of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The commit; `None` is the files as they are here, now.
    pub commit: Option<String>,
    /// `git diff` in git's format.
    pub patch: Option<String>,
}

/// What both sides have in common of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The state before any factor is set.
    pub text: Text,
    /// The commits of A and B, where they are a factor: the range can be narrowed to one of them.
    pub range: Option<[String; 2]>,
}

struct State {
    commit: Option<String>,
    diff: Option<String>,
    patch: Option<String>,
}

fn state(snapshot: &Snapshot) -> State {
    let text = |name: &str| match snapshot.look(&FactPath::new(["git", name])) {
        Looked::Value(value) => Some(value.plain()),
        _ => None,
    };
    State { commit: text("commit"), diff: text("diff_digest"), patch: text("patch") }
}

/// Factors of the commit and of the patch.
pub(super) fn factors(maker: &mut Maker<'_>) -> Tree {
    let mut sides = [state(maker.a), state(maker.b)];
    let live = state(maker.live);
    let repo = Repository::discover(maker.host.cwd()).ok();
    let here = |commit: &str| repo.as_ref().is_some_and(|repo| find(repo, commit).is_some());
    let [Some(commit_a), Some(commit_b)] = [sides[0].commit.clone(), sides[1].commit.clone()] else {
        return Tree::default();
    };
    let is_live = |side: &State| side.commit == live.commit && side.diff == live.diff;
    // The patch of a side that is the working tree itself need not have been recorded.
    if sides.iter().any(|s| s.diff.is_some() && s.patch.is_none() && is_live(s)) {
        let patch = live_patch(maker);
        for side in &mut sides {
            if side.diff.is_some() && side.patch.is_none() && is_live(side) {
                side.patch.clone_from(&patch);
            }
        }
    }
    let mut tree = Tree::default();
    let paths: Vec<FactPath> = maker.changes().map(|c| c.path.clone()).collect();
    let path = |name: &str| FactPath::new(["git", name]);
    let differs = |name: &str| paths.contains(&path(name));
    let patch_ok = |side: &State| match (&side.diff, &side.patch, &side.commit) {
        (None, _, _) => true,
        (Some(_), Some(patch), Some(commit)) => {
            repo.as_ref().is_some_and(|repo| tree_of(repo, commit, Some(patch)).is_ok())
        }
        _ => false,
    };
    let texts_ok =
        sides.each_ref().map(|side| side.commit.as_ref().is_some_and(|c| here(c)) && patch_ok(side));
    if !differs("commit") && !differs("diff_digest") {
        if !is_live(&sides[0]) {
            if texts_ok[0] {
                tree.text = Text { commit: Some(commit_a), patch: sides[0].patch.clone() };
            } else {
                maker
                    .notes
                    .push("the files here are not those of A and B (another commit or patch)".to_owned());
            }
        }
        return tree;
    }
    if !texts_ok.iter().all(|ok| *ok) {
        for name in ["commit", "diff_digest"] {
            if differs(name) {
                let side = if texts_ok[0] { 1 } else { 0 };
                let commit = sides[side].commit.clone().unwrap_or_default();
                let short = commit.get(..12).unwrap_or(&commit).to_owned();
                let why = if here(&commit) {
                    "the uncommitted patch was not recorded whole: capture with --patch"
                } else {
                    &format!("the commit {short} is not in this repository: fetch it")
                };
                maker.uncontrolled(&path(name), why);
            }
        }
        return tree;
    }
    tree.text.commit = Some(commit_a.clone());
    let follows = ["tree", "branch", "describe", "dirty", "staged", "unstaged"];
    if differs("commit") {
        let mut facts = vec![path("commit")];
        facts.extend(follows.iter().map(|n| path(n)).filter(|p| paths.contains(p)));
        let (standing, finding) = standing(maker.explanation, &facts);
        maker.add(Factor {
            id: "git.commit".to_owned(),
            kind: Kind::Commit,
            facts,
            shown: [&commit_a, &commit_b].map(|c| c.get(..12).unwrap_or(c).to_owned()),
            how: "checked out into the copy".to_owned(),
            simulated: false,
            standing,
            finding,
            settings: [vec![Setting::Commit(commit_a.clone())], vec![Setting::Commit(commit_b.clone())]],
        });
        tree.range = Some([commit_a, commit_b]);
    }
    if differs("diff_digest") {
        let facts = vec![path("diff_digest")];
        let (standing, finding) = standing(maker.explanation, &facts);
        let shown = sides.each_ref().map(|side| match &side.diff {
            None => "nothing uncommitted".to_owned(),
            Some(digest) => format!("patch {}", digest.get(7..19).unwrap_or(digest)),
        });
        let [a, b] = sides.map(|side| vec![Setting::Patch(side.patch.filter(|_| side.diff.is_some()))]);
        maker.add(Factor {
            id: "git.patch".to_owned(),
            kind: Kind::Patch,
            facts,
            shown,
            how: "applied in the copy".to_owned(),
            simulated: false,
            standing,
            finding,
            settings: [a, b],
        });
    } else if let Some(patch) = &sides[0].patch {
        tree.text.patch = Some(patch.clone());
    }
    tree
}

fn live_patch(maker: &Maker<'_>) -> Option<String> {
    let options = GitOptions { depth: Depth::Full, patch: true, ..GitOptions::default() };
    maker.host.git(&maker.host.cwd(), &options).ok()?.work?.patch
}

fn find(repo: &Repository, commit: &str) -> Option<Oid> {
    let id = Oid::from_str(commit).ok()?;
    repo.find_commit(id).ok().map(|commit| commit.id())
}

/// The tree of a commit with a patch applied. New objects stay in memory: nothing is written into the repository.
///
/// # Errors
///
/// Where the commit is not there, or the patch does not apply to it.
fn tree_of(repo: &Repository, commit: &str, patch: Option<&str>) -> Result<Oid, String> {
    let words = |e: git2::Error| e.message().to_lowercase();
    let id = find(repo, commit).ok_or_else(|| format!("the commit {commit} is not in this repository"))?;
    let tree = repo.find_commit(id).and_then(|c| c.tree()).map_err(words)?;
    let Some(patch) = patch else {
        return Ok(tree.id());
    };
    let diff = git2::Diff::from_buffer(patch.as_bytes()).map_err(words)?;
    let mut index = repo.apply_to_tree(&tree, &diff, None).map_err(|e| {
        format!("the patch does not apply to {}: {}", &commit[..12.min(commit.len())], words(e))
    })?;
    index.write_tree_to(repo).map_err(words)
}

/// The repository at `root`, whose new objects are kept in memory alone.
fn open(root: &Path) -> Result<Repository, String> {
    let words = |e: git2::Error| e.message().to_lowercase();
    let repo = Repository::open(root).map_err(words)?;
    // Above every other backend, so that it takes what is written.
    repo.odb().and_then(|odb| odb.add_new_mempack_backend(1000).map(drop)).map_err(words)?;
    Ok(repo)
}

/// Writes the tracked files of a state into `into`, which must be empty of them. The repository is only read.
///
/// # Errors
///
/// Where the state cannot be had, in words; it is a property of the mixture and not of the machine.
pub fn check_out(root: &Path, text: &Text, into: &Path) -> Result<(), String> {
    let Some(commit) = &text.commit else {
        return Ok(());
    };
    let repo = open(root)?;
    let id = tree_of(&repo, commit, text.patch.as_deref())?;
    let words = |e: git2::Error| e.message().to_lowercase();
    let tree = repo.find_tree(id).map_err(words)?;
    let mut how = git2::build::CheckoutBuilder::new();
    how.force().target_dir(into).update_index(false).refresh(false).recreate_missing(true);
    repo.checkout_tree(tree.as_object(), Some(&mut how)).map_err(words)
}

/// The files that are tracked here, relative to the project's root.
pub fn tracked(root: &Path) -> Vec<PathBuf> {
    let Ok(repo) = Repository::open(root) else { return Vec::new() };
    let Ok(index) = repo.index() else { return Vec::new() };
    use std::os::unix::ffi::OsStringExt as _;
    index.iter().map(|entry| PathBuf::from(std::ffi::OsString::from_vec(entry.path))).collect()
}

/// The commits from `from` (not with it) to `to`, oldest first, where one descends from the other: along first parents
/// where that leads there, else all between, parents before children. The second value says that `to` is the older
/// one, so that the list runs from `to` to `from`.
pub fn path_between(root: &Path, from: &str, to: &str) -> Option<(Vec<String>, bool)> {
    let repo = Repository::open(root).ok()?;
    let (from, to) = (find(&repo, from)?, find(&repo, to)?);
    if repo.graph_descendant_of(to, from).ok()? {
        return Some((walk(&repo, from, to)?, false));
    }
    if repo.graph_descendant_of(from, to).ok()? {
        return Some((walk(&repo, to, from)?, true));
    }
    None
}

/// The most commits that are listed.
const COMMITS: usize = 100_000;

fn walk(repo: &Repository, old: Oid, new: Oid) -> Option<Vec<String>> {
    let mut line = Vec::new();
    let mut at = new;
    while at != old && line.len() < COMMITS {
        line.push(at.to_string());
        match repo.find_commit(at).ok()?.parent_id(0) {
            Ok(parent) => at = parent,
            Err(_) => break,
        }
    }
    if at == old {
        line.reverse();
        return Some(line);
    }
    let mut walk = repo.revwalk().ok()?;
    walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).ok()?;
    walk.push(new).ok()?;
    walk.hide(old).ok()?;
    walk.take(COMMITS).map(|id| id.ok().map(|id| id.to_string())).collect()
}

/// The first line of a commit's message.
pub fn summary(root: &Path, commit: &str) -> Option<String> {
    let repo = Repository::open(root).ok()?;
    let commit = repo.find_commit(find(&repo, commit)?).ok()?;
    commit.summary_bytes().map(|text| String::from_utf8_lossy(text).into_owned())
}
