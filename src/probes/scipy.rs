//! The `scipy` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Scipy;

impl Probe for Scipy {
    fn section(&self) -> &'static str {
        "scipy"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
