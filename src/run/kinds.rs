//! Libraries by their files' names.

/// A well-known library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name in `run.uses`.
    pub name: &'static str,
    /// Whether a program that loads it computes with it, so that its process counts.
    pub computes: bool,
    /// Whether it is the driver of a GPU.
    pub drives_gpu: bool,
}

/// A beginning of a stem, and the kind. The longest beginning that fits counts.
const KINDS: &[(&str, &str)] = &[
    ("libamdhip64", "hip"),
    ("libarmpl", "armpl"),
    ("libblas", "blas"),
    ("libblis", "blis"),
    ("libc10", "torch"),
    ("libcblas", "blas"),
    ("libccl", "oneccl"),
    ("libcublas", "cublas"),
    ("libcublasLt", "cublaslt"),
    ("libcuda", "cuda-driver"),
    ("libcudart", "cudart"),
    ("libcudnn", "cudnn"),
    ("libcufft", "cufft"),
    ("libcurand", "curand"),
    ("libcusolver", "cusolver"),
    ("libcusparse", "cusparse"),
    ("libcusparseLt", "cusparselt"),
    ("libcutensor", "cutensor"),
    ("libdnnl", "onednn"),
    ("libfftw3", "fftw"),
    ("libflexiblas", "flexiblas"),
    ("libgomp", "libgomp"),
    ("libhipblas", "hipblas"),
    ("libhipblaslt", "hipblaslt"),
    ("libhsa-runtime64", "hsa"),
    ("libiomp5", "libiomp5"),
    ("libjax", "jaxlib"),
    ("libjpeg", "libjpeg"),
    ("liblapack", "lapack"),
    ("libm", "libm"),
    ("libmkl", "mkl"),
    ("libmpi", "mpi"),
    ("libmvec", "libmvec"),
    ("libnccl", "nccl"),
    ("libnvinfer", "tensorrt"),
    ("libnvpl", "nvpl"),
    ("libomp", "libomp"),
    ("libonnxruntime", "onnxruntime"),
    ("libopenblas", "openblas"),
    ("libpng", "libpng"),
    ("librccl", "rccl"),
    ("librocblas", "rocblas"),
    ("libsatlas", "atlas"),
    ("libscipy_openblas", "openblas"),
    ("libsleef", "sleef"),
    ("libsvml", "svml"),
    ("libtatlas", "atlas"),
    ("libtbb", "tbb"),
    ("libtensorflow", "tensorflow"),
    ("libtorch", "torch"),
    ("libtpu", "tpu"),
    ("libturbojpeg", "libjpeg"),
    ("libwebp", "libwebp"),
    ("libze_loader", "level-zero"),
    ("libMIOpen", "miopen"),
];

/// Names that begin like one of [`KINDS`] and are something else: `libmagic` is not `libm`.
const WHOLE: [&str; 6] = ["libm", "libcuda", "libblas", "liblapack", "libomp", "libmpi"];

/// Kinds that any program may load.
const COMMON: [&str; 6] = ["libm", "libjpeg", "libpng", "libwebp", "libmvec", "tbb"];

const DRIVERS: [&str; 4] = ["cuda-driver", "hip", "level-zero", "tpu"];

/// Packages whose extension modules tell that they are loaded, by the first folder below a site folder.
const PACKAGES: [(&str, &str); 7] = [
    ("numpy", "numpy"),
    ("scipy", "scipy"),
    ("sklearn", "sklearn"),
    ("torch", "torch"),
    ("jaxlib", "jaxlib"),
    ("tensorflow", "tensorflow"),
    ("numba", "numba"),
];

/// The kind of the library of this stem.
pub fn of(stem: &str) -> Option<Kind> {
    let fits = |prefix: &&str| match WHOLE.contains(prefix) {
        // `libcuda` and `libcuda-12`, `libopenmpi` apart, but not `libcudart`.
        true => stem
            .strip_prefix(*prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.'])),
        false => stem.starts_with(prefix),
    };
    let known = KINDS.iter().filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len());
    known.map(|(_, name)| Kind { name, computes: !COMMON.contains(name), drives_gpu: DRIVERS.contains(name) })
}

/// The package that an extension module is of, by its path below a site folder.
pub fn package(below: &str) -> Option<&'static str> {
    let first = below.split('/').next()?;
    PACKAGES.iter().find(|(folder, _)| *folder == first).map(|(_, name)| *name)
}

