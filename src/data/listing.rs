//! The listing of a tree: the bytes that its digest covers, and the file that people check with `sha256sum -c`.
//! docs/reference/data-digest.md is the description for people.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::name::Name;
use crate::host::tree::TreeReport;
use crate::snapshot::digest::prefixed;

/// The hexadecimal digits of a finished hash.
pub(super) fn hex(hash: &[u8]) -> String {
    hash.iter().fold(String::with_capacity(2 * hash.len()), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of a tree whose lists are in byte order.
///
/// It covers the output of `sha256sum -z` for the regular files, then one record per name that is no folder:
/// `find -printf '%y %s %p -> %l\0'`, sorted as bytes.
pub fn tree_digest(report: &TreeReport) -> String {
    let mut hash = Sha256::new();
    for file in &report.files {
        hash.update(file.sha256.as_bytes());
        hash.update(b"  ./");
        hash.update(file.name.as_bytes());
        hash.update([0]);
    }
    let mut records: Vec<Vec<u8>> = Vec::with_capacity(report.files.len());
    records.extend(report.files.iter().map(|f| record('f', f.len, &f.name, &Name::default())));
    records.extend(
        report.links.iter().map(|l| record('l', l.target.as_bytes().len() as u64, &l.name, &l.target)),
    );
    records.extend(report.special.iter().map(|s| record(s.letter, 0, &s.name, &Name::default())));
    records.sort_unstable();
    for record in &records {
        hash.update(record);
        hash.update([0]);
    }
    prefixed(&hash.finalize())
}

fn record(letter: char, len: u64, name: &Name, target: &Name) -> Vec<u8> {
    let mut bytes = format!("{letter} {len} ./").into_bytes();
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b" -> ");
    bytes.extend_from_slice(target.as_bytes());
    bytes
}

/// The file with the digest of every file of a tree, as `sha256sum` writes it: `cd TREE && sha256sum -c FILE` checks
/// the tree. Links, special files and what could not be read follow as comments, which `sha256sum` skips.
pub fn side_file(report: &TreeReport) -> Vec<u8> {
    let mut out =
        b"# Written by driftlock. To check: cd into the folder, then sha256sum -c THIS_FILE\n".to_vec();
    for file in &report.files {
        let (name, escaped) = escape(&file.name);
        // A line whose name is escaped begins with a backslash (coreutils manual, "md5sum invocation").
        if escaped {
            out.push(b'\\');
        }
        out.extend_from_slice(file.sha256.as_bytes());
        out.extend_from_slice(b"  ./");
        out.extend_from_slice(&name);
        out.push(b'\n');
    }
    for link in &report.links {
        comment(&mut out, "link", &link.name, &[b" -> ", escape(&link.target).0.as_slice()].concat());
    }
    for special in &report.special {
        comment(&mut out, special.kind(), &special.name, b"");
    }
    for fault in &report.faults {
        comment(&mut out, "not read:", &fault.name, format!(": {}", fault.reason).as_bytes());
    }
    out
}

fn comment(out: &mut Vec<u8>, what: &str, name: &Name, rest: &[u8]) {
    out.extend_from_slice(format!("# {what} ./").as_bytes());
    out.extend_from_slice(&escape(name).0);
    out.extend_from_slice(rest);
    out.push(b'\n');
}

/// A name with line breaks and backslashes escaped, and whether there was one.
fn escape(name: &Name) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(name.as_bytes().len());
    for byte in name.as_bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(*byte),
        }
    }
    let escaped = out.len() != name.as_bytes().len();
    (out, escaped)
}
