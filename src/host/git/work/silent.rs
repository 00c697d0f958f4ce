//! What `git status` is silent about: edits under `assume-unchanged` and `skip-worktree`, and LFS pointers.

use std::collections::BTreeMap;
use std::fs;

use git2::Oid;

use super::change::{Change, Changes, raw};
use super::marks::{same_stat, skips};
use super::{Found, Pass};
use crate::host::git::content::{self, RepoPath};
use crate::host::git::{Files, lfs, words};
use crate::snapshot::digest::sha256;

impl Pass<'_> {
    /// Edits of files that git is told not to look at.
    pub(super) fn hidden(&self, found: &mut Found) {
        let mut edits = BTreeMap::new();
        for entry in self.marks.flagged.values().filter(|entry| !self.marks.counts(entry)) {
            let old = Some((entry.mode, entry.id));
            let new = match fs::symlink_metadata(self.path(&entry.path)) {
                Err(_) if skips(entry) => continue,
                Err(_) => None,
                Ok(meta) if same_stat(entry, &meta) => continue,
                Ok(meta) => Some((self.marks.mode(&meta, Some(entry.mode)), Oid::ZERO_SHA1)),
            };
            edits.insert(entry.path.clone(), Change { old, new });
        }
        if let Err(reason) = self.fill(&mut edits) {
            found.unknown(&["hidden_edits", "hidden_files", "hidden_digest"], &reason);
        }
        edits.retain(|_, change| change.old != change.new);
        found.work.hidden = Files { digest: digest(&edits), ..files(edits.keys()) };
    }

    /// Files under LFS whose data was not fetched.
    pub(super) fn lfs_pointers(&self, found: &mut Found) {
        if !self.marks.lfs {
            return;
        }
        let mut pointers = Vec::new();
        // A pointer in the working tree is what the index remembers, so its size tells most files apart unread.
        for entry in self.index.iter().filter(|entry| u64::from(entry.file_size) < lfs::POINTER_LIMIT) {
            match content::is_lfs(self.repo, &entry.path) {
                Ok(true) if lfs::holds_pointer(&self.path(&entry.path)).unwrap_or(false) => {
                    pointers.push(entry.path)
                }
                Ok(_) => {}
                Err(error) => return found.unknown(&["lfs_pointers", "lfs_pointer_files"], &words(&error)),
            }
        }
        found.work.lfs_pointers = files(pointers.iter());
    }
}

/// `sha256:…` of the changes; `None` where there is none.
pub(super) fn digest(changes: &Changes) -> Option<String> {
    (!changes.is_empty()).then(|| sha256(&raw(changes)))
}

fn files<'a>(paths: impl Iterator<Item = &'a RepoPath>) -> Files {
    let paths: Vec<String> = paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    Files { count: paths.len() as u64, first: paths.into_iter().take(Files::SHOWN).collect(), digest: None }
}
