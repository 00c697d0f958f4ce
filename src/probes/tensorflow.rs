//! The `tensorflow` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Tensorflow;

impl Probe for Tensorflow {
    fn section(&self) -> &'static str {
        "tensorflow"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