/// A library's name without what changes from build to build: `libgomp` of `libgomp-e985bcbb.so.1.0.0`,
/// `libscipy_openblas64_` of `libscipy_openblas64_-32a4b2a6.so`, `libm` of `libm-2.31.so` and `libm.so.6`,
/// `libgfortran` of `libgfortran-040039e1-0352e75f.so.5.0.0`.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut stem = name.find(".so").map_or(name, |at| &name[..at]);
    // macOS: `libomp.dylib`, `libc++.1.dylib`.
    stem = stem.strip_suffix(".dylib").unwrap_or(stem);
    while let Some((front, last)) = stem.rsplit_once('-') {
        let is_hash = last.len() == 8 && last.bytes().all(|b| b.is_ascii_hexdigit());
        // NumPy's own builds before auditwheel: `libopenblas64_p-r0-0cf96a72.3.23.dev`.
        let is_old = last.split('.').next().is_some_and(|hash| {
            hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) && last.len() > 8
        });
        // OpenBLAS's: `libopenblasp-r0.3.21`.
        let is_release =
            last.strip_prefix('r').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if front.is_empty() || !(is_hash || is_version(last) || is_old || is_release) {
            break;
        }
        stem = front;
    }
    stem
}

/// The release in a library's file name: `2.31` of `libm-2.31.so`, `0.3.21` of `libopenblasp-r0.3.21.so`, and of the
/// libraries whose makers put it behind `.so`: `12.4.5.8` of `libcublas.so.12.4.5.8`. Elsewhere the numbers there are
/// those of libtool's interface (`libgomp.so.1.0.0` is of GCC 13 or any other).
pub fn version(path: &str) -> Option<&str> {
    /// Makers whose files are numbered by release, as kinds.
    const NUMBERED: [&str; 18] = [
        "cublas",
        "cublaslt",
        "cuda-driver",
        "cudart",
        "cudnn",
        "cufft",
        "curand",
        "cusolver",
        "cusparse",
        "cusparselt",
        "cutensor",
        "hip",
        "nccl",
        "onnxruntime",
        "rocblas",
        "tensorflow",
        "tensorrt",
        "onednn",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let at = name.find(".so")?;
    let before = name[..at].rsplit_once('-').map(|(_, last)| last.strip_prefix('r').unwrap_or(last));
    let after = name[at + 3..].strip_prefix('.');
    let numbered = of(stem(path)).is_some_and(|kind| NUMBERED.contains(&kind.name));
    before.filter(|text| is_version(text)).or_else(|| after.filter(|text| numbered && is_version(text)))
}

fn is_version(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a file is an extension module of Python: by its tag (PEP 3149), or by not being called `lib…`.
pub fn is_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let tagged = [".cpython-", ".abi3.", ".pypy", ".graalpy"].iter().any(|tag| name.contains(tag));
    tagged
        || (!name.starts_with("lib")
            && !name.starts_with("ld-")
            && !name.starts_with("ld64")
            && !name.starts_with("ld."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_and_versions() {
        for (file, expected, number) in [
            ("/x/libgomp-e985bcbb.so.1.0.0", "libgomp", None),
            ("libgomp.so.1", "libgomp", None),
            ("libscipy_openblas64_-32a4b2a6.so", "libscipy_openblas64_", None),
            ("libopenblas64_p-r0-0cf96a72.3.23.dev.so", "libopenblas64_p", None),
            ("libopenblasp-r0.3.21.so", "libopenblasp", Some("0.3.21")),
            ("libcublas.so.12.4.5.8", "libcublas", Some("12.4.5.8")),
            ("libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran", None),
            ("libm-2.31.so", "libm", Some("2.31")),
            ("ld-linux-x86-64.so.2", "ld-linux-x86-64", None),
            ("libstdc++.so.6.0.30", "libstdc++", None),
            ("libLLVM-17.so", "libLLVM-17", None),
            ("libomp.dylib", "libomp", None),
        ] {
            assert_eq!((stem(file), version(file)), (expected, number), "{file}");
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        for (name, expected) in [
            ("libcublasLt", Some("cublaslt")),
            ("libcublas", Some("cublas")),
            ("libcuda", Some("cuda-driver")),
            ("libcudart", Some("cudart")),
            ("libcudnn_engines_precompiled", Some("cudnn")),
            ("libm", Some("libm")),
            ("libmagic", None),
            ("libmkl_avx512", Some("mkl")),
            ("libmpi", Some("mpi")),
            ("libompitrace", None),
            ("libscipy_openblas64_", Some("openblas")),
            ("libtorch_cpu", Some("torch")),
            ("libcrypto", None),
        ] {
            assert_eq!(of(name).map(|kind| kind.name), expected, "{name}");
        }
    }

    #[test]
    fn extensions_are_no_libraries() {
        assert!(is_extension("/x/_C.cpython-311-x86_64-linux-gnu.so") && is_extension("/x/_rust.abi3.so"));
        assert!(!is_extension("/x/libz.so.1") && !is_extension("/lib64/ld-linux-x86-64.so.2"));
    }
}
