//! The digest of files that are neither tracked nor ignored.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

use git2::Repository;
use sha2::{Digest as _, Sha256};

use super::TOO_LONG;
use super::content::{RepoPath, native, unreadable};
use crate::snapshot::digest::prefixed;

/// The most bytes of untracked files that are digested: more is a data set or a checkpoint, for which there is
/// `--data`.
const LIMIT: u64 = 512 << 20;

/// The untracked files of a working tree.
pub(super) struct Untracked {
    /// How many there are.
    pub(super) count: u64,
    /// `sha256:…`, `None` where there is no file, or why it is not known.
    pub(super) digest: Result<Option<String>, String>,
}

/// Digests these files below `root`: for each, in the order of its path's bytes, the hexadecimal SHA-256 of its
/// content, two spaces, the path and a zero byte, as `sha256sum --zero` prints them. A symbolic link's content is its
/// target, that of a repository inside this one the id of its HEAD.
pub(super) fn digest(root: &Path, mut paths: Vec<RepoPath>, deadline: Instant) -> Untracked {
    paths.retain(|path| !is_ours(&root.join(native(path))));
    paths.sort_unstable();
    let count = paths.len() as u64;
    let digest = lines(root, &paths, deadline).map(|hash| (count > 0).then_some(hash));
    Untracked { count, digest }
}

fn lines(root: &Path, paths: &[RepoPath], deadline: Instant) -> Result<String, String> {
    let mut total = 0_u64;
    for path in paths {
        total =
            total.saturating_add(fs::symlink_metadata(root.join(native(path))).map_or(0, |meta| meta.len()));
    }
    if total > LIMIT {
        return Err(format!("the untracked files hold {} MiB, more than {} MiB", total >> 20, LIMIT >> 20));
    }
    let mut all = Sha256::new();
    for path in paths {
        let content = content(&root.join(native(path)), deadline).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => TOO_LONG.to_owned(),
            _ => unreadable(path, &error),
        })?;
        all.update(content.trim_start_matches("sha256:"));
        all.update("  ");
        all.update(path);
        all.update([0]);
    }
    Ok(prefixed(&all.finalize()))
}

fn content(path: &Path, deadline: Instant) -> io::Result<String> {
    let kind = fs::symlink_metadata(path)?.file_type();
    let mut hash = Sha256::new();
    if kind.is_symlink() {
        hash.update(fs::read_link(path)?.as_os_str().as_encoded_bytes());
    } else if kind.is_dir() {
        let repo = Repository::open(path).map_err(|error| io::Error::other(error.message().to_owned()))?;
        let head = repo.head().ok().and_then(|head| head.target());
        hash.update(head.map(|id| id.to_string()).unwrap_or_default());
    } else {
        feed(&mut hash, &mut File::open(path)?, deadline)?;
    }
    Ok(prefixed(&hash.finalize()))
}

/// Hashes a stream to its end and returns its length in bytes; fails with [`io::ErrorKind::TimedOut`] past `deadline`.
pub(super) fn feed(hash: &mut Sha256, stream: &mut impl Read, deadline: Instant) -> io::Result<u64> {
    let mut buffer = vec![0; 128 << 10];
    let mut total = 0;
    loop {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => {
                hash.update(buffer.get(..n).unwrap_or_default());
                total += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether driftlock wrote the file: a snapshot, as TOML or JSON, or a list of digests. Such files are left out of the
/// state of the repository they lie in: otherwise a capture would differ from the one before it by the file that the
/// first one wrote.
pub(super) fn is_ours(path: &Path) -> bool {
    let regular = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    let mut start = Vec::new();
    regular
        && File::open(path).and_then(|file| file.take(64).read_to_end(&mut start)).is_ok()
        && (start.starts_with(b"# Written by driftlock")
            || start.starts_with(b"{") && memchr::memmem::find(&start, b"\"driftlock/").is_some())
}
