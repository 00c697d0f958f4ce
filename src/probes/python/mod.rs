//! The `python` section.

pub mod interpreter;

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Python;

impl Probe for Python {
    fn section(&self) -> &'static str {
        "python"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
