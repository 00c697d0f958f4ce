//! An installed Python package with native code, and the process that imports it.

use std::path::{Path, PathBuf};

use super::loader::{Loader, Object};
use super::text;
use crate::host::Host;
use crate::probes::python::interpreter::Interpreter;
use crate::probes::{Context, ProbeError, Sink};
use crate::redact::Labels;

/// A package that the interpreter would import.
pub struct Package<'a> {
    /// The interpreter.
    pub interpreter: &'a Interpreter,
    /// The package's folder.
    pub dir: PathBuf,
    /// How paths of its environment are shown.
    pub labels: Labels,
}

impl<'a> Package<'a> {
    /// The package `module`, installed by the distribution `distribution`; records `version`, `version_found_by`,
    /// `metadata_version`, `path` and `editable`.
    pub fn find(
        cx: &'a Context,
        out: &Sink,
        module: &str,
        distribution: &str,
    ) -> Result<Option<Self>, ProbeError> {
        let host = cx.host.as_ref();
        let Some(interpreter) = cx.interpreter()? else {
            return Ok(None);
        };
        let Some(dir) = interpreter.package_dir(host, module) else {
            return Ok(None);
        };
        let version = match text::version(host, &dir) {
            Some(own) => {
                // The whole answer to which distribution an import finds costs a look at its files where there are
                // several; here it is enough that one of them is of this release.
                let versions = metadata_versions(host, interpreter, distribution);
                if versions.iter().all(|version| release(version) != release(&own)) {
                    out.set_opt("metadata_version", versions.into_iter().next());
                }
                (own, "package files")
            }
            None => match interpreter.distribution(host, distribution) {
                Some(distribution) => (distribution.version, "distribution metadata"),
                // A folder of this name that is not the package: a namespace, or what an uninstallation left.
                None => return Ok(None),
            },
        };
        let labels = interpreter.labels(host, &cx.labels);
        out.set("version", version.0);
        out.set("version_found_by", version.1);
        out.set("path", labels.show(&dir));
        let in_site = interpreter.site_packages.iter().any(|site| dir.starts_with(site));
        out.set("editable", !in_site);
        Ok(Some(Self { interpreter, dir, labels }))
    }

    /// The path of the first file in `folder` of the package whose name begins with `stem` and ends with `.so`:
    /// the name of an extension module holds the interpreter's tag.
    pub fn extension(&self, host: &dyn Host, folder: &str, stem: &str) -> Option<PathBuf> {
        extension(host, &self.dir.join(folder), stem)
    }

    /// Records, as `companions.MODULE`, the versions of packages that go with this one: pairs of a module and its
    /// distribution.
    pub fn companions(&self, host: &dyn Host, out: &Sink, packages: &[(&str, &str)]) {
        for (module, distribution) in packages {
            let Some(dir) = self.interpreter.package_dir(host, module) else {
                continue;
            };
            let version = text::version(host, &dir)
                .or_else(|| self.interpreter.distribution(host, distribution).map(|d| d.version));
            out.set_opt(&format!("companions.{module}"), version);
        }
    }

    /// Records `PREFIX.path` and `PREFIX.build_id` of a library.
    pub fn record(&self, out: &Sink, prefix: &str, object: &Object) {
        out.set(&format!("{prefix}.path"), self.labels.show(&object.file));
        match &object.fault {
            Some(fault) => out.unknown(&format!("{prefix}.build_id"), fault),
            None => out.set_opt(&format!("{prefix}.build_id"), object.info.build_id.clone()),
        }
    }

