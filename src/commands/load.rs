//! What the user names as a snapshot: a file, standard input, this machine, or a foreign dump.

use std::path::Path;
use std::sync::Arc;

use super::capture;
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
    Ok(file::read(name)?.1.snapshot)
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
