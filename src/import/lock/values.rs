//! Parameters that a tracker kept, as facts of the `config` section.

use std::path::Path;

use crate::import::Draft;
use crate::probes::config::clean;
use crate::redact::Labels;
use crate::snapshot::Value;

/// Roots of the run's machine: the project's folder and the home folders that the dump names.
pub(in crate::import) fn labels(project: Option<&str>) -> Labels {
    // A root of the file system is no project.
    match project.filter(|p| Path::new(p).components().count() > 1) {
        Some(root) => Labels::default().with(Path::new(root), "{project}"),
        None => Labels::default(),
    }
}

/// Records one parameter at `config.KEY…`, secrets as digests and paths relative to what they belong to, as a capture
/// does.
pub(in crate::import) fn put(draft: &mut Draft, labels: &Labels, keys: &[String], value: Value) {
    let name =
        keys.iter().rev().find(|key| !key.bytes().all(|b| b.is_ascii_digit())).cloned().unwrap_or_default();
    let path = ["config".to_owned()].into_iter().chain(keys.iter().cloned());
    draft.set_at(path, clean(labels, &name, value));
}

/// A parameter that was kept as text, with the type that YAML gives it.
pub(in crate::import) fn typed(text: &str) -> Value {
    // Only one line: a text with line breaks or a colon would be read as more than a value.
    let plain = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
    let parsed = plain.then(|| crate::probes::config::values(&format!("v: {text}"), false).ok()).flatten();
    match parsed.and_then(|values| values.into_iter().next()) {
        Some((_, value)) => value,
        None => text.into(),
    }
}
