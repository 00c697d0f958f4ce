//! What the index and the working tree hold beside HEAD: one pass over each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use git2::{Delta, DiffFile, DiffOptions, FileMode, Index, IndexEntry, Oid, Repository, Tree};

use super::content::{self, RepoPath, native};
use super::untracked::{self, is_snapshot};
use super::{Files, Submodule, Work, lfs, patch, words};
use crate::snapshot::digest::sha256;

/// The facts that [`read`] finds.
pub(super) const FACTS: [&str; 14] = [
    "dirty",
    "staged",
    "unstaged",
    "conflicted",
    "untracked",
    "diff_digest",
    "untracked_digest",
    "patch",
    "hidden_edits",
    "hidden_files",
    "hidden_digest",
    "lfs_pointers",
    "lfs_pointer_files",
    "submodules",
];

/// Bits of an index entry (gitformat-index(5)).
const ASSUME_VALID: u16 = 1 << 15;
const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;
const STAGE: u16 = 3 << 12;

/// The mode of a submodule.
const GITLINK: u32 = 0o160_000;

/// How deep submodules may lie in one another.
const MAX_DEPTH: usize = 8;

/// A file of one side: mode and blob id; `None` where it is not there.
type Side = Option<(u32, Oid)>;

/// A path that differs between HEAD and the working tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) old: Side,
    pub(super) new: Side,
}

/// What was found, and what could not be.
#[derive(Default)]
pub(super) struct Found {
    pub(super) work: Work,
    pub(super) submodules: BTreeMap<String, Submodule>,
    pub(super) unknown: BTreeMap<String, String>,
}

impl Found {
    fn unknown(&mut self, facts: &[&str], reason: &str) {
        for fact in facts {
            self.unknown
                .entry((*fact).to_owned())
                .or_insert_with(|| reason.to_owned());
        }
    }
}

/// Reads the working tree of `repo`. What fails leaves the rest.
pub(super) fn read(repo: &Repository, patch: bool, deadline: Instant) -> Found {
    read_at(repo, patch, deadline, 0)
}

fn read_at(repo: &Repository, patch: bool, deadline: Instant, depth: usize) -> Found {
    let mut found = Found::default();
    let Some(root) = repo.workdir().map(Path::to_path_buf) else {
        return found;
    };
    let index = match repo.index() {
        Ok(index) => index,
        Err(error) => {
            found.unknown(&FACTS, &words(&error));
            return found;
        }
    };
    let mut pass = Pass {
        repo,
        root,
        index,
        marks: Marks::default(),
        changes: BTreeMap::new(),
        deadline,
        depth,
    };
    pass.marks = Marks::of(&pass.index, repo);
    let head = head_tree(repo);
    let staged = head
        .clone()
        .and_then(|head| pass.staged(head.as_ref()).map_err(|e| words(&e)));
    match staged {
        Ok(count) => found.work.staged = count,
        Err(reason) => found.unknown(&["staged", "diff_digest", "patch"], &reason),
    }
    found.work.conflicted = pass.marks.conflicts.len() as u64;
    pass.unstaged(head.as_ref().ok().and_then(Option::as_ref), &mut found);
    pass.submodules(&mut found);
    pass.changes.retain(|_, change| change.old != change.new);
    let digest = (!pass.changes.is_empty()).then(|| sha256(&raw(&pass.changes)));
    found.work.diff_digest = digest.filter(|_| !found.unknown.contains_key("diff_digest"));
    pass.hidden(&mut found);
    pass.lfs_pointers(&mut found);
    if let (true, Ok(head), false) = (patch, &head, pass.changes.is_empty()) {
        match patch::text(repo, head.as_ref(), &pass.changes, |path| pass.opaque(path)) {
            Ok(text) => found.work.patch = Some(text),
            Err(reason) => found.unknown(&["patch"], &reason),
        }
    }
    if !found.work.dirty()
        && ["staged", "unstaged"]
            .iter()
            .any(|fact| found.unknown.contains_key(*fact))
    {
        let reason = found
            .unknown
            .get("staged")
            .or_else(|| found.unknown.get("unstaged"))
            .cloned();
        found.unknown(&["dirty"], &reason.unwrap_or_default());
    }
    found
}

