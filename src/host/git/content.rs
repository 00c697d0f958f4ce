//! The blob id that `git add` would give to a file of the working tree, without storing a blob.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Instant;

use git2::{
    AttrCheckFlags, AttrValue, DiffOptions, Index, IndexEntry, IndexTime, ObjectType, Oid, Repository,
};

use super::lfs;

/// A path inside the repository, as the bytes that git stores.
pub(super) type RepoPath = Vec<u8>;

/// `path` for the file system.
pub(super) fn native(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

/// What stands between a file and its blob.
#[derive(Debug, PartialEq, Eq)]
enum Conversion {
    /// Nothing, or what libgit2 does itself: line ends and `$Id$`.
    Known,
    /// Git LFS.
    Lfs,
    /// A conversion that only git or another program can do; the reason why it is not done here.
    Foreign(String),
}

/// The blob ids of these files, or why one cannot be known. A file comes with its mode and the id that libgit2 already
/// computed, or zeros.
///
/// Filters that libgit2 has (`core.autocrlf`, the attributes `text`, `eol`, `ident`) act as they do in git; LFS files
/// are given their pointer's id. Other filters are programs of the user's, and are not run.
pub(super) fn ids(
    repo: &Repository,
    files: BTreeMap<RepoPath, (u32, Oid)>,
    deadline: Instant,
) -> Result<BTreeMap<RepoPath, Result<Oid, String>>, git2::Error> {
    let mut found = BTreeMap::new();
    let mut unhashed = BTreeMap::new();
    for (path, (mode, id)) in files {
        let id = match conversion(repo, &path, mode)? {
            Conversion::Known if id.is_zero() => {
                unhashed.insert(path, mode);
                continue;
            }
            Conversion::Known => Ok(id),
            Conversion::Lfs => {
                let file = repo.workdir().unwrap_or(Path::new("")).join(native(&path));
                lfs::clean_id(&file, deadline).map_err(|error| unreadable(&path, &error))
            }
            Conversion::Foreign(reason) => Err(reason),
        };
        found.insert(path, id);
    }
    found.extend(converted(repo, &unhashed)?.into_iter().map(|(path, id)| (path, Ok(id))));
    Ok(found)
}

/// The reason where a file of the working tree cannot be read.
pub(super) fn unreadable(path: &[u8], error: &std::io::Error) -> String {
    format!("{}: {error}", String::from_utf8_lossy(path))
}

/// Whether git-lfs looks after this path (gitattributes(5), `filter`).
pub(super) fn is_lfs(repo: &Repository, path: &[u8]) -> Result<bool, git2::Error> {
    Ok(attribute(repo, path, "filter")?.as_deref() == Some("lfs"))
}

fn conversion(repo: &Repository, path: &[u8], mode: u32) -> Result<Conversion, git2::Error> {
    if mode & 0o170_000 != 0o100_000 {
        return Ok(Conversion::Known);
    }
    let shown = String::from_utf8_lossy(path);
    if let Some(encoding) = attribute(repo, path, "working-tree-encoding")? {
        return Ok(Conversion::Foreign(format!(
            "{shown}: has the attribute working-tree-encoding={encoding}"
        )));
    }
    Ok(match attribute(repo, path, "filter")?.as_deref() {
        Some("lfs") => Conversion::Lfs,
        Some(driver) if defined(repo, driver)? => {
            Conversion::Foreign(format!("{shown}: goes through the filter `{driver}`, which is not run here"))
        }
        _ => Conversion::Known,
    })
}

/// Whether the configuration gives this filter a program; git passes files through one that has none.
fn defined(repo: &Repository, driver: &str) -> Result<bool, git2::Error> {
    let config = repo.config()?;
    Ok(["clean", "process"].iter().any(|what| config.get_string(&format!("filter.{driver}.{what}")).is_ok()))
}

/// The text value of an attribute; `None` where it is unset, unspecified or merely set.
fn attribute(repo: &Repository, path: &[u8], name: &str) -> Result<Option<String>, git2::Error> {
    let value = repo.get_attr_bytes(native(path), name, AttrCheckFlags::FILE_THEN_INDEX)?;
    Ok(match AttrValue::from_bytes(value) {
        AttrValue::String(text) => Some(text.to_owned()),
        AttrValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        AttrValue::True | AttrValue::False | AttrValue::Unspecified => None,
    })
}

/// The ids by libgit2's own filters. It computes one only where an index entry leaves it in doubt whether the file is
/// the same, so it is asked about an index in which every entry is empty and of the year 1970.
fn converted(
    repo: &Repository,
    files: &BTreeMap<RepoPath, u32>,
) -> Result<BTreeMap<RepoPath, Oid>, git2::Error> {
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let empty = Oid::hash_object(ObjectType::Blob, &[])?;
    let mut index = Index::new()?;
    let mut options = DiffOptions::new();
    options.disable_pathspec_match(true).skip_binary_check(true).include_typechange(true);
    for (path, mode) in files {
        let time = IndexTime::new(0, 0);
        index.add(&IndexEntry {
            ctime: time,
            mtime: time,
            dev: 0,
            ino: 0,
            mode: *mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: empty,
            flags: 0,
            flags_extended: 0,
            path: path.clone(),
        })?;
        options.pathspec(path.as_slice());
    }
    // A file that is empty equals its entry, and so is no part of the answer.
    let mut found: BTreeMap<RepoPath, Oid> = files.keys().map(|path| (path.clone(), empty)).collect();
    for delta in repo.diff_index_to_workdir(Some(&index), Some(&mut options))?.deltas() {
        let file = delta.new_file();
        if let Some(id) = file.path_bytes().and_then(|path| found.get_mut(path)) {
            *id = file.id();
        }
    }
    Ok(found)
}
