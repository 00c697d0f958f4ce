//! The `cuda` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Cuda;

impl Probe for Cuda {
    fn section(&self) -> &'static str {
        "cuda"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
