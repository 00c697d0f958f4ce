//! The `jax` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Jax;

impl Probe for Jax {
    fn section(&self) -> &'static str {
        "jax"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
