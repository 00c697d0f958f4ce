//! Who loads the CUDA libraries, and how: torch, a JAX plug-in, TensorFlow, or nobody that we know.

use std::path::{Path, PathBuf};

use super::known::{LIBRARIES, Library};
use crate::host::Host;
use crate::probes::library::loader::{Loader, Missing, Object};
use crate::probes::library::native::process;
use crate::probes::library::text;
use crate::probes::python::interpreter::Interpreter;
use crate::probes::torch::process::import;

/// What the CUDA runtime, linked statically or not, opens at its first use.
const DRIVER: &str = "libcuda.so.1";

/// A process that has loaded its CUDA libraries.
pub(super) struct Client<'a> {
    /// `torch`, `jax`, `tensorflow` or `none`.
    pub(super) name: &'static str,
    /// What is loaded.
    pub(super) loader: Loader<'a>,
    /// How many objects are loaded by the import; those after them are loaded at first use.
    pub(super) imported: usize,
    /// Files that the framework loads by their path before it needs them.
    pub(super) preloaded: Vec<PathBuf>,
    /// Libraries that the import would not find.
    pub(super) missing: Vec<Missing>,
}

/// The client of this environment: torch where it is installed, else JAX's CUDA plug-in, else TensorFlow, else a
/// program that nobody knows.
pub(super) fn find<'a>(host: &'a dyn Host, interpreter: Option<&Interpreter>) -> Client<'a> {
    let Some(interpreter) = interpreter else {
        return nobody(host);
    };
    if let Some(dir) = interpreter.package_dir(host, "torch").filter(|dir| host.exists(&dir.join("lib"))) {
        return torch(host, interpreter, &dir);
    }
    if let Some((dir, library)) = jax_plugin(host, interpreter) {
        return jax(host, interpreter, &dir, &library);
    }
    if let Some(dir) = interpreter.package_dir(host, "tensorflow") {
        let names = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
        if let Some(library) = names.iter().map(|name| dir.join(name)).find(|path| host.exists(path)) {
            let (mut loader, python) = process(host, interpreter);
            let (opener, missing) = loader.open(&library.to_string_lossy(), python);
            return with_stubs("tensorflow", loader, opener, Vec::new(), missing);
        }
    }
    nobody(host)
}

fn torch<'a>(host: &'a dyn Host, interpreter: &Interpreter, dir: &Path) -> Client<'a> {
    let version = host.maybe(dir.join("version.py")).unwrap_or_default();
    let process = import(host, interpreter, dir, text::assigned(&version, "cuda"));
    let mut loader = process.loader;
    let imported = loader.mark();
    // `torch.linalg` opens its library from libtorch_cpu.so (`at::DynamicLibrary`).
    let linalg = host.exists(&dir.join("lib/libtorch_cuda_linalg.so"));
    if let Some(cpu) = loader.find(&["libtorch_cpu.so"]).filter(|_| linalg) {
        loader.open("libtorch_cuda_linalg.so", Some(cpu));
    }
    open_at_first_use(&mut loader);
    if let Some(cuda) = find_library(&loader, "libcudart").or_else(|| loader.find(&["libtorch_cuda.so"])) {
        loader.open(DRIVER, Some(cuda));
    }
    Client { name: "torch", loader, imported, preloaded: process.preloaded, missing: process.missing }
}

/// Loads the libraries that loaded ones open by name when they are first used.
fn open_at_first_use(loader: &mut Loader<'_>) {
    for library in LIBRARIES.iter().filter(|l| !l.opened_by.is_empty()) {
        let Some(opener) = find_library(loader, library.opened_by) else {
            continue;
        };
        let soname = loader.objects().get(opener).and_then(|o| o.info.soname.clone()).unwrap_or_default();
        let version = match (library.key, soname.split_once(".so.")) {
            // libnvrtc-builtins.so.13.0 is named after the release: only a preload or the folder tells it.
            ("nvrtc_builtins", _) | (_, None) => continue,
            (_, Some((_, version))) => version,
        };
        loader.open(&library.soname(version), Some(opener));
    }
}

/// The loaded object of the library with this stem.
fn find_library(loader: &Loader<'_>, stem: &str) -> Option<usize> {
    loader.find(&[&format!("{stem}.so"), &format!("{stem}-")])
}

/// The newest CUDA plug-in of JAX: its folder and its library.
fn jax_plugin(host: &dyn Host, interpreter: &Interpreter) -> Option<(PathBuf, PathBuf)> {
    let plugins = interpreter.package_dir(host, "jax_plugins")?;
    let mut names: Vec<String> =
        host.names(&plugins).into_iter().filter(|n| n.starts_with("xla_cuda")).collect();
    names.sort_by_key(|name| name.trim_start_matches("xla_cuda").parse::<u32>().unwrap_or_default());
    names.into_iter().rev().find_map(|name| {
        let dir = plugins.join(name);
        let library = dir.join("xla_cuda_plugin.so");
        host.exists(&library).then_some((dir, library))
    })
}

