//! The folder that a probe runs in: a copy of the project, made new for every probe, always at the same path.
//!
//! Why a copy and not the project: a command writes (outputs, logs, caches, bytecode), and what one probe wrote must
//! neither reach the next one nor the user's files. Why not `git worktree`: it writes into the user's repository, and
//! leaves out what is not committed and what is ignored, which programs read.
//!
//! Copied are all files of the project (the repository that holds the working directory, else the working directory),
//! with these exceptions: version control, bytecode, virtual environments (they are used where they are), what matches
//! an `--output`, and the cache itself. A file above [`LINKED`] bytes is linked. A command that overwrites such a file
//! in place reaches the user's: [`Marks`] tell, and it is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::cache::Fault;
use super::factors::tree::{self, Text};
use crate::error::Error;
use crate::host::Host;
use crate::run::outputs::expand;

/// Bytes above which a file is linked and not copied.
pub const LINKED: u64 = 64 << 20;
/// Bytes that are copied for a probe at most.
const COPIED: u64 = 4 << 30;
/// Files of a project at most.
const FILES: usize = 200_000;

/// Folders that are never part of the copy.
const LEFT_OUT: [&str; 9] = [
    ".git",
    ".hg",
    ".svn",
    "__pycache__",
    "node_modules",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
];

/// The project: the repository that holds the working directory, else the working directory.
pub fn project(host: &dyn Host) -> PathBuf {
    let cwd = host.cwd();
    cwd.ancestors().find(|dir| host.exists(&dir.join(".git"))).unwrap_or(&cwd).to_path_buf()
}

/// What is in the project.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its root.
    pub root: PathBuf,
    /// The working directory, relative to it.
    pub below: PathBuf,
    /// Folders, relative to the root, parents first.
    dirs: Vec<PathBuf>,
    /// Files with their lengths.
    files: BTreeMap<PathBuf, u64>,
    /// Links and where they lead.
    links: BTreeMap<PathBuf, PathBuf>,
    /// What is tracked by git.
    tracked: BTreeSet<PathBuf>,
    /// What is there of the outputs: each probe writes its own.
    written: BTreeSet<PathBuf>,
}

impl Project {
    /// Lists the project.
    ///
    /// # Errors
    ///
    /// Where it is too large to be copied for every probe.
    pub fn list(host: &dyn Host, outputs: &[String], cache: &Path) -> Result<Self, Error> {
        let root = project(host);
        let cwd = host.cwd();
        let mut out = Self {
            below: cwd.strip_prefix(&root).unwrap_or(Path::new("")).to_path_buf(),
            tracked: tree::tracked(&root).into_iter().collect(),
            ..Self::default()
        };
        let cache = fs::canonicalize(cache).unwrap_or_else(|_| cache.to_path_buf());
        let written: BTreeSet<PathBuf> = outputs.iter().flat_map(|pattern| expand(&cwd, pattern)).collect();
        let wanted = |entry: &walkdir::DirEntry| {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy();
            let dir = entry.file_type().is_dir();
            let venv = dir
                && entry.depth() > 0
                && (path.join("pyvenv.cfg").exists() || path.join("conda-meta").exists());
            !(venv || path == cache || (dir && entry.depth() > 0 && LEFT_OUT.contains(&name.as_ref())))
                // The file that leads from a worktree or a submodule to the repository.
                && name != ".git"
                && !written.contains(path)
        };
        let mut bytes = 0_u64;
        for entry in WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(wanted) {
            // What cannot be read is not there for the copy; the command will say so.
            let Ok(entry) = entry else { continue };
            let Ok(below) = entry.path().strip_prefix(&root).map(Path::to_path_buf) else { continue };
            let kind = entry.file_type();
            if kind.is_dir() {
                if entry.depth() > 0 {
                    out.dirs.push(below);
                }
            } else if kind.is_symlink() {
                if let Ok(target) = fs::read_link(entry.path()) {
                    out.links.insert(below, target);
                }
            } else if kind.is_file() {
                let length = entry.metadata().map_or(0, |meta| meta.len());
                bytes += if length > LINKED { 0 } else { length };
                out.files.insert(below, length);
            }
            if bytes > COPIED || out.files.len() + out.links.len() > FILES {
                let shown = root.display();
                return Err(Error::input(format!(
                    "`{shown}` is too large to be copied for every probe (more than {} GiB in files below {} MiB, or {FILES} files)",
                    COPIED >> 30,
                    LINKED >> 20
                ))
                .hint("run bisect in a folder that holds the program alone, and name data by absolute paths outside it"));
            }
        }
        out.root = root;
        out.written = written;
        Ok(out)
    }

