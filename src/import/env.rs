//! Environment variables in dumps.

use super::Draft;
use crate::probes::env::of_dump;

/// Records a variable that a capture would record; build variables of NVIDIA's images also as `container.ngc`.
pub fn variable(draft: &mut Draft, name: &str, value: &str) {
    if let Some(recorded) = of_dump(name, value) {
        draft.set_at(["env", name], recorded);
    }
    let ngc = name.strip_prefix("NVIDIA_").filter(|rest| {
        matches!(*rest, "BUILD_ID" | "BUILD_REF" | "PRODUCT_NAME") || rest.ends_with("_VERSION")
    });
    if let Some(name) = ngc.filter(|_| !value.is_empty()) {
        draft.set_at(["container", "ngc", &name.to_ascii_lowercase()], value);
    }
}

/// `NAME=VALUE` at the beginning of a line, as `env` prints it.
pub fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    is_name(name).then(|| (name, value.trim_end()))
}

/// Whether a shell would take this as a variable's name.
pub fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
