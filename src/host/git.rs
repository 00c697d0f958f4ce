//! The state of a git repository as plain data, read with libgit2.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// What to read beyond the cheap facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitOptions {
    /// Keep the patch against HEAD itself, not only its digest.
    pub patch: bool,
}

/// One repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitReport {
    /// Commit id of HEAD in hexadecimal; `None` on an unborn branch.
    pub commit: Option<String>,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum GitFault {
    /// No repository here or above.
    #[error("not in a git repository")]
    NoRepository,
    /// The repository belongs to another user and is not in `safe.directory`.
    #[error("the repository belongs to another user; run `git config --global --add safe.directory {0}`")]
    NotOwned(String),
    /// A repository is there but cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the repository that holds `start`.
pub fn inspect(start: &Path, options: &GitOptions) -> Result<GitReport, GitFault> {
    let _ = (start, options);
    Err(GitFault::NoRepository)
}
