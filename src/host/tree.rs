//! The digest of a file or a directory tree as plain data; the engine is in [`crate::data`].

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::Name;

/// How to read a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// Show progress on standard error (the caller has checked that it is a terminal).
    pub progress: bool,
}

/// What was given: a file or a folder, links followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TreeKind {
    /// A regular file: its digest is that of its content.
    #[default]
    File,
    /// A folder: its digest is that of its listing.
    Dir,
}

impl TreeKind {
    /// The kind as facts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
        }
    }
}

/// One file or folder tree. Every list is in the byte order of its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TreeReport {
    /// What it is.
    pub kind: TreeKind,
    /// `sha256:…`; docs/reference/data-digest.md says how to recompute it. `None` where [`Self::faults`] is not empty.
    pub digest: Option<String>,
    /// Of a file of arrays: `sha256:…` over its arrays, which does not depend on how they are packed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `sha256:…` of the names in the order in which the file system lists them, each followed by a NUL byte.
    pub listing_order: Option<String>,
    /// Folders below the root that hold nothing.
    pub empty_dirs: u64,
    /// The regular files that were read to their end.
    pub files: Vec<FileDigest>,
    /// The symbolic links, which are not followed.
    pub links: Vec<LinkTarget>,
    /// Pipes, sockets and devices, which are not read.
    pub special: Vec<SpecialFile>,
    /// What could not be read, and why.
    pub faults: Vec<Unread>,
}

/// A regular file of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// The path below the root; the path's last component where the root is the file.
    pub name: Name,
    /// Its length in bytes.
    pub len: u64,
    /// The SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
}

/// A symbolic link of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTarget {
    /// The path below the root.
    pub name: Name,
    /// Where it points, as written in it.
    pub target: Name,
}

/// A pipe, socket or device of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialFile {
    /// The path below the root.
    pub name: Name,
    /// `p`, `s`, `b` or `c`, as `find -printf %y` writes it.
    pub letter: char,
}

impl SpecialFile {
    /// What the letter stands for.
    pub fn kind(&self) -> &'static str {
        match self.letter {
            'p' => "pipe",
            's' => "socket",
            'b' => "block device",
            'c' => "character device",
            _ => "special file",
        }
    }
}

/// A path of a tree that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The path below the root; empty for the root.
    pub name: Name,
    /// Why.
    pub reason: String,
    /// Whether it is a folder, so that even the names below it are not known.
    pub dir: bool,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum TreeFault {
    /// No such path.
    #[error("no such file or directory")]
    NotFound,
    /// It could not be read at all.
    #[error("{0}")]
    Unreadable(String),
}

/// Digests the file or the tree at `path`. A part of it that cannot be read is among the report's faults.
pub fn inspect(path: &Path, options: &TreeOptions) -> Result<TreeReport, TreeFault> {
    crate::data::inspect(path, options)
}
