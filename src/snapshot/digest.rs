//! Section digests and the fingerprint.
//!
//! The canonical form of a section is one line per identity or capacity fact, in path order: the path, ` = `, the
//! value as canonical TOML, and a line feed; and one line per unknown fact of the section: the path and ` unknown`.
//! The section's digest is the SHA-256 of these bytes. The fingerprint is the SHA-256 of one line per section, in
//! alphabetical order: the name, ` `, and its digest. `docs/reference/snapshot.md` shows how to recompute both.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::Snapshot;

/// `sha256:` and 64 hexadecimal digits of the SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    prefixed(&Sha256::digest(bytes))
}

/// `sha256:` and the hexadecimal digits of a finished hash.
pub fn prefixed(hash: &[u8]) -> String {
    let mut text = String::with_capacity(7 + 2 * hash.len());
    text.push_str("sha256:");
    for byte in hash {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// The digest of every captured section; sections of results have none.
pub fn sections(snapshot: &Snapshot) -> BTreeMap<String, String> {
    snapshot
        .sections
        .iter()
        .filter(|name| !crate::facts::is_result(name))
        .map(|name| (name.clone(), sha256(canonical(snapshot, name).as_bytes())))
        .collect()
}

/// The bytes that a section's digest covers.
pub fn canonical(snapshot: &Snapshot, section: &str) -> String {
    let mut text = String::new();
    for (path, value) in Snapshot::of_section(&snapshot.facts, section) {
        let _infallible = writeln!(text, "{path} = {value}");
    }
    for path in snapshot.unknown.keys().filter(|p| p.section() == section) {
        let _infallible = writeln!(text, "{path} unknown");
    }
    text
}

/// The fingerprint over all section digests.
pub fn fingerprint(sections: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, digest) in sections {
        let _infallible = writeln!(text, "{name} {digest}");
    }
    sha256(text.as_bytes())
}
