//! Finding and opening a repository as git would.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Once;

use git2::{ErrorCode, Repository, RepositoryOpenFlags};

use super::{GitFault, words};

/// Opens the repository that git would use in `start`.
///
/// libgit2 differs from git in three points that are mended here: it takes `GIT_DIR` only without a starting path, it
/// resolves a relative `GIT_WORK_TREE` against the repository instead of the working directory, and with `GIT_DIR`
/// alone it does not take the working directory as the working tree (git(1), `GIT_DIR` and `GIT_WORK_TREE`).
pub(super) fn repository(start: &Path) -> Result<Repository, GitFault> {
    accept_extensions();
    let (git_dir, work_tree) = (variable("GIT_DIR"), variable("GIT_WORK_TREE").map(PathBuf::from));
    let relative_tree = work_tree.as_ref().is_some_and(|tree| tree.is_relative());
    let opened = match &git_dir {
        Some(dir) if relative_tree => Repository::open(start.join(dir)),
        Some(_) => Repository::open_from_env(),
        None => {
            let flags =
                if relative_tree { RepositoryOpenFlags::empty() } else { RepositoryOpenFlags::FROM_ENV };
            let ceilings = variable("GIT_CEILING_DIRECTORIES").unwrap_or_default();
            Repository::open_ext(start, flags, env::split_paths(&ceilings))
        }
    };
    let repo = opened.map_err(|error| fault(&error, start))?;
    let tree = match work_tree {
        Some(tree) => Some(start.join(tree)),
        None if git_dir.is_some() && !repo.is_bare() && !has_work_tree(&repo) => Some(start.to_path_buf()),
        None => None,
    };
    if let Some(tree) = tree {
        repo.set_workdir(&tree, false).map_err(|error| GitFault::Unreadable(words(&error)))?;
    }
    Ok(repo)
}

/// Whether the repository itself says where its working tree is.
fn has_work_tree(repo: &Repository) -> bool {
    repo.is_worktree() || repo.config().is_ok_and(|config| config.get_path("core.worktree").is_ok())
}

fn fault(error: &git2::Error, start: &Path) -> GitFault {
    let root = start.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    match (error.code(), root) {
        (ErrorCode::NotFound, None) if variable("GIT_DIR").is_none() => GitFault::NoRepository,
        (ErrorCode::Owner, _) => GitFault::NotOwned(root.unwrap_or(start).display().to_string()),
        _ => GitFault::Unreadable(words(error)),
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Lets libgit2 open partial clones (`git clone --filter`), of which it reads what is there; an object that was never
/// fetched is an error of its own, and so an unknown fact.
fn accept_extensions() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // git itself hashes no object that it reads (git-fsck(1) does); a damaged one fails to inflate or to parse.
        git2::opts::strict_hash_verification(false);
        #[expect(unsafe_code, reason = "git2 marks every change of libgit2's global options unsafe")]
        // SAFETY: the list is a global of libgit2 without a lock. `Once` makes this the only write, and every path to
        // libgit2 in this crate goes through here first.
        let _without_it_they_are_refused = unsafe { git2::opts::set_extensions(&["partialclone"]) };
    });
}
