//! The BLAS that a package's extension module would load.

use std::path::Path;

use super::loader::{Loader, Object};
use super::native::Package;
use super::owner::{Owners, all_digits};
use super::text;
use crate::host::Host;
use crate::probes::Sink;

/// Implementations by the beginning of the file's name, in the order in which they are looked for: a `libcblas.so.3`
/// may be a wrapper around, or a link to, any of them.
const IMPLEMENTATIONS: [(&str, &str); 13] = [
    ("libscipy_openblas", "OpenBLAS"),
    ("libopenblas", "OpenBLAS"),
    ("libmkl_rt", "MKL"),
    ("libmkl_core", "MKL"),
    ("libnvpl_blas", "NVPL"),
    ("libarmpl", "ArmPL"),
    ("libblis", "BLIS"),
    ("libflexiblas", "FlexiBLAS"),
    ("libtatlas", "ATLAS"),
    ("libsatlas", "ATLAS"),
    ("libcblas", ""),
    ("libblas", ""),
    ("liblapack", ""),
];

/// Implementations by a folder above a file with a common name, as Debian's alternatives lay them out:
/// `/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3`.
const FOLDERS: [(&str, &str); 5] = [
    ("openblas", "OpenBLAS"),
    ("mkl", "MKL"),
    ("blis", "BLIS"),
    ("atlas", "ATLAS"),
    ("flexiblas", "FlexiBLAS"),
];

/// Records `blas.*` of the package whose extension module has been imported in `loader`.
pub fn record(package: &Package<'_>, host: &dyn Host, out: &Sink, loader: &Loader<'_>) {
    let config =
        host.maybe(package.dir.join("__config__.py")).map(|text| built_with(&text)).unwrap_or_default();
    let Some((name, object)) = loaded(loader) else {
        // Linked statically, or no BLAS at all: what the package says of its build is all there is.
        out.set_opt("blas.name", config.name.clone());
        out.set_opt("blas.name_found_by", config.name.map(|_| "build configuration"));
        return;
    };
    out.set("blas.name", name);
    out.set("blas.name_found_by", "loaded library");
    package.record(out, "blas", object);
    let own_folder = object.file.parent().and_then(Path::file_name).is_some_and(|dir| {
        // `numpy.libs` and the `.libs` inside the package of older wheels.
        dir.to_string_lossy().ends_with(".libs")
    });
    if let Some(version) =
        openblas_version(&object.name()).or_else(|| openblas_version(&file_name(&object.file)))
    {
        out.set("blas.version", version);
        out.set("blas.version_found_by", "file name");
    } else if own_folder {
        // The wheel was linked with the library it carries, so its build configuration describes it. In conda and
        // in distributions it describes the build machine.
        out.set_opt("blas.version", config.version.clone());
        out.set_opt("blas.version_found_by", config.version.map(|_| "build configuration"));
        out.set_opt("blas.build", config.build);
    } else {
        let owners = Owners::new(host, Some(package.interpreter));
        let packages: &[&str] = if name == "MKL" { &["mkl"] } else { &["libopenblas", "openblas", "blis"] };
        let version = owners.version(&object.file, object.info.soname.as_deref(), packages, packages);
        out.set_opt(
            "blas.version_found_by",
            version.as_ref().ok().and_then(Option::as_ref).map(|v| v.found_by),
        );
        out.set_result("blas.version", version.map(|v| v.map(|v| v.text)));
    }
}

/// The implementation among the loaded objects.
fn loaded<'a>(loader: &'a Loader<'_>) -> Option<(&'static str, &'a Object)> {
    IMPLEMENTATIONS.iter().find_map(|(prefix, name)| {
        let object = loader
            .objects()
            .iter()
            .find(|o| [file_name(&o.file), o.name()].iter().any(|file| file.starts_with(prefix)))?;
        let by_folder = || {
            let path = object.file.to_string_lossy().to_ascii_lowercase();
            FOLDERS.iter().find(|(folder, _)| path.contains(folder)).map_or("reference", |(_, name)| name)
        };
        Some((if name.is_empty() { by_folder() } else { *name }, object))
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// `0.3.27` of `libopenblasp-r0.3.27.so` and of `libopenblas64_p-r0-0cf96a72.3.23.dev.so`.
fn openblas_version(file: &str) -> Option<String> {
    let (_, release) = file.strip_suffix(".so")?.split_once("-r")?;
    // auditwheel puts its hash behind the first part of the name, and the version holds a dot.
    let release = match release.split_once('-') {
        Some((first, rest)) => format!("{first}.{}", rest.split_once('.')?.1),
        None => release.to_owned(),
    };
    release.split('.').next().is_some_and(all_digits).then_some(release)
}

/// What `__config__.py` of NumPy and SciPy says of the BLAS that the build found.
#[derive(Debug, Default, PartialEq, Eq)]
struct BuiltWith {
    name: Option<String>,
    version: Option<String>,
    build: Option<String>,
}

/// Reads the `"blas"` entry of the `CONFIG` that meson writes (NumPy 1.26, SciPy 1.11 and later):
///
/// ```text
/// "Build Dependencies": { "blas": { "name": "scipy-openblas", "version": "0.3.31", "openblas configuration": r"OpenBLAS 0.3.31 …" }, … }
/// ```
fn built_with(text: &str) -> BuiltWith {
    let entry =
        text.split_once("\"blas\"").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(entry, _)| entry);
    let value = |key: &str| {
        let (_, rest) = entry.split_once(&format!("\"{key}\":"))?;
        text::literals(rest.lines().next()?)
            .next()
            .filter(|v| !v.is_empty() && *v != "unknown")
            .map(str::to_owned)
    };
    BuiltWith { name: value("name"), version: value("version"), build: value("openblas configuration") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_file_names() {
        assert_eq!(openblas_version("libopenblasp-r0.3.27.so"), Some("0.3.27".to_owned()));
        assert_eq!(
            openblas_version("libopenblas64_p-r0-0cf96a72.3.23.dev.so"),
            Some("0.3.23.dev".to_owned())
        );
        assert_eq!(openblas_version("libscipy_openblas64_-32a4b2a6.so"), None);
        assert_eq!(openblas_version("libmkl_rt.so.2"), None);
    }

    #[test]
    fn the_build_configuration() {
        let text = "CONFIG = _cleanup(\n  {\n  \"Build Dependencies\": {\n    \"blas\": {\n      \"name\": \"scipy-openblas\",\n      \
                    \"found\": bool(\"True\".lower()),\n      \"version\": \"0.3.31.188.0\",\n      \
                    \"openblas configuration\": r\"OpenBLAS 0.3.31.188.0 Haswell\",\n    },\n    \"lapack\": {\n      \"name\": \"x\"";
        let built = built_with(text);
        assert_eq!(built.name.as_deref(), Some("scipy-openblas"));
        assert_eq!(built.version.as_deref(), Some("0.3.31.188.0"));
        assert_eq!(built.build.as_deref(), Some("OpenBLAS 0.3.31.188.0 Haswell"));
        assert_eq!(built_with("blas_info={}"), BuiltWith::default());
    }
}
