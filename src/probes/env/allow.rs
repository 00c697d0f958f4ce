//! Which variables are recorded without being asked for: data, in alphabetical order.
//!
//! A variable is here when it can move a result or is often blamed for one. What kind of fact it is (a list, private,
//! volatile) stands in `src/facts/env.toml`. Variables that tell a process its part in a job are not here: the
//! `scheduler` section says what they mean.

/// Names.
pub(super) const NAMES: &str = "\
    ATEN_CPU_CAPABILITY CONDA_DEFAULT_ENV CONDA_PREFIX CPATH CPLUS_INCLUDE_PATH C_INCLUDE_PATH \
    DISABLE_ADDMM_CUDA_LT DS_ACCELERATOR DYLD_FALLBACK_LIBRARY_PATH DYLD_INSERT_LIBRARIES \
    DYLD_LIBRARY_PATH GLIBC_TUNABLES GOTO_NUM_THREADS GPU_DEVICE_ORDINAL HF_DATASETS_CACHE \
    HF_DATASETS_OFFLINE HF_ENDPOINT HF_HOME HF_HUB_CACHE HF_HUB_OFFLINE HUGGINGFACE_HUB_CACHE I_MPI_CBWR \
    KERAS_BACKEND KERAS_HOME LANG LANGUAGE LD_AUDIT LD_BIND_NOW LD_LIBRARY_PATH LD_PRELOAD LIBRARY_PATH \
    LIBTPU_INIT_ARGS LOCPATH LOKY_MAX_CPU_COUNT MALLOC_ARENA_MAX MALLOC_PERTURB_ MAX_JOBS MUSL_LOCPATH \
    NEURON_CC_FLAGS NEURON_RT_STOCHASTIC_ROUNDING_EN NPROC NSIGHT_CUDA_DEBUGGER PATH PJRT_DEVICE \
    PL_SEED_WORKERS POLARS_MAX_THREADS RAYON_NUM_THREADS SCIPY_ARRAY_API SEED SOURCE_DATE_EPOCH \
    TBB_NUM_THREADS TOKENIZERS_PARALLELISM TRANSFORMERS_CACHE TRANSFORMERS_OFFLINE TZ TZDIR USE_FLAX \
    USE_TF USE_TORCH VECLIB_MAXIMUM_THREADS VIRTUAL_ENV";

/// Beginnings of names.
pub(super) const PREFIXES: &str = "\
    ACCELERATE_ ARMPL_ BLIS_ CCL_ CUBLAS CUDA_ CUDNN_ CUPY_ DNNL_ FLASHINFER_ FLASH_ATTENTION_ FSDP_ \
    GOMP_ HIPBLASLT_ HIP_ HOROVOD_ HSA_ I_MPI_ADJUST_ JAX_ KMP_ LC_ MIGRAPHX_ MIOPEN_ MKL_ NCCL_ NPY_ \
    NUMBA_ NUMEXPR_ NUMPY_ NVCC_ NVFUSER_ NVIDIA_ NVPL_ NVSHMEM_ NVTE_ OMPI_MCA_coll OMP_ ONEDNN_ \
    OPENBLAS_ ORT_ PYTHON PYTORCH_ RCCL_ ROCBLAS_ ROCR_ SGLANG_ SKLEARN_ SYCL_ TF_ TORCH TRITON_ VLLM_ \
    XLA_ ZE_";

/// Ends of names.
pub(super) const SUFFIXES: &str = "\
    _DETERMINISTIC _SEED";

/// Names that a prefix takes in by accident: Terraform's, and what the sections `container` and `scheduler` say.
pub(super) const EXCEPT: &str = "\
    HOROVOD_CROSS_* HOROVOD_LOCAL_* HOROVOD_RANK HOROVOD_SIZE NVIDIA_*_VERSION NVIDIA_BUILD_ID \
    NVIDIA_BUILD_REF NVIDIA_PRODUCT_NAME TF_CLI_* TF_DATA_DIR TF_INPUT TF_IN_AUTOMATION TF_LOG TF_LOG_* \
    TF_PLUGIN_CACHE_* TF_REATTACH_PROVIDERS TF_REGISTRY_* TF_VAR_* TF_WORKSPACE TORCHELASTIC_RUN_ID";

/// Whether a variable is recorded without being asked for.
pub(crate) fn allows(name: &str) -> bool {
    let words = str::split_ascii_whitespace;
    let listed = words(NAMES).any(|n| n == name)
        || words(PREFIXES).any(|p| name.starts_with(p))
        || words(SUFFIXES).any(|s| name.ends_with(s));
    listed && !words(EXCEPT).any(|glob| super::glob::matches(glob, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_nothing_is_said_twice() {
        for list in [NAMES, PREFIXES, SUFFIXES, EXCEPT] {
            assert!(list.split_ascii_whitespace().is_sorted_by(|a, b| a < b), "{list}");
        }
        for name in NAMES.split_ascii_whitespace() {
            let covered = PREFIXES.split_ascii_whitespace().find(|p| name.starts_with(p));
            assert_eq!(covered, None, "{name}");
        }
    }

    #[test]
    fn what_moves_results_is_allowed_and_terraform_is_not() {
        let yes = [
            "OMP_NUM_THREADS",
            "CUBLAS_WORKSPACE_CONFIG",
            "CUBLASLT_WORKSPACE_SIZE",
            "NVIDIA_TF32_OVERRIDE",
            "PATH",
            "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
            "TORCHINDUCTOR_CACHE_DIR",
            "PL_GLOBAL_SEED",
            "SEED",
            "TZ",
            "LC_ALL",
            "XLA_FLAGS",
            "TF_DETERMINISTIC_OPS",
            "PYTHONHASHSEED",
            "GLIBC_TUNABLES",
            "HF_HUB_OFFLINE",
            "MY_SEED",
        ];
        let no = [
            "HOME",
            "HF_TOKEN",
            "TF_VAR_region",
            "TF_CLI_CONFIG_FILE",
            "NVIDIA_PYTORCH_VERSION",
            "RANK",
            "SLURM_JOB_ID",
            "HOSTNAME",
            "TERM",
            "HOROVOD_RANK",
            "TORCHELASTIC_RUN_ID",
            "EDITOR",
        ];
        assert_eq!(yes.iter().filter(|n| !allows(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(no.iter().filter(|n| allows(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }
}
