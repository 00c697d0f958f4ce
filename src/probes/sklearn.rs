//! The `sklearn` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Sklearn;

impl Probe for Sklearn {
    fn section(&self) -> &'static str {
        "sklearn"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
