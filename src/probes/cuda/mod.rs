//! The `cuda` section: toolkits, and the libraries that a framework would load.

mod client;
mod known;
mod toolkit;

use std::path::{Path, PathBuf};

use super::library::loader::{Object, Road};
use super::library::owner::Owners;
use super::python::interpreter::{EnvKind, Interpreter};
use super::{Context, Probe, ProbeError, Sink};
use crate::redact::Labels;
use client::Client;
use known::{LIBRARIES, Library};
use toolkit::Toolkit;

/// See the module.
pub struct Cuda;

impl Probe for Cuda {
    fn section(&self) -> &'static str {
        "cuda"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let found = cx.interpreter();
        let interpreter = found.as_ref().ok().copied().flatten();
        let conda = interpreter.filter(|i| i.kind == EnvKind::Conda).map(|i| i.prefix.clone());
        let conda = conda.or_else(|| host.env("CONDA_PREFIX").map(PathBuf::from));
        let section = Section {
            cx,
            labels: interpreter.map_or_else(|| cx.labels.clone(), |i| i.labels(host, &cx.labels)),
            interpreter,
            toolkits: toolkit::all(host, conda.as_deref()),
        };
        section.toolkits(out);
        section.libraries(out, &client::find(host, found?));
        Ok(())
    }
}

struct Section<'a> {
    cx: &'a Context,
    labels: Labels,
    interpreter: Option<&'a Interpreter>,
    toolkits: Vec<Toolkit>,
}

