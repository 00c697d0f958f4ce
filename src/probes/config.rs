//! The `config` section.

use super::{Context, Probe, ProbeError, Sink};

/// stub
pub fn check(_: &dyn crate::host::Host, _: &super::Options) -> Result<(), crate::error::Error> { Ok(()) }

/// See the module.
pub struct Config;

impl Probe for Config {
    fn section(&self) -> &'static str {
        "config"
    }

    fn wanted(&self, options: &super::Options) -> bool {
        !options.config.is_empty()
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let _ = (cx, out);
        Ok(())
    }
}
