//! Git LFS by its file format, without git-lfs: a tracked file is stored as a pointer, a few lines of text that name
//! the SHA-256 of the content (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Instant;

use git2::{ObjectType, Oid};
use sha2::{Digest as _, Sha256};

use super::untracked::feed;
use crate::snapshot::digest::prefixed;

/// A pointer is shorter than this many bytes, by its specification.
pub(super) const POINTER_LIMIT: u64 = 1024;

/// What every pointer begins with (the second host name is that of old repositories).
const BEGINNINGS: [&[u8]; 2] =
    [b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"];

/// Whether this content is a pointer.
pub(super) fn is_pointer(content: &[u8]) -> bool {
    (content.len() as u64) < POINTER_LIMIT
        && BEGINNINGS.iter().any(|beginning| content.starts_with(beginning))
}

/// Whether the file holds a pointer instead of its data.
pub(super) fn holds_pointer(path: &Path) -> io::Result<bool> {
    let mut content = Vec::new();
    File::open(path)?.take(POINTER_LIMIT).read_to_end(&mut content)?;
    Ok(is_pointer(&content))
}

/// The id of the blob that `git add` would store for this file: what `git lfs clean` prints.
pub(super) fn clean_id(path: &Path, deadline: Instant) -> io::Result<Oid> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(POINTER_LIMIT).read_to_end(&mut start)?;
    let hash = |bytes: &[u8]| Oid::hash_object(ObjectType::Blob, bytes).map_err(io::Error::other);
    if start.is_empty() || is_pointer(&start) {
        return hash(&start);
    }
    let mut sha256 = Sha256::new_with_prefix(&start);
    let size = start.len() as u64 + feed(&mut sha256, &mut file, deadline)?;
    hash(pointer(&prefixed(&sha256.finalize()), size).as_bytes())
}

/// The pointer to `size` bytes with this digest (`sha256:…`).
fn pointer(digest: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize {size}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_known_by_its_first_line_and_its_size() {
        let text = pointer("sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393", 12345);
        assert!(is_pointer(text.as_bytes()));
        assert!(!is_pointer(b"version 1\n"));
        assert!(!is_pointer(&[text.as_bytes(), &[b'x'; 1024]].concat()));
    }
}
