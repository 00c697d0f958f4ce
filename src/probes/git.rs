//! The `git` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Git;

impl Probe for Git {
    fn section(&self) -> &'static str {
        "git"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
