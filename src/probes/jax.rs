//! The `jax` section.

use super::library::loader::Loader;
use super::library::native::{Package, imported};
use super::library::text;
use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;

/// See the module.
pub struct Jax;

/// Distributions that bring a device to JAX.
const PLUGINS: [&str; 11] = [
    "jax-cuda12-plugin",
    "jax-cuda12-pjrt",
    "jax-cuda13-plugin",
    "jax-cuda13-pjrt",
    "jax-cuda11-plugin",
    "jax-rocm60-plugin",
    "jax-rocm60-pjrt",
    "jax-rocm7-plugin",
    "jax-rocm7-pjrt",
    "jax-metal",
    "libtpu",
];

/// Packages whose releases go with JAX's: the module, and the distribution.
const COMPANIONS: [(&str, &str); 5] = [
    ("flax", "flax"),
    ("optax", "optax"),
    ("equinox", "equinox"),
    ("ml_dtypes", "ml-dtypes"),
    ("haiku", "dm-haiku"),
];

impl Probe for Jax {
    fn section(&self) -> &'static str {
        "jax"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(package) = Package::find(cx, out, "jax", "jax")? else {
            return Ok(());
        };
        let interpreter = package.interpreter;
        let jaxlib = interpreter.package_dir(host, "jaxlib");
        let own = jaxlib.as_deref().and_then(|dir| text::version(host, dir));
        out.set_opt("jaxlib", own.or_else(|| interpreter.distribution(host, "jaxlib").map(|d| d.version)));
        for name in PLUGINS {
            out.set_opt(&format!("plugins.{name}"), interpreter.distribution(host, name).map(|d| d.version));
        }
        package.companions(host, out, &COMPANIONS);
        if let Some(dir) = jaxlib {
            libraries(&package, host, out, &dir);
        }
        if let Some(plugins) = interpreter.package_dir(host, "jax_plugins") {
            for name in host.names(&plugins).into_iter().filter(|name| name.starts_with("xla_")) {
                let path = plugins.join(&name).join("xla_cuda_plugin.so");
                if host.exists(&path) {
                    let mut loader = Loader::empty(host);
                    if let Some(object) = loader.open(&path.to_string_lossy(), None).0 {
                        record(&package, out, &name, &loader, object);
                    }
                }
            }
        }
        Ok(())
    }
}

/// XLA's compiler and CPU runtime: one library since 0.6 (`libjax_common.so`), inside the extension before.
fn libraries(package: &Package<'_>, host: &dyn Host, out: &Sink, jaxlib: &std::path::Path) {
    let names = host.names(jaxlib);
    let extension =
        names.iter().find(|n| n.as_str() == "_jax.so" || n.as_str() == "xla_extension.so").cloned();
    let extension =
        extension.or_else(|| names.into_iter().find(|n| n.starts_with("_jax.") && n.ends_with(".so")));
    let Some(extension) = extension else { return };
    let path = jaxlib.join(&extension);
    let loader = imported(host, package.interpreter, &path);
    for (name, stem) in [("extension", extension.as_str()), ("common", "libjax_common.so")] {
        if let Some(object) = loader.find(&[stem]) {
            record(package, out, name, &loader, object);
        }
    }
}

fn record(package: &Package<'_>, out: &Sink, name: &str, loader: &Loader<'_>, index: usize) {
    if let Some(object) = loader.objects().get(index) {
        package.record(out, &format!("libraries.{name}"), object);
    }
}
