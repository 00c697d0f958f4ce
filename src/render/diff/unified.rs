//! The two snapshots line by line, as `diff -u` of their canonical files without `[meta]`.

use similar::TextDiff;

use super::Names;
use crate::snapshot::value::shown;
use crate::snapshot::{Snapshot, write};

/// The unified diff; empty where the texts agree.
pub fn text(names: &Names, a: &Snapshot, b: &Snapshot) -> String {
    let plain = |snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        snapshot.meta.clear();
        snapshot.volatile.clear();
        write::to_string(&snapshot)
    };
    let (x, y) = (plain(a), plain(b));
    let diff = TextDiff::from_lines(&x, &y);
    diff.unified_diff().context_radius(3).header(&shown(&names.a), &shown(&names.b)).to_string()
}