    /// A digest over the names and contents of all files; of linked ones over their length and time of change.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &[u8]| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        use std::os::unix::ffi::OsStrExt as _;
        for (path, length) in &self.files {
            add(path.as_os_str().as_bytes());
            let full = self.root.join(path);
            if *length > LINKED {
                let time = fs::metadata(&full).map_or((0, 0), |m| (m.mtime(), m.mtime_nsec()));
                add(format!("{length} {time:?}").as_bytes());
                continue;
            }
            match fs::read(&full) {
                Ok(bytes) => add(&Sha256::digest(&bytes)),
                Err(_) => add(b"unreadable"),
            }
        }
        for (path, target) in &self.links {
            add(path.as_os_str().as_bytes());
            add(target.as_os_str().as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Makes the copy at `at`, which may hold an old one.
    ///
    /// # Errors
    ///
    /// A full disk and the like; a state of the text that cannot be had as [`Fault::Mixture`].
    pub fn make(&self, at: &Path, text: &Text) -> Result<(), Fault> {
        let disk = |e: io::Error| Fault::disk(at, &e);
        if fs::symlink_metadata(at).is_ok() {
            remove(at).map_err(disk)?;
        }
        fs::create_dir_all(at.join(&self.below)).map_err(disk)?;
        let apart = |path: &Path| text.commit.is_some() && self.tracked.contains(path);
        for dir in &self.dirs {
            // With another commit a folder is there only where that one or something untracked has it.
            let holds =
                || self.files.keys().chain(self.links.keys()).any(|f| f.starts_with(dir) && !apart(f));
            if text.commit.is_none() || holds() {
                fs::create_dir_all(at.join(dir)).map_err(disk)?;
            }
        }
        for (path, length) in self.files.iter().filter(|(path, _)| !apart(path)) {
            let (from, to) = (self.root.join(path), at.join(path));
            if *length > LINKED {
                symlink(&from, &to).map_err(disk)?;
                continue;
            }
            match fs::copy(&from, &to) {
                Ok(_) => {}
                // Not ours to read: not there, for the command either.
                Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound) => {}
                Err(e) => return Err(disk(e)),
            }
        }
        for (path, target) in self.links.iter().filter(|(path, _)| !apart(path)) {
            let to = at.join(path);
            // Into the project: into the copy.
            match target.strip_prefix(&self.root) {
                Ok(below) => symlink(at.join(below), &to),
                Err(_) => symlink(target, &to),
            }
            .map_err(disk)?;
        }
        tree::check_out(&self.root, text, at).map_err(Fault::Mixture)
    }

    /// A path of the project in its copy; any other path as it is.
    pub fn moved(&self, path: &Path, copy: &Path) -> PathBuf {
        path.strip_prefix(&self.root).map_or_else(|_| path.to_path_buf(), |below| copy.join(below))
    }

    /// Whether a path of the project is there and has no copy: an environment, version control.
    pub fn left_out(&self, path: &Path) -> bool {
        path.starts_with(&self.root) && path.exists() && !self.copies(path) && !self.written.contains(path)
    }

    /// Whether a path is in the copy.
    pub fn copies(&self, path: &Path) -> bool {
        path.strip_prefix(&self.root).is_ok_and(|below| {
            below.as_os_str().is_empty()
                || self.files.contains_key(below)
                || self.links.contains_key(below)
                || self.dirs.iter().any(|d| d == below)
        })
    }
}

/// Removes a copy, also where the command took permissions away.
pub fn remove(at: &Path) -> io::Result<()> {
    match fs::remove_dir_all(at) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            use std::os::unix::fs::PermissionsExt as _;
            for entry in WalkDir::new(at).into_iter().flatten().filter(|e| e.file_type().is_dir()) {
                let _tried = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
            }
            fs::remove_dir_all(at)
        }
        Err(e) => Err(e),
    }
}

/// What tells that a file was changed: inode, length, times.
type Mark = (u64, u64, i64, i64, i64, i64);

/// The state of all files below some folders, cheap to take.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<PathBuf, Mark>);

impl Marks {
    /// Looks at every file below `roots`, links not followed; `but` is left out.
    pub fn look(roots: &[PathBuf], but: &Path) -> Self {
        let mut marks = BTreeMap::new();
        for root in roots {
            let walk = WalkDir::new(root).into_iter().filter_entry(|e| e.path() != but);
            for entry in walk.flatten() {
                if let Ok(m) = fs::symlink_metadata(entry.path()) {
                    // A folder's times change with what is in it, which counts itself.
                    let mark = if m.is_dir() {
                        (m.ino(), 0, 0, 0, 0, 0)
                    } else {
                        (m.ino(), m.len(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec())
                    };
                    marks.insert(entry.into_path(), mark);
                }
            }
        }
        Self(marks)
    }

    /// What is not as it was, in order.
    pub fn changed(&self, now: &Self) -> Vec<PathBuf> {
        let all: BTreeSet<&PathBuf> = self.0.keys().chain(now.0.keys()).collect();
        all.into_iter().filter(|path| self.0.get(*path) != now.0.get(*path)).cloned().collect()
    }
}
