//! Files beside a dump that belong to it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How long such a file may be, in bytes.
const LONGEST: u64 = 64 << 20;
/// How many entries of a folder are looked at.
const MOST: usize = 10_000;

/// The text of a file, invalid UTF-8 replaced; `None` where there is no such file, or it is no plain or too long a
/// one.
pub(in crate::import) fn text(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LONGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether there is such a plain file.
pub(in crate::import) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is such a folder.
pub(in crate::import) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// The plain files below a folder, as deep as `depth`, by their paths relative to it, sorted. Links to folders are
/// not followed.
pub(in crate::import) fn below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).max_depth(depth).sort_by_file_name();
    walk.into_iter()
        .flatten()
        .take(MOST)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_path_buf))
        .collect()
}
