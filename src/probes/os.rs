//! The `os` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Os;

impl Probe for Os {
    fn section(&self) -> &'static str {
        "os"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
