//! The files that git tracks.

use std::path::{Path, PathBuf};

use super::content::native;
use super::{GitFault, open, words};

/// The working tree's root, and the regular files of the index below `start`, relative to it, in order. Links and
/// submodules are left out: what they lead to is not tracked here.
///
/// # Errors
///
/// Where there is no repository, or it cannot be read.
pub fn tracked(start: &Path) -> Result<(PathBuf, Vec<PathBuf>), GitFault> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let repo = open::repository(start)?;
    let unreadable = |e: &git2::Error| GitFault::Unreadable(words(e));
    let root = repo.workdir().ok_or(GitFault::NoRepository)?.to_path_buf();
    let root = root.canonicalize().unwrap_or(root);
    let start = start.canonicalize().unwrap_or_else(|_| start.to_path_buf());
    let below = start.strip_prefix(&root).unwrap_or(Path::new("")).to_path_buf();
    let index = repo.index().map_err(|e| unreadable(&e))?;
    let mut out: Vec<PathBuf> = index
        .iter()
        .filter(|entry| entry.mode & KIND == REGULAR)
        .filter_map(|entry| native(&entry.path).strip_prefix(&below).map(Path::to_path_buf).ok())
        .collect();
    out.sort_unstable();
    // A conflict has an entry for each side.
    out.dedup();
    Ok((root, out))
}
