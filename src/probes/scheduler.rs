//! The `scheduler` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Scheduler;

impl Probe for Scheduler {
    fn section(&self) -> &'static str {
        "scheduler"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
