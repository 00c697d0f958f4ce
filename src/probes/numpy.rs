//! The `numpy` section.

use super::library::native::{Package, imported};
use super::library::{blas, text};
use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Numpy;

impl Probe for Numpy {
    fn section(&self) -> &'static str {
        "numpy"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(package) = Package::find(cx, out, "numpy", "numpy")? else {
            return Ok(());
        };
        let version = host.maybe(package.dir.join("version.py")).unwrap_or_default();
        out.set_opt("git_commit", text::assigned(&version, "git_revision"));
        // NumPy 2 renamed `core` to `_core`; the extension calls the BLAS itself for `dot` and `matmul`.
        let folders = ["_core", "core"];
        let extension =
            folders.iter().find_map(|folder| package.extension(host, folder, "_multiarray_umath"));
        let Some(extension) = extension else {
            out.unknown("blas", "the package has no _multiarray_umath extension");
            return Ok(());
        };
        let loader = imported(host, package.interpreter, &extension);
        blas::record(&package, host, out, &loader);
        package.bundled(host, out, "numpy.libs");
        Ok(())
    }
}
