//! The `scipy` section.

use super::library::native::{Package, imported};
use super::library::{blas, text};
use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Scipy;

impl Probe for Scipy {
    fn section(&self) -> &'static str {
        "scipy"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(package) = Package::find(cx, out, "scipy", "scipy")? else {
            return Ok(());
        };
        let version = host.maybe(package.dir.join("version.py")).unwrap_or_default();
        out.set_opt("git_commit", text::assigned(&version, "git_revision"));
        let Some(extension) = package.extension(host, "linalg", "_fblas") else {
            out.unknown("blas", "the package has no linalg._fblas extension");
            return Ok(());
        };
        let loader = imported(host, package.interpreter, &extension);
        blas::record(&package, host, out, &loader);
        package.bundled(host, out, "scipy.libs");
        Ok(())
    }
}
