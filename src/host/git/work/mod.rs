//! What the index and the working tree hold beside HEAD: one pass over each.

mod cache_tree;
mod change;
mod marks;
mod quick;
mod silent;
mod submodules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use git2::{Delta, DiffOptions, ErrorCode, Index, Oid, Repository, Tree};

pub(super) use self::change::{Change, Changes};
use self::change::{Side, in_index, in_tree};
use self::marks::{Marks, assumes};
use super::content::{self, RepoPath, native};
use super::untracked::{self, is_ours};
use super::{Submodule, Work, patch, words};

/// The facts that [`read`] finds.
pub(super) const FACTS: [&str; 14] = [
    "dirty",
    "staged",
    "unstaged",
    "conflicted",
    "untracked",
    "diff_digest",
    "untracked_digest",
    "patch",
    "hidden_edits",
    "hidden_files",
    "hidden_digest",
    "lfs_pointers",
    "lfs_pointer_files",
    "submodules",
];

/// What was found, and what could not be.
#[derive(Default)]
pub(super) struct Found {
    pub(super) work: Work,
    pub(super) submodules: BTreeMap<String, Submodule>,
    pub(super) unknown: BTreeMap<String, String>,
}

impl Found {
    /// Notes why these facts are not known; the first reason stays.
    fn unknown(&mut self, facts: &[&str], reason: &str) {
        for fact in facts {
            self.unknown.entry((*fact).to_owned()).or_insert_with(|| reason.to_owned());
        }
    }
}

/// Reads the working tree of `repo`. What fails leaves the rest.
pub(super) fn read(repo: &Repository, patch: bool, deadline: Instant) -> Found {
    read_at(repo, patch, deadline, 0)
}

fn read_at(repo: &Repository, patch: bool, deadline: Instant, depth: usize) -> Found {
    let mut found = Found::default();
    let Some(root) = repo.workdir().map(Path::to_path_buf) else {
        return found;
    };
    let index = match repo.index() {
        Ok(index) => index,
        Err(error) => {
            found.unknown(&FACTS, &words(&error));
            return found;
        }
    };
    let marks = Marks::of(&index, repo);
    let mut pass = Pass { repo, root, index, marks, changes: Changes::new(), deadline, depth };
    let head = head_tree(repo);
    let tree = head.as_ref().ok().and_then(Option::as_ref);
    match head.as_ref().map_err(Clone::clone).and_then(|_| pass.staged(tree).map_err(|e| words(&e))) {
        Ok(count) => found.work.staged = count,
        Err(reason) => found.unknown(&["staged", "diff_digest", "patch"], &reason),
    }
    found.work.conflicted = pass.marks.conflicts.len() as u64;
    pass.unstaged(tree, &mut found);
    pass.submodules(&mut found);
    pass.changes.retain(|_, change| change.old != change.new);
    pass.hidden(&mut found);
    pass.lfs_pointers(&mut found);
    if !found.unknown.contains_key("diff_digest") {
        found.work.diff_digest = silent::digest(&pass.changes);
    }
    if patch && !pass.changes.is_empty() && !found.unknown.contains_key("patch") {
        match patch::text(repo, tree, &pass.changes, |path| pass.opaque(path)) {
            Ok(text) => found.work.patch = Some(text),
            Err(reason) => found.unknown(&["patch"], &reason),
        }
    }
    let doubt = found.unknown.get("staged").or_else(|| found.unknown.get("unstaged")).cloned();
    if let (false, Some(reason)) = (found.work.dirty(), doubt) {
        found.unknown(&["dirty"], &reason);
    }
    found
}

/// The tree of HEAD; `None` on an unborn branch.
fn head_tree(repo: &Repository) -> Result<Option<Tree<'_>>, String> {
    let tree = match repo.head() {
        Ok(head) => head.target().map(|id| repo.find_commit(id).and_then(|commit| commit.tree())).transpose(),
        Err(error) if error.code() == ErrorCode::UnbornBranch => Ok(None),
        Err(error) => Err(error),
    };
    tree.map_err(|error| words(&error))
}