/// The changes as `git diff-index --cached --raw -z --no-renames --no-abbrev HEAD` prints them.
fn raw(changes: &BTreeMap<RepoPath, Change>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, change) in changes {
        let status = match (change.old, change.new) {
            (None, _) => 'A',
            (_, None) => 'D',
            (Some((old, _)), Some((new, _))) if old >> 12 != new >> 12 => 'T',
            _ => 'M',
        };
        let [(old_mode, old), (new_mode, new)] =
            [change.old, change.new].map(|side| side.unwrap_or((0, Oid::ZERO_SHA1)));
        let mut line = String::new();
        let _infallible = write!(line, ":{old_mode:06o} {new_mode:06o} {old} {new} {status}\0");
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(path);
        bytes.push(0);
    }
    bytes
}

/// The tree of HEAD; `None` on an unborn branch.
fn head_tree(repo: &Repository) -> Result<Option<Tree<'_>>, String> {
    match repo.head() {
        Ok(head) => head.peel_to_tree().map(Some).map_err(|e| words(&e)),
        Err(error) if error.code() == git2::ErrorCode::UnbornBranch => Ok(None),
        Err(error) => Err(words(&error)),
    }
}

/// Entries of the index that are not plain files.
#[derive(Default)]
struct Marks {
    intent_to_add: BTreeSet<RepoPath>,
    conflicts: BTreeSet<RepoPath>,
    /// Submodules, with the commit that the index asks for.
    links: BTreeMap<RepoPath, Oid>,
    /// Entries that git is told not to look at.
    flagged: BTreeMap<RepoPath, IndexEntry>,
    sparse: bool,
    /// Whether some attribute gives files to LFS.
    lfs: bool,
}

impl Marks {
    fn of(index: &Index, repo: &Repository) -> Self {
        let mut marks = Self {
            sparse: repo
                .config()
                .and_then(|c| c.get_bool("core.sparsecheckout"))
                .unwrap_or(false),
            lfs: lfs_in(&repo.commondir().join("info/attributes")),
            ..Self::default()
        };
        let root = repo.workdir().unwrap_or_else(|| Path::new("")).to_path_buf();
        for entry in index.iter() {
            if entry.flags & STAGE != 0 {
                marks.conflicts.insert(entry.path);
                continue;
            }
            if entry.mode == GITLINK {
                marks.links.insert(entry.path, entry.id);
                continue;
            }
            if entry.flags_extended & INTENT_TO_ADD != 0 {
                marks.intent_to_add.insert(entry.path.clone());
            }
            if entry.path.ends_with(b".gitattributes") {
                marks.lfs |= lfs_in(&root.join(native(&entry.path)));
            }
            if entry.flags & ASSUME_VALID != 0 || entry.flags_extended & SKIP_WORKTREE != 0 {
                marks.flagged.insert(entry.path.clone(), entry);
            }
        }
        marks
    }
}

/// Whether this attributes file gives some path to LFS.
fn lfs_in(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| memchr::memmem::find(&text, b"filter=lfs").is_some())
}

/// One reading of one working tree.
struct Pass<'r> {
    repo: &'r Repository,
    root: PathBuf,
    index: Index,
    marks: Marks,
    changes: BTreeMap<RepoPath, Change>,
    deadline: Instant,
    depth: usize,
}

