//! The `data` section.

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Data;

impl Probe for Data {
    fn section(&self) -> &'static str {
        "data"
    }

    fn wanted(&self, options: &super::Options) -> bool {
        !options.data.is_empty()
    }

    fn limit(&self, _: &super::Options) -> Option<std::time::Duration> {
        None
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
