//! The `sklearn` section.

use super::library::native::{Package, imported, openmp};
use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Sklearn;

impl Probe for Sklearn {
    fn section(&self) -> &'static str {
        "sklearn"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(package) = Package::find(cx, out, "sklearn", "scikit-learn")? else {
            return Ok(());
        };
        if let Some(extension) = package.extension(host, "utils", "_openmp_helpers") {
            let loader = imported(host, package.interpreter, &extension);
            if let Some(object) = openmp(&loader) {
                package.record(out, "openmp", object);
            }
        }
        package.bundled(host, out, "scikit_learn.libs");
        Ok(())
    }
}
