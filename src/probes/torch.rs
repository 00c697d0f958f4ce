//! The `torch` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Torch;

impl Probe for Torch {
    fn section(&self) -> &'static str {
        "torch"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
