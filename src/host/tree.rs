//! The digest of a file or a directory tree as plain data; the engine is in [`crate::data`].

use std::path::Path;

use serde::{Deserialize, Serialize};

/// How to read a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// Show progress on standard error (the caller has checked that it is a terminal).
    pub progress: bool,
}

/// One tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TreeReport {
    /// `sha256:…` of the tree; docs/reference/data-digest.md says how to recompute it.
    pub digest: String,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum TreeFault {
    /// No such path.
    #[error("no such file or directory")]
    NotFound,
    /// It could not be read to its end.
    #[error("{0}")]
    Unreadable(String),
}

/// Digests the tree at `path`.
pub fn inspect(path: &Path, options: &TreeOptions) -> Result<TreeReport, TreeFault> {
    let _ = (path, options);
    Err(TreeFault::NotFound)
}