/// One reading of one working tree.
struct Pass<'r> {
    repo: &'r Repository,
    root: PathBuf,
    index: Index,
    marks: Marks,
    /// HEAD against the working tree.
    changes: Changes,
    deadline: Instant,
    depth: usize,
}

impl Pass<'_> {
    fn path(&self, path: &[u8]) -> PathBuf {
        self.root.join(native(path))
    }

    /// HEAD against the index: how many entries differ.
    fn staged(&mut self, head: Option<&Tree<'_>>) -> Result<u64, git2::Error> {
        let mut options = DiffOptions::new();
        options.include_typechange(true).skip_binary_check(true);
        let as_committed = head.is_some_and(|tree| cache_tree::root(self.repo) == Some(tree.id()));
        let diff = if as_committed {
            None
        } else {
            Some(self.repo.diff_tree_to_index(head, Some(&self.index), Some(&mut options))?)
        };
        for delta in diff.iter().flat_map(git2::Diff::deltas) {
            let Some(path) = delta.old_file().path_bytes().or_else(|| delta.new_file().path_bytes()) else {
                continue;
            };
            if !self.marks.conflicts.contains(path) && !self.marks.intent_to_add.contains(path) {
                let change = Change { old: in_tree(head, path), new: in_index(&self.index, path) };
                self.changes.insert(path.to_vec(), change);
            }
        }
        // libgit2 passes over additions that are marked `assume-unchanged`, and knows nothing of announced files.
        let assumed = self.marks.flagged.values().filter(|entry| assumes(entry)).map(|entry| &entry.path);
        for path in assumed.chain(&self.marks.intent_to_add).cloned().collect::<Vec<_>>() {
            let announced = self.marks.intent_to_add.contains(&path);
            let new = if announced { None } else { in_index(&self.index, &path) };
            self.changes.insert(path.clone(), Change { old: in_tree(head, &path), new });
        }
        self.changes
            .retain(|path, change| change.old != change.new && !is_ours(&self.root.join(native(path))));
        Ok(self.changes.len() as u64)
    }

    /// The index against the working tree, untracked files included.
    fn unstaged(&mut self, head: Option<&Tree<'_>>, found: &mut Found) {
        let (mut changed, untracked) = match self.walk(found) {
            Ok(walked) => walked,
            Err(error) => {
                let facts = ["unstaged", "untracked", "untracked_digest", "diff_digest", "patch"];
                return found.unknown(&facts, &words(&error));
            }
        };
        if let Err(reason) = self.fill(&mut changed) {
            found.unknown(&["unstaged", "diff_digest", "patch"], &reason);
        }
        for (path, Change { old, new }) in changed {
            let conflict = self.marks.conflicts.contains(&path);
            if old == new && !conflict {
                continue;
            }
            found.work.unstaged += u64::from(!conflict);
            // The index has no version of its own of these.
            let apart = conflict || self.marks.intent_to_add.contains(&path);
            let old = if apart { in_tree(head, &path) } else { old };
            self.changes.entry(path).and_modify(|change| change.new = new).or_insert(Change { old, new });
        }
        let untracked = untracked::digest(&self.root, untracked, self.deadline);
        found.work.untracked = untracked.count;
        match untracked.digest {
            Ok(digest) => found.work.untracked_digest = digest,
            Err(reason) => found.unknown(&["untracked_digest"], &reason),
        }
    }

    /// Compares every file with its index entry: those that differ or may differ, with an id of zeros where the file
    /// was not hashed yet, and those that are not in the index.
    fn walk(&self, found: &mut Found) -> Result<(Changes, Vec<RepoPath>), git2::Error> {
        let mut options = DiffOptions::new();
        options.include_typechange(true).skip_binary_check(true).ignore_submodules(true);
        options.include_untracked(true).recurse_untracked_dirs(true).include_unreadable(true);
        let suspects = quick::suspects(self.repo, &self.root, &self.marks);
        let nothing = suspects.as_ref().is_some_and(Vec::is_empty);
        if let Some(suspects) = &suspects {
            options.disable_pathspec_match(true);
            for path in suspects {
                options.pathspec(native(path));
            }
        }
        let diff = if nothing {
            None
        } else {
            Some(self.repo.diff_index_to_workdir(Some(&self.index), Some(&mut options))?)
        };
        let (mut changed, mut untracked) = (Changes::new(), Vec::new());
        for delta in diff.iter().flat_map(git2::Diff::deltas) {
            let Some(path) = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()) else {
                continue;
            };
            match delta.status() {
                Delta::Untracked => untracked.push(path.to_vec()),
                Delta::Unreadable => {
                    let reason = format!("{}: cannot be read", String::from_utf8_lossy(path));
                    found.unknown(&["untracked", "untracked_digest"], &reason);
                }
                Delta::Modified | Delta::Typechange | Delta::Deleted
                    if !self.marks.links.contains_key(path) && !self.marks.flagged.contains_key(path) =>
                {
                    let old = in_index(&self.index, path);
                    // A folder that is a link now may lead to a file of that name; for git the file is gone.
                    let gone = delta.status() == Delta::Deleted;
                    let new = if gone { None } else { self.on_disk(path, old, delta.new_file().id()) };
                    changed.insert(path.to_vec(), Change { old, new });
                }
                _ => {}
            }
        }
        for path in self.marks.intent_to_add.iter().filter(|path| !self.marks.flagged.contains_key(*path)) {
            let new = self.on_disk(path, None, Oid::ZERO_SHA1);
            // Announced and gone is a deletion of what was announced.
            let old = if new.is_none() { in_index(&self.index, path) } else { None };
            changed.insert(path.clone(), Change { old, new });
        }
        for path in &self.marks.conflicts {
            changed.insert(path.clone(), Change { old: None, new: self.on_disk(path, None, Oid::ZERO_SHA1) });
        }
        for entry in self.marks.flagged.values().filter(|entry| self.marks.counts(entry)) {
            let old = Some((entry.mode, entry.id));
            let new = self.on_disk(&entry.path, old, Oid::ZERO_SHA1);
            if new.is_some() {
                changed.insert(entry.path.clone(), Change { old, new });
            }
        }
        changed.retain(|path, change| change.new.is_none() || !is_ours(&self.path(path)));
        Ok((changed, untracked))
    }

    /// What lies at `path`, if that is a file or a symbolic link, with the id as far as it is known.
    fn on_disk(&self, path: &[u8], before: Side, id: Oid) -> Side {
        let meta = fs::symlink_metadata(self.path(path)).ok().filter(|meta| !meta.is_dir())?;
        Some((self.marks.mode(&meta, before.map(|(mode, _)| mode)), id))
    }

    /// Replaces the ids of what is in the working tree by those that `git add` would give. A file of which that cannot
    /// be known is taken out, and the first such reason returned.
    fn fill(&self, changes: &mut Changes) -> Result<(), String> {
        let files = changes.iter().filter_map(|(path, change)| Some((path.clone(), change.new?))).collect();
        let ids = content::ids(self.repo, files, self.deadline).map_err(|e| words(&e))?;
        let mut outcome = Ok(());
        for (path, id) in ids {
            match (id, changes.get_mut(&path)) {
                (Ok(id), Some(Change { new: Some((_, new)), .. })) => *new = id,
                (Ok(_), _) => {}
                (Err(reason), _) => {
                    changes.remove(&path);
                    outcome = outcome.and(Err(reason));
                }
            }
        }
        outcome
    }

    /// Whether a patch shows this file by its ids alone.
    fn opaque(&self, path: &RepoPath) -> bool {
        const LARGE: u64 = 16 << 20;
        let size = fs::symlink_metadata(self.path(path)).map_or(0, |meta| meta.len());
        size > LARGE
            || self.marks.conflicts.contains(path)
            || content::is_lfs(self.repo, path).unwrap_or(true)
    }
}
