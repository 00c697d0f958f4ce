//! Which CUDA libraries `import torch` loads by itself before its own, as `torch/__init__.py` says.
//!
//! The rules have changed from release to release, so they are read from the installed file:
//!
//! - Since 1.13 a table of libraries is loaded from the `nvidia-*` wheels where `libtorch_global_deps.so` cannot be
//!   loaded, because its dependencies are not found.
//! - Since 2.5 nvJitLink, since 2.6 NVRTC, and since 2.8 the whole table is loaded also where it can, so that
//!   `LD_LIBRARY_PATH` does not bring in another copy (pytorch issues 138460 and 145580).

use crate::probes::library::text::literals;

/// A folder under `nvidia/` and a file name pattern `libcublas.so.*[0-9]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `cublas`, for `nvidia/cublas/lib`.
    pub folder: String,
    /// What the file name begins with: `libcublas.so.`.
    pub stem: String,
}

impl Pattern {
    fn new(folder: &str, glob: &str) -> Option<Self> {
        let stem = glob.strip_suffix("*[0-9]").filter(|stem| stem.starts_with("lib"))?;
        Some(Self { folder: folder.to_owned(), stem: stem.to_owned() })
    }

    /// Whether a file name fits.
    pub fn fits(&self, name: &str) -> bool {
        name.strip_prefix(&self.stem).is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
    }
}

/// What one release of torch loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preload {
    /// Where `libtorch_global_deps.so` cannot be loaded, in this order.
    pub on_failure: Vec<Pattern>,
    /// Where it can, in this order.
    pub on_success: Vec<Pattern>,
    /// `on_success` holds only where the path of a mapped file contains this.
    pub if_mapped: Option<String>,
    /// `on_success` holds only for these CUDA versions; empty for all.
    pub if_cuda: Vec<String>,
}

impl Preload {
    /// Reads `torch/__init__.py`:
    ///
    /// ```text
    ///     cuda_libs: list[tuple[str, str]] = [
    ///         ("cublas", "libcublasLt.so.*[0-9]"),
    ///     …
    ///         ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)
    ///         …
    ///             if "libcudart.so" not in _maps:
    ///                 return
    ///             _preload_cuda_deps()
    ///         …
    ///     except OSError as err:
    /// ```
    pub fn parse(text: &str) -> Self {
        let mut preload = Self::default();
        // Rows of the table; 2.4 and before have it as a dictionary inside `_load_global_deps`.
        for line in text.lines().map(str::trim_start).filter(|line| line.starts_with(['(', '"'])) {
            preload.on_failure.extend(pair(line));
        }
        let success = text
            .split_once("ctypes.CDLL(global_deps_lib_path")
            .and_then(|(_, rest)| rest.split_once("except OSError"))
            .map_or("", |(success, _)| success);
        for line in success.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if line.contains(" not in _maps") {
                preload.if_mapped = literals(line).next().map(str::to_owned);
            } else if line.contains("version.cuda not in") {
                let versions = line.split_once("not in").map_or("", |(_, list)| list);
                preload.if_cuda = literals(versions).map(str::to_owned).collect();
            } else if line == "_preload_cuda_deps()" {
                preload.on_success = preload.on_failure.clone();
            } else if line.starts_with("_preload_cuda") {
                preload.on_success.extend(pair(line));
            }
        }
        preload
    }
}

/// The first two literals of a line as a pattern.
fn pair(line: &str) -> Option<Pattern> {
    let mut literals = literals(line);
    Pattern::new(literals.next()?, literals.next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(folder: &str, stem: &str) -> Pattern {
        Pattern { folder: folder.to_owned(), stem: stem.to_owned() }
    }

    #[test]
    fn the_whole_table() {
        // torch 2.13.
        let text = r#"
    cuda_libs: list[tuple[str, str]] = [
        # NOTE: Order matters! We must preload libcublasLt BEFORE libcublas
        ("cublas", "libcublasLt.so.*[0-9]"),
        ("cuda_nvrtc", "libnvrtc.so.*[0-9]"),
    ]
        ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)
        # See https://github.com/pytorch/pytorch/issues/145580
            if "libcudart.so" not in _maps:
                return
            _preload_cuda_deps()
    except OSError as err:
        _preload_cuda_deps(err)
        ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)
"#;
        let table = vec![pattern("cublas", "libcublasLt.so."), pattern("cuda_nvrtc", "libnvrtc.so.")];
        let preload = Preload::parse(text);
        assert_eq!(preload.on_success, table);
        assert_eq!(preload.on_failure, table);
        assert_eq!(preload.if_mapped.as_deref(), Some("libcudart.so"));
        assert!(table[1].fits("libnvrtc.so.13") && !table[1].fits("libnvrtc.alt.so.13"));
    }

    #[test]
    fn only_some_for_some_versions() {
        // torch 2.5.1.
        let text = r#"
        ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)
        if version.cuda not in ["12.4", "12.6"]:  # type: ignore[name-defined]
            return
            if "nvidia/cuda_runtime/lib/libcudart.so" not in _maps:
                return
            _preload_cuda_deps("nvjitlink", "libnvJitLink.so.*[0-9]")
    except OSError as err:
        cuda_libs: Dict[str, str] = {
            "cublas": "libcublas.so.*[0-9]",
        }
"#;
        let preload = Preload::parse(text);
        assert_eq!(preload.on_success, [pattern("nvjitlink", "libnvJitLink.so.")]);
        assert_eq!(preload.on_failure, [pattern("cublas", "libcublas.so.")]);
        assert_eq!(preload.if_cuda, ["12.4", "12.6"]);
        assert_eq!(Preload::parse(""), Preload::default());
    }
}
