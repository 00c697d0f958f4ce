//! A path that differs, and the canonical bytes of many.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use git2::{Index, Oid, Tree};

use crate::host::git::content::{RepoPath, native};

/// The mode of a submodule.
pub(super) const GITLINK: u32 = 0o160_000;

/// A file of one side: mode and blob id; `None` where it is not there.
pub(in crate::host::git) type Side = Option<(u32, Oid)>;

/// A path and its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host::git) struct Change {
    pub(in crate::host::git) old: Side,
    pub(in crate::host::git) new: Side,
}

/// Changes by their paths, in the order of the paths' bytes.
pub(in crate::host::git) type Changes = BTreeMap<RepoPath, Change>;

/// The changes as `git diff-index --cached --raw -z --no-renames --no-abbrev HEAD` prints them.
pub(super) fn raw(changes: &Changes) -> Vec<u8> {
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

/// What a tree holds at `path`.
pub(super) fn in_tree(tree: Option<&Tree<'_>>, path: &[u8]) -> Side {
    let entry = tree?.get_path(native(path)).ok()?;
    Some((canonical(u32::try_from(entry.filemode()).ok()?), entry.id()))
}

/// What the index holds at `path`, conflicts apart. (Not by a delta's `DiffFile::mode`, which panics on a mode that
/// git itself never writes.)
pub(super) fn in_index(index: &Index, path: &[u8]) -> Side {
    index.get_path(native(path), 0).map(|entry| (canonical(entry.mode), entry.id))
}

/// The mode as git writes it: of a file's permissions it keeps only whether its owner may execute it.
pub(super) fn canonical(mode: u32) -> u32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => 0o100_644,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_lines_are_those_of_git() {
        let id = |digit: &str| Oid::from_str(&digit.repeat(40)).unwrap_or(Oid::ZERO_SHA1);
        let (file, link) = (Some((0o100_644, id("a"))), Some((0o120_000, id("b"))));
        let changes = Changes::from([
            (b"b".to_vec(), Change { old: file, new: link }),
            (b"a".to_vec(), Change { old: None, new: file }),
            (b"c".to_vec(), Change { old: file, new: None }),
        ]);
        let (zero, a, b) = ("0".repeat(40), "a".repeat(40), "b".repeat(40));
        let expected = format!(
            ":000000 100644 {zero} {a} A\0a\0:100644 120000 {a} {b} T\0b\0:100644 000000 {a} {zero} D\0c\0"
        );
        assert_eq!(String::from_utf8_lossy(&raw(&changes)), expected);
    }
}