/// JAX loads the libraries of the wheels by path, as the plug-in's `__init__.py` lists them, then the plug-in.
fn jax<'a>(host: &'a dyn Host, interpreter: &Interpreter, dir: &Path, library: &Path) -> Client<'a> {
    let (mut loader, python) = process(host, interpreter);
    let init = host.maybe(dir.join("__init__.py")).unwrap_or_default();
    let mut preloaded = Vec::new();
    for (module, names) in loads(&init) {
        let lib = interpreter.site_packages.iter().map(|site| site.join("nvidia").join(module).join("lib"));
        let Some(lib) = lib.into_iter().find(|lib| host.exists(lib)) else {
            continue;
        };
        for name in names {
            let known = loader.mark();
            loader.open(&lib.join(name).to_string_lossy(), python);
            preloaded.extend(loader.objects().get(known).map(|o| o.file.clone()));
        }
    }
    let (opener, missing) = loader.open(&library.to_string_lossy(), python);
    with_stubs("jax", loader, opener, preloaded, missing)
}

/// The calls `_load("cublas", ["libcublas.so.12", "libcublasLt.so.12"])` in a plug-in's `__init__.py`.
fn loads(init: &str) -> Vec<(&str, Vec<&str>)> {
    let calls = init.split("_load(").skip(1).filter_map(|call| call.split_once("])").map(|(args, _)| args));
    let calls = calls.filter_map(|args| {
        let mut literals = text::literals(args);
        Some((literals.next()?, literals.filter(|name| name.starts_with("lib")).collect()))
    });
    calls.collect()
}

/// XLA and TensorFlow link no CUDA library: stubs inside them open each by its soname when it is first used.
fn with_stubs<'a>(
    name: &'static str,
    mut loader: Loader<'a>,
    opener: Option<usize>,
    preloaded: Vec<PathBuf>,
    missing: Vec<Missing>,
) -> Client<'a> {
    let imported = loader.mark();
    let names = loader.names(opener);
    for library in LIBRARIES.iter().filter(|l| l.opened_by.is_empty() || l.opened_by.starts_with("libtorch"))
    {
        if let Some(name) = names.iter().find(|name| library.is(name) && is_soname(name)) {
            loader.open(name, opener);
        }
    }
    open_at_first_use(&mut loader);
    let opener = find_library(&loader, "libcudart").or(opener);
    loader.open(DRIVER, opener);
    Client { name, loader, imported, preloaded, missing }
}

/// What a program with no search path of its own would find.
fn nobody(host: &dyn Host) -> Client<'_> {
    with_stubs("none", Loader::empty(host), None, Vec::new(), Vec::new())
}

/// `libcublas.so.12` and `libcudart.so.11.0`, the forms that programs ask for; not `libcublas.so`, which only the
/// linker uses, nor `libcublas.so.12.4.5.8`, the file itself.
fn is_soname(name: &str) -> bool {
    name.split_once(".so.").is_some_and(|(_, version)| version.split('.').count() <= 2)
}

/// The first loaded object that is this library: the one that whoever needs it by name gets.
pub(super) fn position(loader: &Loader<'_>, library: &Library) -> Option<usize> {
    loader.objects().iter().position(|o| is(library, o))
}

/// The objects after the one at `first` that are this library too, but of another file.
pub(super) fn others<'b>(loader: &'b Loader<'_>, library: &Library, first: usize) -> Vec<&'b Object> {
    loader.objects().iter().skip(first + 1).filter(|o| is(library, o)).collect()
}

/// Whether an object is this library, by the name under which it was loaded or by its soname.
fn is(library: &Library, object: &Object) -> bool {
    let soname = object.info.soname.as_deref();
    library.is(&object.name()) || soname.is_some_and(|soname| library.is(soname))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_of_a_jax_plugin() {
        // jax_plugins/xla_cuda12/__init__.py of 0.6.
        let text = "  def _load(module, libraries):\n    pass\n  _load(\"cuda_runtime\", [\"libcudart.so.12\"])\n  \
                    _load(\"cublas\", [\n      \"libcublas.so.12\",\n      \"libcublasLt.so.12\",\n  ])\n";
        assert_eq!(
            loads(text),
            [
                ("cuda_runtime", vec!["libcudart.so.12"]),
                ("cublas", vec!["libcublas.so.12", "libcublasLt.so.12"])
            ]
        );
    }

    #[test]
    fn sonames() {
        assert!(is_soname("libcublas.so.12") && is_soname("libcudart.so.11.0"));
        assert!(!is_soname("libcublas.so") && !is_soname("libcublas.so.12.4.5.8"));
    }
}
