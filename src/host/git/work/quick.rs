//! The paths at which a working tree may differ from its index, found by every core at once.
//!
//! libgit2 decides what has changed, what is untracked and what is ignored; but it looks at one file after the other.
//! Here each folder is listed and each file's stat data is compared with what the index remembers. A file of which all
//! of it agrees, and which is older than the index (git-update-index(1), "racy git"), is unchanged for git and libgit2
//! as well; everything else is left to libgit2, which then looks at these paths alone.

use std::fs;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use git2::Repository;

use super::change::canonical;
use super::marks::Marks;
use crate::host::git::content::{RepoPath, native};

/// With more paths than this to look at, libgit2's own walk over everything is no slower.
const LIMIT: usize = 1000;

/// What the index remembers of a file.
pub(super) struct Remembered {
    pub(super) path: RepoPath,
    pub(super) mode: u32,
    pub(super) size: u32,
    pub(super) mtime: (i32, u32),
    pub(super) ctime: (i32, u32),
    pub(super) ino: u32,
    pub(super) owner: (u32, u32),
}

impl Remembered {
    /// The path without its first `from` bytes.
    fn tail(&self, from: usize) -> &[u8] {
        self.path.get(from..).unwrap_or_default()
    }
}

struct Scan<'s> {
    root: &'s Path,
    /// Sorted by path, as the index is.
    entries: &'s [Remembered],
    seen: Vec<AtomicBool>,
    /// When the index was written.
    written: (i64, i64),
    suspects: Mutex<Vec<RepoPath>>,
    count: AtomicUsize,
}

/// The paths to look at; `None` where everything must be.
pub(super) fn suspects(repo: &Repository, root: &Path, marks: &Marks) -> Option<Vec<RepoPath>> {
    let config = repo.config().ok()?;
    // Names that differ in case alone are one file there, and libgit2 knows how.
    let folded = |name| config.get_bool(name).unwrap_or(false);
    if cfg!(not(target_os = "linux")) || folded("core.ignorecase") {
        return None;
    }
    let written = fs::metadata(super::cache_tree::index_file(repo)).ok()?;
    let entries = &marks.files;
    if !entries.is_sorted_by(|x, y| x.path < y.path) {
        return None;
    }
    let scan = Scan {
        root,
        entries,
        seen: entries.iter().map(|_| AtomicBool::new(false)).collect(),
        written: (written.mtime(), written.mtime_nsec()),
        suspects: Mutex::new(Vec::new()),
        count: AtomicUsize::new(0),
    };
    rayon::scope(|scope| scan.folder(scope, Vec::new(), 0..entries.len(), marks));
    if scan.count.load(Ordering::Relaxed) > LIMIT {
        return None;
    }
    let mut suspects = scan.suspects.into_inner().ok()?;
    for (entry, seen) in entries.iter().zip(&scan.seen) {
        if !seen.load(Ordering::Relaxed) {
            suspects.push(entry.path.clone());
        }
    }
    suspects.sort();
    suspects.dedup();
    (suspects.len() <= LIMIT).then_some(suspects)
}

impl Scan<'_> {
    fn suspect(&self, path: RepoPath) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut suspects) = self.suspects.lock() {
            suspects.push(path);
        }
    }

    /// Looks at the folder `prefix` (with its slash; empty for the root), whose entries are those at `range`, and,
    /// beside it, at the folders below.
    fn folder<'s>(
        &'s self,
        scope: &rayon::Scope<'s>,
        prefix: RepoPath,
        range: Range<usize>,
        marks: &'s Marks,
    ) {
        if self.count.load(Ordering::Relaxed) > LIMIT {
            return;
        }
        let listed = fs::read_dir(self.root.join(native(&prefix)));
        let Ok(listed) = listed else {
            return self.suspect(prefix.strip_suffix(b"/").unwrap_or(&prefix).to_vec());
        };
        let start = range.start;
        let here = &self.entries[range];
        let from = prefix.len();
        for item in listed {
            let Ok(item) = item else {
                return self.suspect(prefix.strip_suffix(b"/").unwrap_or(&prefix).to_vec());
            };
            let name = item.file_name();
            let name = name.as_bytes();
            if name == b".git" && prefix.is_empty() {
                continue;
            }
            if let Ok(at) = here.binary_search_by(|e| e.tail(from).cmp(name)) {
                self.seen[start + at].store(true, Ordering::Relaxed);
                if !item.metadata().is_ok_and(|meta| self.unchanged(&here[at], &meta)) {
                    self.suspect([&prefix, name].concat());
                }
                continue;
            }
            let path = [&prefix, name].concat();
            if marks.apart.contains(&path) {
                continue;
            }
            let below = [name, b"/"].concat();
            let first = here.partition_point(|e| e.tail(from) < below.as_slice());
            let count = here[first..].partition_point(|e| e.tail(from).starts_with(&below));
            if count > 0 && item.file_type().is_ok_and(|kind| kind.is_dir()) {
                let range = start + first..start + first + count;
                scope.spawn(move |scope| self.folder(scope, [&path[..], b"/"].concat(), range, marks));
            } else {
                self.suspect(path);
            }
        }
    }

    /// Whether all that the index remembers still holds, and the file was not written in the same moment as the index.
    fn unchanged(&self, entry: &Remembered, meta: &fs::Metadata) -> bool {
        let time = |(seconds, nanos): (i32, u32)| (i64::from(seconds), i64::from(nanos));
        // The index keeps the low 32 bits of these.
        #[expect(clippy::cast_possible_truncation, reason = "as the index does")]
        let (size, ino) = (meta.len() as u32, meta.ino() as u32);
        entry.mode == canonical(meta.mode())
            && entry.size == size
            && entry.ino == ino
            && entry.owner == (meta.uid(), meta.gid())
            && time(entry.mtime) == (meta.mtime(), meta.mtime_nsec())
            && time(entry.ctime) == (meta.ctime(), meta.ctime_nsec())
            && time(entry.mtime) < self.written
    }
}
