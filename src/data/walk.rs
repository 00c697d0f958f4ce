//! What is in a tree: every name once, links not followed.

use std::fs::{self, FileType};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::name::Name;
use crate::error::reason;
use crate::host::tree::{LinkTarget, SpecialFile, Unread};

/// A tree before its files are read. Lists are in the order in which the file system gives the names.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) files: Vec<Found>,
    pub(super) links: Vec<LinkTarget>,
    pub(super) special: Vec<SpecialFile>,
    pub(super) faults: Vec<Unread>,
    pub(super) empty_dirs: u64,
    pub(super) listing_order: Vec<u8>,
    dirs: Vec<Dir>,
}

/// A regular file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: Name,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

#[derive(Debug)]
struct Dir {
    name: Name,
    path: PathBuf,
    modified: Option<(i64, i64)>,
}

/// What one name turned out to be.
enum Seen {
    File(Found),
    Link(LinkTarget),
    Special(SpecialFile),
    Fault(Unread),
}

impl Walk {
    /// Lists the tree at `root`, a folder and no link.
    pub(super) fn of(root: &Path) -> Self {
        let mut walk = Self::default();
        let mut names = Vec::new();
        let mut order = Sha256::new();
        // The depth of a folder that was entered and from which nothing has come yet.
        let mut entered = None;
        for entry in WalkDir::new(root) {
            match entry {
                Ok(entry) => {
                    walk.empty_dirs += u64::from(entered.take().is_some_and(|depth| entry.depth() <= depth));
                    let name = below(root, entry.path());
                    if entry.file_type().is_dir() {
                        entered = (entry.depth() > 0).then_some(entry.depth());
                        // The folder is open and not read yet, so a name that comes or goes from here on shows.
                        let modified = modified(entry.path());
                        walk.dirs.push(Dir { name, path: entry.into_path(), modified });
                    } else {
                        order.update(name.as_bytes());
                        order.update([0]);
                        names.push((name, entry.file_type(), entry.into_path()));
                    }
                }
                Err(error) => {
                    entered = None;
                    let why = error.io_error().map_or_else(|| error.to_string(), reason);
                    let name = below(root, error.path().unwrap_or(root));
                    walk.faults.push(Unread { name, reason: why, dir: true });
                }
            }
        }
        walk.empty_dirs += u64::from(entered.is_some());
        walk.listing_order = order.finalize().to_vec();
        let seen: Vec<Seen> =
            names.into_par_iter().map(|(name, kind, path)| look(name, kind, path)).collect();
        for one in seen {
            match one {
                Seen::File(file) => walk.files.push(file),
                Seen::Link(link) => walk.links.push(link),
                Seen::Special(special) => walk.special.push(special),
                Seen::Fault(fault) => walk.faults.push(fault),
            }
        }
        walk
    }

    /// The folders that names came into or went from since they were listed.
    pub(super) fn changed_since(&self) -> Vec<Unread> {
        let changed = self.dirs.par_iter().filter(|dir| dir.modified != modified(&dir.path));
        let reason = "a name came, went or changed in it while the tree was read";
        changed.map(|dir| Unread { name: dir.name.clone(), reason: reason.to_owned(), dir: true }).collect()
    }
}

fn look(name: Name, kind: FileType, path: PathBuf) -> Seen {
    if kind.is_file() {
        match fs::symlink_metadata(&path) {
            Ok(meta) => Seen::File(Found { name, path, len: meta.len() }),
            Err(error) => Seen::Fault(Unread { name, reason: reason(&error), dir: false }),
        }
    } else if kind.is_symlink() {
        match fs::read_link(&path) {
            Ok(target) => Seen::Link(LinkTarget { name, target: Name::from(&target) }),
            Err(error) => Seen::Fault(Unread { name, reason: reason(&error), dir: false }),
        }
    } else {
        Seen::Special(SpecialFile { name, letter: letter(kind) })
    }
}

/// The letter of `find -printf %y`.
pub(super) fn letter(kind: FileType) -> char {
    match () {
        () if kind.is_fifo() => 'p',
        () if kind.is_socket() => 's',
        () if kind.is_block_device() => 'b',
        () if kind.is_char_device() => 'c',
        () => 'U',
    }
}

fn below(root: &Path, path: &Path) -> Name {
    Name::from(path.strip_prefix(root).unwrap_or(path))
}

fn modified(dir: &Path) -> Option<(i64, i64)> {
    fs::symlink_metadata(dir).ok().map(|meta| (meta.mtime(), meta.mtime_nsec()))
}
