//! What the user names as a snapshot: a file, standard input, this machine, or a foreign dump.

use std::path::Path;
use std::sync::Arc;

use super::{capture, import};
use crate::error::Error;
use crate::host::live::Live;
use crate::probes::Options;
use crate::snapshot::{Snapshot, file};

/// Reads what the user named.
///
/// # Errors
///
/// For what cannot be read, and for text of no known form.
pub fn snapshot(name: &Path) -> Result<Snapshot, Error> {
    if name == Path::new("now") {
        let meta = capture::Meta::default();
        return Ok(capture::snapshot(Arc::new(Live::new()), Options::default(), &meta));
    }
    let text = import::text(name)?;
    // A snapshot says so in its first keys; anything else is a dump, or nothing that we know.
    if name.is_dir() || !is_snapshot(&text) {
        return crate::import::read_any(name, &text, None);
    }
    Ok(file::parse(name, &text)?.snapshot)
}

/// Whether the text has the keys that every snapshot begins with, comments apart.
fn is_snapshot(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.next().is_some_and(|l| l.starts_with("format") && l.contains('='))
        || text.starts_with("# Written by driftlock")
}

/// Reads two, at most one of them from standard input.
///
/// # Errors
///
/// As [`snapshot`].
pub fn pair(a: &Path, b: &Path) -> Result<(Snapshot, Snapshot), Error> {
    let stdin = Path::new("-");
    if a == stdin && b == stdin {
        return Err(Error::input("both sides are standard input").hint("name a file for one of them"));
    }
    Ok((snapshot(a)?, snapshot(b)?))
}