impl Section<'_> {
    fn toolkits(&self, out: &Sink) {
        let host = self.cx.host.as_ref();
        for toolkit in &self.toolkits {
            let root = self.labels.show(&toolkit.root);
            let set = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    out.set_at(["toolkits", &root, name], value);
                }
            };
            set("version", toolkit.version.clone());
            set("version_found_by", toolkit.version_found_by.map(str::to_owned));
            set("nvcc_version", toolkit.nvcc_version.clone());
            out.set_at(["toolkits", &root, "nvcc"], toolkit.nvcc);
            out.set_at(["toolkits", &root, "found_by"], toolkit.found_by.clone());
        }
        if let Some((home, road)) = toolkit::home(host) {
            out.set("home", self.labels.show(&home));
            out.set("home_found_by", road);
        }
        if let Some(nvcc) = toolkit::nvcc_on_path(host) {
            let root = nvcc.parent().and_then(Path::parent);
            let of = self.toolkits.iter().find(|toolkit| Some(toolkit.root.as_path()) == root);
            match of.and_then(|toolkit| toolkit.nvcc_version.clone()) {
                Some(version) => out.set("nvcc_version", version),
                None => out.unknown("nvcc_version", "its toolkit has no version.json"),
            }
            out.set("nvcc", self.labels.show(&nvcc));
        }
    }

    fn libraries(&self, out: &Sink, client: &Client<'_>) {
        let host = self.cx.host.as_ref();
        let owners = Owners::new(host, self.interpreter);
        let mut duplicates = Vec::new();
        let mut any = false;
        for library in LIBRARIES {
            let Some(index) = client::position(&client.loader, library) else {
                continue;
            };
            let Some(object) = client.loader.objects().get(index) else {
                continue;
            };
            any = true;
            let set = |name: &str, value: &str| out.set_at(["libraries", library.key, name], value);
            set("path", &self.labels.show(&object.file));
            set("path_found_by", &self.road(client, object));
            set("origin", self.origin(&owners, object));
            set("loaded", if index < client.imported { "import" } else { "first use" });
            match &object.fault {
                Some(fault) => out.unknown_at(["libraries", library.key, "build_id"], fault),
                None => {
                    if let Some(id) = &object.info.build_id {
                        set("build_id", id);
                    }
                }
            }
            match owners.version(&object.file, object.info.soname.as_deref(), &[library.wheel], library.conda)
            {
                Ok(Some(version)) => {
                    set("version", &version.text);
                    set("version_found_by", version.found_by);
                }
                Ok(None) => {}
                Err(reason) => out.unknown_at(["libraries", library.key, "version"], reason),
            }
            let also = client::others(&client.loader, library, index);
            if !also.is_empty() {
                let also: Vec<String> = also.iter().map(|o| self.labels.show(&o.file)).collect();
                out.set_at(["libraries", library.key, "also_loaded"], also);
            }
            let copies = self.copies(client, object, library);
            if copies.len() > 1 {
                duplicates.push(library.key);
                out.set_at(["libraries", library.key, "copies"], copies);
            }
            if library.key == "driver" {
                self.compat(out, object);
            }
        }
        if any {
            out.set("client", client.name);
        }
        if !duplicates.is_empty() {
            out.set("duplicates", duplicates);
        }
        if !client.missing.is_empty() {
            out.set("missing", client.missing.iter().map(|m| m.name.clone()).collect::<Vec<_>>());
        }
        self.compat_package(out);
    }

    /// By which rule a library wins over its other copies.
    fn road(&self, client: &Client<'_>, object: &Object) -> String {
        if object.road == Road::Path && client.preloaded.contains(&object.file) {
            return format!("preloaded by {}", client.name);
        }
        object.road.to_string()
    }

    /// Where the library came from.
    fn origin(&self, owners: &Owners<'_>, object: &Object) -> &'static str {
        let file = &object.file;
        if let Some(site) = owners.site(file) {
            // A wheel of its own, or inside the wheel of the framework that uses it.
            return if file.starts_with(site.join("nvidia")) { "wheel" } else { "bundled" };
        }
        if self
            .toolkits
            .iter()
            .any(|t| file.starts_with(&t.root) && !is_environment(&t.root, self.interpreter))
        {
            return "toolkit";
        }
        let conda = self.interpreter.filter(|i| i.kind == EnvKind::Conda);
        if conda.is_some_and(|i| file.starts_with(&i.prefix) || file.starts_with(&i.base_prefix)) {
            return "conda";
        }
        "system"
    }

    /// The copies that the search for the library comes by, the winner first.
    fn copies(&self, client: &Client<'_>, object: &Object, library: &Library) -> Vec<String> {
        // The name that others ask for: the soname, whatever the path by which it was preloaded.
        let name = object.info.soname.clone().unwrap_or_else(|| object.name());
        // Whoever needs it by name; for a preloaded one this is the object that would have found it.
        let objects = client.loader.objects();
        let by_need = objects.iter().position(|o| o.info.needed.contains(&name));
        let opener = client.loader.find(&[library.opened_by]).filter(|_| !library.opened_by.is_empty());
        let mut files = vec![(object.file.clone(), object.real.clone())];
        for copy in client.loader.copies(&name, by_need.or(opener).or(object.wanted_by)) {
            if files.iter().all(|(_, real)| *real != copy.1) {
                files.push(copy);
            }
        }
        files.iter().map(|(file, _)| self.labels.show(file)).collect()
    }

    /// Whether the driver library that wins is one of the forward-compatibility package.
    fn compat(&self, out: &Sink, driver: &Object) {
        let in_compat = driver.file.parent().and_then(Path::file_name).is_some_and(|dir| dir == "compat");
        out.set("compat.active", in_compat);
    }

    /// NVIDIA's forward-compatibility package: a newer libcuda.so for an older kernel module (CUDA Compatibility,
    /// "Forward Compatibility").
    fn compat_package(&self, out: &Sink) {
        let host = self.cx.host.as_ref();
        let roots = self.toolkits.iter().map(|t| t.root.clone()).chain([PathBuf::from("/usr/local/cuda")]);
        let library = roots.map(|root| root.join("compat/libcuda.so.1")).find(|path| host.exists(path));
        let Some(file) = library.and_then(|path| host.canonicalize(&path).ok()) else {
            return;
        };
        out.set("compat.path", self.labels.show(&file));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        out.set_opt("compat.version", name.strip_prefix("libcuda.so.").filter(|v| v.contains('.')));
    }
}

/// Whether a toolkit's folder is the environment itself, as conda lays toolkits out.
fn is_environment(root: &Path, interpreter: Option<&Interpreter>) -> bool {
    interpreter.is_some_and(|i| root == i.prefix || root == i.base_prefix)
}