impl Pass<'_> {
    fn path(&self, path: &[u8]) -> PathBuf {
        self.root.join(native(path))
    }

    /// HEAD against the index: how many entries differ.
    fn staged(&mut self, head: Option<&Tree<'_>>) -> Result<u64, git2::Error> {
        let mut options = DiffOptions::new();
        options.include_typechange(true).skip_binary_check(true);
        let diff = self
            .repo
            .diff_tree_to_index(head, Some(&self.index), Some(&mut options))?;
        let mut count = 0;
        for delta in diff.deltas() {
            let Some(path) = delta
                .old_file()
                .path_bytes()
                .or_else(|| delta.new_file().path_bytes())
            else {
                continue;
            };
            let apart = self.marks.conflicts.contains(path) || self.marks.intent_to_add.contains(path);
            if !apart && !is_snapshot(&self.path(path)) {
                let change = Change {
                    old: side(&delta.old_file()),
                    new: side(&delta.new_file()),
                };
                self.changes.insert(path.to_vec(), change);
                count += 1;
            }
        }
        Ok(count)
    }

    /// The index against the working tree, untracked files included.
    fn unstaged(&mut self, head: Option<&Tree<'_>>, found: &mut Found) {
        let mut options = DiffOptions::new();
        options
            .include_typechange(true)
            .skip_binary_check(true)
            .ignore_submodules(true);
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_unreadable(true);
        let diff = match self
            .repo
            .diff_index_to_workdir(Some(&self.index), Some(&mut options))
        {
            Ok(diff) => diff,
            Err(error) => {
                let facts = [
                    "unstaged",
                    "untracked",
                    "untracked_digest",
                    "diff_digest",
                    "patch",
                ];
                return found.unknown(&facts, &words(&error));
            }
        };
        let mut untracked = Vec::new();
        // Path to what the index says; then what is there.
        let mut changed: BTreeMap<RepoPath, (Side, Side)> = BTreeMap::new();
        for delta in diff.deltas() {
            let Some(path) = delta
                .new_file()
                .path_bytes()
                .or_else(|| delta.old_file().path_bytes())
            else {
                continue;
            };
            match delta.status() {
                Delta::Untracked => untracked.push(path.to_vec()),
                Delta::Unreadable => {
                    let reason = format!("{}: cannot be read", String::from_utf8_lossy(path));
                    found.unknown(&["untracked", "untracked_digest"], &reason);
                }
                Delta::Modified | Delta::Typechange | Delta::Deleted
                    if !self.marks.links.contains_key(path) && !self.hides(path) =>
                {
                    changed.insert(
                        path.to_vec(),
                        (side(&delta.old_file()), present(&delta.new_file())),
                    );
                }
                _ => {}
            }
        }
        for path in &self.marks.conflicts {
            changed.insert(
                path.clone(),
                (None, on_disk(&self.path(path)).map(|mode| (mode, Oid::ZERO_SHA1))),
            );
        }
        for entry in self.marks.flagged.values().filter(|entry| self.is_plain(entry)) {
            if let Some(mode) = on_disk(&self.path(&entry.path)) {
                changed.insert(
                    entry.path.clone(),
                    (Some((entry.mode, entry.id)), Some((mode, Oid::ZERO_SHA1))),
                );
            }
        }
        changed.retain(|path, (_, new)| new.is_none() || !is_snapshot(&self.root.join(native(path))));
        self.changes
            .retain(|path, _| !is_snapshot(&self.root.join(native(path))));
        if let Err(reason) = self.fill(&mut changed) {
            found.unknown(&["unstaged", "diff_digest", "patch"], &reason);
        }
        for (path, (old, new)) in changed {
            let conflict = self.marks.conflicts.contains(&path);
            if old == new && !conflict {
                continue;
            }
            found.work.unstaged += u64::from(!conflict);
            let from_head = conflict || self.marks.intent_to_add.contains(&path);
            let old = if from_head {
                head.and_then(|head| at_head(head, &path))
            } else {
                old
            };
            self.changes
                .entry(path)
                .and_modify(|change| change.new = new)
                .or_insert(Change { old, new });
        }
        let untracked = untracked::digest(&self.root, untracked, self.deadline);
        found.work.untracked = untracked.count;
        match untracked.digest {
            Ok(digest) => found.work.untracked_digest = digest,
            Err(reason) => found.unknown(&["untracked_digest"], &reason),
        }
    }

    /// Replaces the zero ids of what is in the working tree; a file whose id cannot be known is taken out, and the
    /// first such reason returned.
    fn fill(&self, changed: &mut BTreeMap<RepoPath, (Side, Side)>) -> Result<(), String> {
        let files = changed
            .iter()
            .filter_map(|(path, (_, new))| Some((path.clone(), new.as_ref()?.0)))
            .collect();
        let ids = content::ids(self.repo, &files, self.deadline).map_err(|e| words(&e))?;
        let mut first = Ok(());
        for (path, id) in ids {
            match (id, changed.get_mut(&path)) {
                (Ok(id), Some((_, Some((_, new))))) => *new = id,
                (Ok(_), _) => {}
                (Err(reason), _) => {
                    changed.remove(&path);
                    first = first.and(Err(reason));
                }
            }
        }
        first
    }

    /// Whether git is told not to look at this path.
    fn hides(&self, path: &[u8]) -> bool {
        self.marks.flagged.contains_key(path)
    }

    /// Whether git looks at a flagged entry all the same: in a sparse checkout a file that is there counts, whatever
    /// its bit says (git-sparse-checkout(1), since git 2.36).
    fn is_plain(&self, entry: &IndexEntry) -> bool {
        self.marks.sparse && entry.flags & ASSUME_VALID == 0
    }

    /// Edits of files that git is told not to look at.
    fn hidden(&self, found: &mut Found) {
        let mut edits = BTreeMap::new();
        let mut doubtful = BTreeMap::new();
        for entry in self.marks.flagged.values().filter(|entry| !self.is_plain(entry)) {
            let meta = fs::symlink_metadata(self.path(&entry.path)).ok();
            let skipped = entry.flags_extended & SKIP_WORKTREE != 0;
            match meta {
                None if skipped => {}
                None => _ = edits.insert(entry.path.clone(), (Some((entry.mode, entry.id)), None)),
                Some(meta) if same_stat(entry, &meta) => {}
                Some(meta) => {
                    let new = Some((mode_of(&meta), Oid::ZERO_SHA1));
                    doubtful.insert(entry.path.clone(), (Some((entry.mode, entry.id)), new));
                }
            }
        }
        if let Err(reason) = self.fill(&mut doubtful) {
            found.unknown(&["hidden_edits", "hidden_files", "hidden_digest"], &reason);
        }
        edits.extend(doubtful.into_iter().filter(|(_, (old, new))| old != new));
        let changes: BTreeMap<_, _> = edits
            .into_iter()
            .map(|(path, (old, new))| (path, Change { old, new }))
            .collect();
        found.work.hidden = files(changes.keys());
        found.work.hidden.digest = (!changes.is_empty()).then(|| sha256(&raw(&changes)));
    }

    /// Files under LFS whose data was not fetched.
    fn lfs_pointers(&self, found: &mut Found) {
        if !self.marks.lfs {
            return;
        }
        let mut pointers = Vec::new();
        // A pointer in the working tree is what the index remembers, so its size tells most files apart unread.
        for entry in self
            .index
            .iter()
            .filter(|entry| u64::from(entry.file_size) < lfs::POINTER_LIMIT)
        {
            match content::is_lfs(self.repo, &entry.path) {
                Ok(true) if lfs::holds_pointer(&self.path(&entry.path)).unwrap_or(false) => {
                    pointers.push(entry.path)
                }
                Ok(_) => {}
                Err(error) => return found.unknown(&["lfs_pointers", "lfs_pointer_files"], &words(&error)),
            }
        }
        found.work.lfs_pointers = files(pointers.iter());
    }

    /// Every submodule, and those inside it.
    fn submodules(&mut self, found: &mut Found) {
        for (path, recorded) in &self.marks.links {
            let name = String::from_utf8_lossy(path).into_owned();
            let mut module = Submodule {
                recorded: Some(recorded.to_string()),
                ..Submodule::default()
            };
            let dir = self.path(path);
            let mut new = Some((GITLINK, *recorded));
            let mut dirty = false;
            if !dir.is_dir() {
                new = None;
            } else if dir.join(".git").symlink_metadata().is_ok() {
                match Repository::open(&dir) {
                    Err(error) => module.fault = Some(words(&error)),
                    Ok(inner) if self.depth < MAX_DEPTH => {
                        let head = inner.head().ok().and_then(|head| head.target());
                        module.commit = head.map(|id| id.to_string());
                        new = head.map(|id| (GITLINK, id)).or(new);
                        let inside = read_at(&inner, false, self.deadline, self.depth + 1);
                        dirty = inside.work.dirty();
                        module.fault = inside
                            .unknown
                            .into_iter()
                            .next()
                            .map(|(fact, reason)| format!("{fact}: {reason}"));
                        module.work = Some(inside.work);
                        let nested = inside.submodules.into_iter();
                        found
                            .submodules
                            .extend(nested.map(|(inner, module)| (format!("{name}/{inner}"), module)));
                    }
                    Ok(_) => module.fault = Some("submodules lie too deep in one another".to_owned()),
                }
            }
            let old = Some((GITLINK, *recorded));
            found.work.unstaged += u64::from(dirty || old != new);
            if old != new {
                self.changes
                    .entry(path.clone())
                    .and_modify(|change| change.new = new)
                    .or_insert(Change { old, new });
            }
            found.submodules.insert(name, module);
        }
    }

    /// Whether a patch shows this file by its ids alone.
    fn opaque(&self, path: &RepoPath) -> bool {
        const LARGE: u64 = 16 << 20;
        let size = fs::symlink_metadata(self.path(path)).map_or(0, |meta| meta.len());
        size > LARGE
            || self.marks.conflicts.contains(path)
            || content::is_lfs(self.repo, path).unwrap_or(true)
    }
}

