//! The `container` section.

mod image;
mod runtime;

use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Container;

impl Probe for Container {
    fn section(&self) -> &'static str {
        "container"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        runtime::collect(host, out);
        image::apptainer(cx, out);
        image::podman(host, out);
        image::ngc(host, out);
        image::mlcube(cx, out);
        Ok(())
    }
}