    /// Records the libraries that a repaired wheel carries in the folder `NAME.libs` beside the package (auditwheel)
    /// as `bundled.FAMILY`: `libgomp-e985bcbb.so.1.0.0` is of the family `libgomp`.
    pub fn bundled(&self, host: &dyn Host, out: &Sink, folder: &str) {
        let Some(dir) = self.dir.parent().map(|site| site.join(folder)) else {
            return;
        };
        let mut families: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
        for name in host.names(&dir).into_iter().filter(|name| name.contains(".so")) {
            let family = family(&name).to_owned();
            let id = match host.elf(&dir.join(&name)) {
                Ok(info) => info.build_id.unwrap_or_else(|| "none".to_owned()),
                Err(error) => {
                    out.unknown_at(["bundled", &family, "build_ids"], error);
                    continue;
                }
            };
            match families.iter_mut().find(|(known, ..)| *known == family) {
                Some((_, names, ids)) => {
                    names.push(name);
                    ids.push(id);
                }
                None => families.push((family, vec![name], vec![id])),
            }
        }
        for (family, names, ids) in families {
            out.set_at(["bundled", &family, "files"], names);
            out.set_at(["bundled", &family, "build_ids"], ids);
        }
    }
}

/// The interpreter's process before any import, and the object whose `dlopen` loads extension modules: libpython
/// where the interpreter has one, else the program itself.
pub fn process<'a>(host: &'a dyn Host, interpreter: &Interpreter) -> (Loader<'a>, Option<usize>) {
    let loader = Loader::start(host, &interpreter.executable, &interpreter.prefix);
    let caller = loader.find(&["libpython3", "libpython2"]).or(Some(0));
    (loader, caller)
}

/// The process after the import of one extension module.
pub fn imported<'a>(host: &'a dyn Host, interpreter: &Interpreter, extension: &Path) -> Loader<'a> {
    let (mut loader, caller) = process(host, interpreter);
    loader.open(&extension.to_string_lossy(), caller);
    loader
}

/// The extension module of this stem in a folder.
pub fn extension(host: &dyn Host, folder: &Path, stem: &str) -> Option<PathBuf> {
    let is = |name: &String| {
        name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".so"))
    };
    host.names(folder).into_iter().find(is).map(|name| folder.join(name))
}

/// The OpenMP runtime of a process: GNU's, Intel's or LLVM's.
pub fn openmp<'b>(loader: &'b Loader<'_>) -> Option<&'b Object> {
    loader.find(&["libgomp", "libiomp5", "libomp"]).and_then(|index| loader.objects().get(index))
}

/// The versions in the names of the `*.dist-info` folders of this distribution.
fn metadata_versions(host: &dyn Host, interpreter: &Interpreter, distribution: &str) -> Vec<String> {
    let wanted = distribution.replace('-', "_");
    let names = interpreter.site_packages.iter().flat_map(|site| host.names(site));
    let version = |name: String| {
        let (name, version) = name.strip_suffix(".dist-info")?.split_once('-')?;
        let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
        (name == wanted).then(|| version.to_owned())
    };
    names.filter_map(version).collect()
}

/// The release of a version: without its local part (PEP 440).
fn release(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

/// `libgomp` of `libgomp-e985bcbb.so.1.0.0`, `libgfortran` of `libgfortran-040039e1-0352e75f.so.5.0.0`: the name up to
/// the first hash that auditwheel, or NumPy's own build before it, puts in.
fn family(name: &str) -> &str {
    let stem = name.split(".so").next().unwrap_or(name);
    let is_hash = |rest: &str| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits == 8 && rest[8..].bytes().next().is_none_or(|b| b == b'-' || b == b'.')
    };
    let hash = stem.match_indices('-').find(|(at, _)| is_hash(&stem[at + 1..]));
    hash.map_or(stem, |(at, _)| &stem[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        assert_eq!(family("libgfortran-040039e1-0352e75f.so.5.0.0"), "libgfortran");
        assert_eq!(family("libscipy_openblas64_-32a4b2a6.so"), "libscipy_openblas64_");
        assert_eq!(family("libopenblas64_p-r0-0cf96a72.3.23.dev.so"), "libopenblas64_p-r0");
        assert_eq!(family("libgomp.so.1"), "libgomp");
    }
}
