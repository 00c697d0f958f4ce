//! The tree that the index stands for, where git has noted it: equal to HEAD's, nothing is staged, and none of HEAD's
//! trees need to be read. gitformat-index(5), "Cache tree".

use std::fs;
use std::path::Path;

use git2::{Oid, Repository};

/// The id of the index's root tree, if the index holds a valid one.
pub(super) fn root(repo: &Repository) -> Option<Oid> {
    parse(&fs::read(index_file(repo)).ok()?)
}

/// Where git keeps the index of this working tree.
pub(super) fn index_file(repo: &Repository) -> std::path::PathBuf {
    repo.index()
        .ok()
        .and_then(|i| i.path().map(Path::to_path_buf))
        .unwrap_or_else(|| repo.path().join("index"))
}

fn parse(bytes: &[u8]) -> Option<Oid> {
    let word =
        |at: usize| bytes.get(at..at.checked_add(4)?).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let version = word(4).filter(|_| bytes.starts_with(b"DIRC"))?;
    let mut at = 12;
    for _ in 0..word(8)? {
        // Ten words of stat data, a SHA-1, and the flags; two bytes more of flags where the third bit says so.
        let flags = bytes.get(at + 60..at + 62)?;
        let name = at + 62 + if version >= 3 && flags[0] & 0x40 != 0 { 2 } else { 0 };
        let length = memchr::memchr(0, bytes.get(name..)?)?;
        // Version 4 pads nothing; the others pad with 1 to 8 zeros to a multiple of eight.
        at = if version == 4 { name + length + 1 } else { at + (name + length - at) / 8 * 8 + 8 };
    }
    loop {
        let signature = bytes.get(at..at + 4)?;
        let size = word(at + 4)? as usize;
        let content = bytes.get(at + 8..(at + 8).checked_add(size)?)?;
        match signature {
            b"TREE" => {
                // An empty path, the number of entries (negative: not valid), the number of subtrees, the id.
                let line = content.strip_prefix(&[0])?;
                let end = memchr::memchr(b'\n', line)?;
                let text = std::str::from_utf8(&line[..end]).ok()?;
                let valid = text.split(' ').next()?.parse::<i64>().is_ok_and(|n| n >= 0);
                return valid.then(|| Oid::from_bytes(line.get(end + 1..end + 21)?).ok()).flatten();
            }
            // A split index keeps its entries elsewhere.
            b"link" => return None,
            _ => at += 8 + size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_index_at_all() {
        for bytes in
            [&b""[..], b"DIRC", b"DIRC\0\0\0\x02\0\0\0\x01", b"DIRC\0\0\0\x02\0\0\0\0TREE\xff\xff\xff\xff"]
        {
            assert_eq!(parse(bytes), None);
        }
    }
}
