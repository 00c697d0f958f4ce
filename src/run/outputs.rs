//! Which files `--output` means: those that the command wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::probes::env::glob;

/// A file that matches an `--output`, after the command's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its absolute path.
    pub path: PathBuf,
    /// The `--output` that it matches, as given.
    pub pattern: String,
    /// Whether it is new or was changed during the run.
    pub changed: bool,
}

/// What tells that a file was written: its inode, size, and times of change.
type Mark = (u64, u64, i64, i64, i64, i64);

/// The most files that one `--output` may mean.
const FILES: usize = 100_000;

/// The files that were there before the start.
#[derive(Debug, Default)]
pub struct Before {
    cwd: PathBuf,
    patterns: Vec<String>,
    marks: BTreeMap<PathBuf, Mark>,
}

impl Before {
    /// Looks at what matches before the command starts.
    pub fn look(cwd: &Path, patterns: &[String]) -> Self {
        let mut marks = BTreeMap::new();
        for pattern in patterns {
            for path in expand(cwd, pattern) {
                if let Ok(meta) = fs::metadata(&path) {
                    marks.insert(path, mark(&meta));
                }
            }
        }
        Self { cwd: cwd.to_path_buf(), patterns: patterns.to_vec(), marks }
    }

    /// Every file that matches now, in the order of the patterns and then of the paths, each once; and the patterns that
    /// nothing matches.
    pub fn compare(&self) -> (Vec<Written>, Vec<String>) {
        let (mut written, mut missing) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for pattern in &self.patterns {
            let found = expand(&self.cwd, pattern);
            if found.is_empty() {
                missing.push(pattern.clone());
            }
            for path in found {
                if !seen.insert(path.clone()) {
                    continue;
                }
                let now = fs::metadata(&path).ok().map(|meta| mark(&meta));
                let changed = now.as_ref() != self.marks.get(&path);
                written.push(Written { path, pattern: pattern.clone(), changed });
            }
        }
        (written, missing)
    }
}

fn mark(meta: &Metadata) -> Mark {
    (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec())
}

/// The files that a pattern means: the path itself where it is there, whatever signs its name holds; else what the glob
/// matches. `*`, `?` and `[…]` match within one name, and a name that begins with a dot only behind one, as in a
/// shell; `**` is any number of folders. A folder means every file in it.
pub fn expand(cwd: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let literal = cwd.join(pattern);
    if fs::symlink_metadata(&literal).is_ok() {
        below(&literal, true, &mut found);
    } else {
        let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
        walk(cwd.to_path_buf(), &parts, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn walk(at: PathBuf, parts: &[Component<'_>], found: &mut Vec<PathBuf>) {
    if found.len() >= FILES {
        return;
    }
    let Some((first, rest)) = parts.split_first() else {
        below(&at, true, found);
        return;
    };
    let Component::Normal(name) = first else {
        walk(at.join(first), rest, found);
        return;
    };
    let name = name.to_string_lossy();
    if name == "**" {
        walk(at.clone(), rest, found);
        for (folder, is_folder) in entries(&at) {
            let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if is_folder && !hidden {
                walk(folder, parts, found);
            }
        }
        return;
    }
    if !name.contains(['*', '?', '[']) {
        let next = at.join(name.as_ref());
        if fs::symlink_metadata(&next).is_ok() {
            walk(next, rest, found);
        }
        return;
    }
    for (path, _) in entries(&at) {
        let entry = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hidden = entry.starts_with('.') && !name.starts_with('.');
        if !hidden && glob::matches(&name, &entry) {
            walk(path, rest, found);
        }
    }
}

/// A file, or every file in a folder. A link to a folder is followed where it was named, and not below.
fn below(path: &Path, named: bool, found: &mut Vec<PathBuf>) {
    if found.len() >= FILES {
        return;
    }
    let meta = if named { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let is_folder = meta.is_ok_and(|meta| meta.is_dir());
    if is_folder {
        for (entry, _) in entries(path) {
            below(&entry, false, found);
        }
    } else if fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
        found.push(path.to_path_buf());
    }
}

/// What is in a folder, and whether it is a folder itself (a link is none).
fn entries(folder: &Path) -> Vec<(PathBuf, bool)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> =
        entries.map(|entry| (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir()))).collect();
    entries.sort();
    entries
}
