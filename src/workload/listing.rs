//! The names in a folder, in the order in which the system lists them.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::snapshot::digest::prefixed;

/// The digest of a folder's names, each followed by a NUL byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// In the order of `readdir(3)`, which is that of `os.listdir`.
    pub(super) in_order: String,
    /// Sorted as bytes: the same for two folders with the same names.
    pub(super) sorted: String,
}

/// Lists a folder; an error in the system's words, `None` where there is none.
pub(super) fn read(folder: &Path) -> Result<Option<Listing>, String> {
    let said = |error: std::io::Error| crate::error::reason(&error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(said)?.file_name());
    }
    let digest = |names: &[std::ffi::OsString]| {
        let mut hash = Sha256::new();
        for name in names {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        prefixed(&hash.finalize())
    };
    let in_order = digest(&names);
    names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    Ok(Some(Listing { in_order, sorted: digest(&names) }))
}