fn side(file: &DiffFile<'_>) -> Side {
    present(file).filter(|(_, id)| !id.is_zero())
}

/// A side of a delta whose id may not be known yet.
fn present(file: &DiffFile<'_>) -> Side {
    (file.exists() && file.mode() != FileMode::Unreadable)
        .then(|| (canonical(u32::from(file.mode())), file.id()))
}

/// The mode as trees hold it: of a file's permissions git knows only whether its owner may execute it.
fn canonical(mode: u32) -> u32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => 0o100_644,
        kind => kind,
    }
}

fn mode_of(meta: &fs::Metadata) -> u32 {
    canonical(meta.mode())
}

/// The mode of what lies at `path`, if that is a file or a symbolic link.
fn on_disk(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path)
        .ok()
        .filter(|meta| !meta.is_dir())
        .map(|meta| mode_of(&meta))
}

/// Whether size and time of a file are those that the index remembers.
fn same_stat(entry: &IndexEntry, meta: &fs::Metadata) -> bool {
    let time = (
        i64::from(entry.mtime.seconds()),
        i64::from(entry.mtime.nanoseconds()),
    );
    u64::from(entry.file_size) == meta.len()
        && time == (meta.mtime(), meta.mtime_nsec())
        && entry.mode == mode_of(meta)
}

fn at_head(head: &Tree<'_>, path: &[u8]) -> Side {
    let entry = head.get_path(native(path)).ok()?;
    Some((canonical(u32::try_from(entry.filemode()).ok()?), entry.id()))
}

fn files<'a>(paths: impl Iterator<Item = &'a RepoPath>) -> Files {
    let paths: Vec<String> = paths
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    Files {
        count: paths.len() as u64,
        first: paths.into_iter().take(Files::SHOWN).collect(),
        digest: None,
    }
}
