//! The CUDA libraries whose code computes, compiles or communicates: their names in files, wheels and conda.

/// A CUDA library.
pub(super) struct Library {
    /// Its name in the snapshot.
    pub(super) key: &'static str,
    /// What its file name begins with, before `.so`.
    pub(super) stem: &'static str,
    /// The wheel, without `nvidia-` and `-cu12`, underscores for hyphens as in the name of a `.dist-info` folder.
    pub(super) wheel: &'static str,
    /// conda packages (conda-forge and NVIDIA's channel).
    pub(super) conda: &'static [&'static str],
    /// The library that loads it at first use with `dlopen`, by its stem; empty where it is linked.
    pub(super) opened_by: &'static str,
}

const CUDNN: &[&str] = &["libcudnn", "cudnn"];

/// A part of cuDNN 9 or 8, which libcudnn.so opens when it is first used.
const fn cudnn(key: &'static str, stem: &'static str) -> Library {
    Library { key, stem, wheel: "cudnn", conda: CUDNN, opened_by: "libcudnn" }
}

const fn linked(
    key: &'static str,
    stem: &'static str,
    wheel: &'static str,
    conda: &'static [&'static str],
) -> Library {
    Library { key, stem, wheel, conda, opened_by: "" }
}

const fn opened(
    key: &'static str,
    stem: &'static str,
    wheel: &'static str,
    conda: &'static [&'static str],
    opened_by: &'static str,
) -> Library {
    Library { key, stem, wheel, conda, opened_by }
}

/// Every library that is looked for, those that others open after the ones that open them.
pub(super) static LIBRARIES: &[Library] = &[
    linked("cudart", "libcudart", "cuda_runtime", &["cuda-cudart", "cudatoolkit"]),
    linked("cublas", "libcublas", "cublas", &["libcublas", "cudatoolkit"]),
    linked("cublasLt", "libcublasLt", "cublas", &["libcublas", "cudatoolkit"]),
    linked("cufft", "libcufft", "cufft", &["libcufft", "cudatoolkit"]),
    linked("curand", "libcurand", "curand", &["libcurand", "cudatoolkit"]),
    opened("cusolver", "libcusolver", "cusolver", &["libcusolver", "cudatoolkit"], "libtorch_cuda_linalg"),
    linked("cusparse", "libcusparse", "cusparse", &["libcusparse", "cudatoolkit"]),
    linked("cusparseLt", "libcusparseLt", "cusparselt", &["cusparselt"]),
    linked("cudnn", "libcudnn", "cudnn", CUDNN),
    cudnn("cudnn_graph", "libcudnn_graph"),
    cudnn("cudnn_ops", "libcudnn_ops"),
    cudnn("cudnn_cnn", "libcudnn_cnn"),
    cudnn("cudnn_adv", "libcudnn_adv"),
    cudnn("cudnn_heuristic", "libcudnn_heuristic"),
    cudnn("cudnn_engines_precompiled", "libcudnn_engines_precompiled"),
    cudnn("cudnn_engines_runtime_compiled", "libcudnn_engines_runtime_compiled"),
    cudnn("cudnn_ops_infer", "libcudnn_ops_infer"),
    cudnn("cudnn_ops_train", "libcudnn_ops_train"),
    cudnn("cudnn_cnn_infer", "libcudnn_cnn_infer"),
    cudnn("cudnn_cnn_train", "libcudnn_cnn_train"),
    cudnn("cudnn_adv_infer", "libcudnn_adv_infer"),
    cudnn("cudnn_adv_train", "libcudnn_adv_train"),
    linked("nccl", "libnccl", "nccl", &["nccl"]),
    linked("nvrtc", "libnvrtc", "cuda_nvrtc", &["cuda-nvrtc", "cudatoolkit"]),
    opened("nvrtc_builtins", "libnvrtc-builtins", "cuda_nvrtc", &["cuda-nvrtc", "cudatoolkit"], "libnvrtc"),
    linked("nvJitLink", "libnvJitLink", "nvjitlink", &["libnvjitlink"]),
    linked("nvshmem", "libnvshmem_host", "nvshmem", &["libnvshmem3", "libnvshmem"]),
    linked("cupti", "libcupti", "cuda_cupti", &["cuda-cupti", "cudatoolkit"]),
    linked("nvtx", "libnvToolsExt", "nvtx", &["cuda-nvtx"]),
    linked("cufile", "libcufile", "cufile", &["libcufile"]),
    linked("driver", "libcuda", "", &[]),
];

impl Library {
    /// Whether a file name is this library's: `libcudart.so.12`, and `libcudart-d0da41ae.so.11.0` as auditwheel
    /// renames it.
    pub(super) fn is(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.stem) else {
            return false;
        };
        let rest = match rest.strip_prefix('-').and_then(|rest| rest.split_at_checked(8)) {
            Some((hash, rest)) if hash.bytes().all(|b| b.is_ascii_hexdigit()) => rest,
            _ => rest,
        };
        rest == ".so" || rest.starts_with(".so.")
    }

    /// The name that a program asks for: the soname's form, `libcudnn_ops.so.9` for the version part `9`.
    pub(super) fn soname(&self, version: &str) -> String {
        format!("{}.so.{version}", self.stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let key = |name: &str| LIBRARIES.iter().filter(|l| l.is(name)).map(|l| l.key).collect::<Vec<_>>();
        assert_eq!(key("libcublas.so.12"), ["cublas"]);
        assert_eq!(key("libcublasLt.so.12.4.5.8"), ["cublasLt"]);
        assert_eq!(key("libcudart-d0da41ae.so.11.0"), ["cudart"]);
        assert_eq!(key("libnvrtc-builtins.so.13.0"), ["nvrtc_builtins"]);
        assert_eq!(key("libcudnn.so"), ["cudnn"]);
        assert_eq!(key("libcudadevrt.a"), [""; 0]);
    }
}
