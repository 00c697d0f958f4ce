//! What the index and the configuration say before any file is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use git2::{Index, IndexEntry, Oid, Repository};

use super::change::{GITLINK, canonical};
use super::quick::Remembered;
use crate::host::git::content::{RepoPath, native};

/// Bits of an index entry (gitformat-index(5)).
const ASSUME_VALID: u16 = 1 << 15;
const STAGE: u16 = 3 << 12;
/// Bits of its second field of flags.
const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;

/// Entries of the index that are not plain files, and settings that act on every file.
pub(super) struct Marks {
    pub(super) intent_to_add: BTreeSet<RepoPath>,
    pub(super) conflicts: BTreeSet<RepoPath>,
    /// Submodules, with the commit that the index asks for.
    pub(super) links: BTreeMap<RepoPath, Oid>,
    /// Entries that git is told not to look at.
    pub(super) flagged: BTreeMap<RepoPath, IndexEntry>,
    /// Everything else: plain files, executables and links that git looks at, in the order of the index.
    pub(super) files: Vec<Remembered>,
    /// The paths of the entries above that are not in `files`.
    pub(super) apart: BTreeSet<RepoPath>,
    /// Whether some attribute gives files to LFS.
    pub(super) lfs: bool,
    sparse: bool,
    file_mode: bool,
    symlinks: bool,
}

impl Marks {
    pub(super) fn of(index: &Index, repo: &Repository) -> Self {
        let config = repo.config();
        let setting =
            |name: &str, default| config.as_ref().ok().and_then(|c| c.get_bool(name).ok()).unwrap_or(default);
        let mut marks = Self {
            intent_to_add: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            links: BTreeMap::new(),
            flagged: BTreeMap::new(),
            files: Vec::with_capacity(index.len()),
            apart: BTreeSet::new(),
            lfs: gives_to_lfs(&repo.commondir().join("info/attributes")),
            sparse: setting("core.sparsecheckout", false),
            file_mode: setting("core.filemode", true),
            symlinks: setting("core.symlinks", true),
        };
        let root = repo.workdir().unwrap_or(Path::new("")).to_path_buf();
        for entry in index.iter() {
            if entry.flags & STAGE != 0 {
                marks.apart.insert(entry.path.clone());
                marks.conflicts.insert(entry.path);
                continue;
            }
            if entry.mode == GITLINK {
                marks.apart.insert(entry.path.clone());
                marks.links.insert(entry.path, entry.id);
                continue;
            }
            if entry.flags_extended & INTENT_TO_ADD != 0 {
                marks.intent_to_add.insert(entry.path.clone());
                marks.apart.insert(entry.path.clone());
            }
            if entry.path.ends_with(b".gitattributes") {
                marks.lfs |= gives_to_lfs(&root.join(native(&entry.path)));
            }
            if assumes(&entry) || skips(&entry) {
                marks.apart.insert(entry.path.clone());
                marks.flagged.insert(entry.path.clone(), entry);
            } else if !marks.apart.contains(&entry.path) {
                marks.files.push(remembered(entry));
            }
        }
        marks
    }

    /// Whether git looks at a flagged entry all the same: in a sparse checkout a file that is there counts, whatever
    /// its bit says (git-update-index(1), "Skip-worktree bit").
    pub(super) fn counts(&self, entry: &IndexEntry) -> bool {
        self.sparse && !assumes(entry)
    }

    /// The mode that `git add` would give to a file of the working tree, where the index has it with mode `before`.
    /// `core.fileMode` and `core.symlinks` say that the file system cannot be trusted with executable bits and links.
    pub(super) fn mode(&self, meta: &fs::Metadata, before: Option<u32>) -> u32 {
        let mode = canonical(meta.mode());
        let kind = |mode: u32| mode >> 12;
        match before {
            Some(before) if !self.file_mode && kind(before) == kind(mode) => before,
            Some(before) if !self.symlinks && kind(before) == 0o12 && kind(mode) == 0o10 => before,
            _ if !self.file_mode && kind(mode) == 0o10 => 0o100_644,
            _ => mode,
        }
    }
}

fn remembered(entry: IndexEntry) -> Remembered {
    let time = |t: git2::IndexTime| (t.seconds(), t.nanoseconds());
    Remembered {
        mode: entry.mode,
        size: entry.file_size,
        mtime: time(entry.mtime),
        ctime: time(entry.ctime),
        ino: entry.ino,
        owner: (entry.uid, entry.gid),
        path: entry.path,
    }
}

/// Whether the entry is marked `assume-unchanged`.
pub(super) fn assumes(entry: &IndexEntry) -> bool {
    entry.flags & ASSUME_VALID != 0
}

/// Whether the entry is marked `skip-worktree`.
pub(super) fn skips(entry: &IndexEntry) -> bool {
    entry.flags_extended & SKIP_WORKTREE != 0
}

/// Whether size, time and mode of a file are those that the index remembers.
pub(super) fn same_stat(entry: &IndexEntry, meta: &fs::Metadata) -> bool {
    let time = (i64::from(entry.mtime.seconds()), i64::from(entry.mtime.nanoseconds()));
    u64::from(entry.file_size) == meta.len()
        && time == (meta.mtime(), meta.mtime_nsec())
        && entry.mode == canonical(meta.mode())
}

/// Whether this attributes file gives some path to LFS.
fn gives_to_lfs(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| memchr::memmem::find(&text, b"filter=lfs").is_some())
}
