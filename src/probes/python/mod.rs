//! The `python` section.

mod discover;
mod editable;
pub mod interpreter;
pub mod layout;
mod literal;
mod names;
mod pyenv;
pub mod sites;
mod version;

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
