//! The digest of one file's content, and whether the file stood still meanwhile.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::error::reason;
use sha2::{Digest as _, Sha256};

/// Bytes of the buffer that each worker reads into. It stays in the second-level cache, and a read call per 256 KiB
/// costs less than 1 % of hashing them.
pub(super) const BUFFER: usize = 256 << 10;

/// From this length on, in bytes, the kernel is told that the file is read from start to end.
const ADVISE_FROM: u64 = 1 << 20;

/// A file that was read to its end while it stood still.
#[derive(Debug)]
pub(super) struct Digested {
    pub(super) len: u64,
    pub(super) sha256: String,
}

/// Why an attempt gave no digest.
enum Failed {
    /// The file is not what it was when it was opened; another attempt may do better.
    Changed,
    /// Another attempt would not help.
    For(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::For("vanished while the tree was read".to_owned()),
            _ => Self::For(reason(&error)),
        }
    }
}

/// Reads the regular file at `path`, which is no link, and tells `progress` of every byte. A file that changes while
/// it is read is read once more; one that still changes is an error.
pub(super) fn digest(path: &Path, buffer: &mut [u8], progress: &dyn Fn(u64)) -> Result<Digested, String> {
    for _ in 0..2 {
        match attempt(path, buffer, progress) {
            Ok(digested) => return Ok(digested),
            Err(Failed::Changed) => {}
            Err(Failed::For(reason)) => return Err(reason),
        }
    }
    Err("changed while it was read".to_owned())
}

fn attempt(path: &Path, buffer: &mut [u8], progress: &dyn Fn(u64)) -> Result<Digested, Failed> {
    // A pipe that took the file's place must not block the open.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(Failed::For("was replaced while the tree was read".to_owned()));
    }
    advise(&file, before.len());
    let mut hash = Sha256::new();
    let mut read = 0;
    // A log that grows faster than it is read would never end.
    while read <= before.len() {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(n) => {
                hash.update(buffer.get(..n).unwrap_or_default());
                read += n as u64;
                progress(n as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (after, now) = (file.metadata()?, path.symlink_metadata()?);
    if identity(&before) != identity(&after) || identity(&before) != identity(&now) {
        return Err(Failed::Changed);
    }
    if read != before.len() {
        return Err(Failed::For(format!("its length is said to be {} bytes and is not", before.len())));
    }
    Ok(Digested { len: read, sha256: super::listing::hex(&hash.finalize()) })
}

/// What is different when a file was written, replaced, or written and set back to its old time: `ctime` cannot be
/// set (inode(7)).
pub(crate) fn identity(meta: &Metadata) -> [i64; 7] {
    [
        meta.dev().cast_signed(),
        meta.ino().cast_signed(),
        meta.len().cast_signed(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
    ]
}

/// Asks for a larger read-ahead; only the speed depends on the answer.
#[cfg(target_os = "linux")]
fn advise(file: &File, len: u64) {
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
    if len >= ADVISE_FROM {
        let _hint = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: &File, _: u64) {}
