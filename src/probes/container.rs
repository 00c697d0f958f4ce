//! The `container` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Container;

impl Probe for Container {
    fn section(&self) -> &'static str {
        "container"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
