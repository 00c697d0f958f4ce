//! The process that `import torch` makes, worked out from files.

use std::path::{Path, PathBuf};

use super::preload::{Pattern, Preload};
use crate::host::Host;
use crate::probes::library::loader::{Loader, Missing};
use crate::probes::library::native::{extension, process};
use crate::probes::python::interpreter::Interpreter;

/// An interpreter after `import torch`.
pub struct TorchProcess<'a> {
    /// What is loaded.
    pub loader: Loader<'a>,
    /// The libraries that the import would not find: it fails, where there are any.
    pub missing: Vec<Missing>,
    /// The libraries, by their path, that torch loads by itself before its own.
    pub preloaded: Vec<PathBuf>,
}

/// Imports the torch in the folder `dir`, which is built for the CUDA version `cuda`.
pub fn import<'a>(
    host: &'a dyn Host,
    interpreter: &Interpreter,
    dir: &Path,
    cuda: Option<&str>,
) -> TorchProcess<'a> {
    let (loader, python) = process(host, interpreter);
    let mut import = Import { host, interpreter, cuda, loader, ctypes: python, preloaded: Vec::new() };
    // `ctypes.CDLL` calls `dlopen` from its extension module, whose RPATH counts in conda.
    if let Some(ctypes) = import.ctypes_extension() {
        import.ctypes = import.loader.open(&ctypes.to_string_lossy(), python).0.or(python);
    }
    import.global_deps(dir);
    let mut missing = Vec::new();
    if let Some(extension) = extension(host, dir, "_C") {
        (_, missing) = import.loader.open(&extension.to_string_lossy(), python);
        missing.sort();
        missing.dedup();
    }
    TorchProcess { loader: import.loader, missing, preloaded: import.preloaded }
}

struct Import<'a, 'b> {
    host: &'a dyn Host,
    interpreter: &'b Interpreter,
    cuda: Option<&'b str>,
    loader: Loader<'a>,
    ctypes: Option<usize>,
    preloaded: Vec<PathBuf>,
}

impl Import<'_, '_> {
    fn ctypes_extension(&self) -> Option<PathBuf> {
        let version = self.interpreter.version.as_deref()?;
        let series: Vec<&str> = version.split('.').take(2).collect();
        let lib = self.interpreter.base_prefix.join("lib").join(format!("python{}", series.join(".")));
        extension(self.host, &lib.join("lib-dynload"), "_ctypes")
    }

    /// `_load_global_deps` of `torch/__init__.py`.
    fn global_deps(&mut self, dir: &Path) {
        let library = dir.join("lib/libtorch_global_deps.so");
        if !self.host.exists(&library) {
            return;
        }
        let library = library.to_string_lossy().into_owned();
        let mark = self.loader.mark();
        let (_, missing) = self.loader.open(&library, self.ctypes);
        let preload = Preload::parse(&self.host.maybe(dir.join("__init__.py")).unwrap_or_default());
        if !missing.is_empty() {
            self.loader.unload(mark);
            self.preload(&preload.on_failure);
            self.loader.open(&library, self.ctypes);
            return;
        }
        let mapped = |text: &String| {
            self.loader.objects().iter().any(|o| o.real.to_string_lossy().contains(text.as_str()))
        };
        let cuda = preload.if_cuda.is_empty()
            || self.cuda.is_some_and(|cuda| preload.if_cuda.iter().any(|c| c == cuda));
        if cuda && preload.if_mapped.as_ref().is_none_or(mapped) {
            self.preload(&preload.on_success);
        }
    }

    /// `_preload_cuda_deps`: it ends with an exception at the first library that is not there.
    fn preload(&mut self, patterns: &[Pattern]) {
        for pattern in patterns {
            let Some(path) = self.wheel_file(pattern) else {
                return;
            };
            let known = self.loader.mark();
            let (_, missing) = self.loader.open(&path.to_string_lossy(), self.ctypes);
            if let Some(object) = self.loader.objects().get(known) {
                self.preloaded.push(object.file.clone());
            }
            if !missing.is_empty() {
                return;
            }
        }
    }

    /// `_get_cuda_dep_paths`: in the first folder of `sys.path` that has one.
    fn wheel_file(&self, pattern: &Pattern) -> Option<PathBuf> {
        let major = self.cuda.and_then(|cuda| cuda.split('.').next());
        self.interpreter.site_packages.iter().find_map(|site| {
            let folders = [
                Some(site.join("nvidia").join(&pattern.folder)),
                major.map(|major| site.join("nvidia").join(format!("cu{major}"))),
                Some(site.join(&pattern.folder)),
            ];
            folders.into_iter().flatten().find_map(|folder| {
                let lib = folder.join("lib");
                // `glob.glob` gives them in the order of the folder, which nobody knows; there is one of each.
                self.host.names(&lib).into_iter().find(|name| pattern.fits(name)).map(|name| lib.join(name))
            })
        })
    }
}
