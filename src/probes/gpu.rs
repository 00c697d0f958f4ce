//! The `gpu` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Gpu;

impl Probe for Gpu {
    fn section(&self) -> &'static str {
        "gpu"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
