# Asks this interpreter what only it knows, for `driftlock capture --deep`. Started with `-c`, one process per part;
# argv: the part. Prints one line, the tag and a JSON object, and exits with 0 whenever it could print it:
#   driftlock/deep/1 {"result": "success", "facts": {...}}
#   driftlock/deep/1 {"result": "error", "kind": "missing|import|internal", "message": "..."}
# Runs on Python 3.6 and later. Nothing here may initialise a device.
import os
import sys

# `-c` puts the working directory first; a file there must not stand in for a library.
sys.path[:] = [entry for entry in sys.path if entry != ""]
# Libraries print while they are imported: keep the real standard output apart, and send theirs to standard error.
answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import json  # noqa: E402


class Missing(Exception):
    pass


class ImportFailed(Exception):
    pass


def load(name):
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise Missing(name)
        raise ImportFailed("%s: %s" % (type(error).__name__, error))
    except BaseException as error:
        raise ImportFailed("%s: %s" % (type(error).__name__, error))


def ask(facts, name, function):
    """One fact; a question that this version of the library does not know is left out."""
    try:
        value = function()
    except Exception:
        return
    if value is not None:
        facts[name] = value


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(item) for item in value)
    return str(value)


def interpreter():
    names = [name for name in dir(sys.flags) if not name.startswith(("_", "n_", "count", "index"))]
    facts = {
        "version": sys.version,
        "flags": {name: plain(getattr(sys.flags, name)) for name in names},
        "sys_path": list(sys.path),
        "float_repr_style": sys.float_repr_style,
        "filesystem_encoding": sys.getfilesystemencoding(),
        "hash_algorithm": sys.hash_info.algorithm,
        "modules_at_start": sorted(
            name for name in sys.modules if name in ("sitecustomize", "usercustomize", "coverage", "ddtrace")
        ),
    }
    import locale

    ask(facts, "preferred_encoding", lambda: locale.getpreferredencoding(False))
    ask(facts, "gil_enabled", lambda: sys._is_gil_enabled())
    return facts


def threadpools():
    """What threadpoolctl, where it is installed, says of the libraries that are loaded now."""
    try:
        info = load("threadpoolctl").threadpool_info()
    except (Missing, ImportFailed):
        return None
    pools = {}
    for pool in sorted(info, key=lambda pool: (str(pool.get("internal_api")), str(pool.get("filepath")))):
        pools[str(len(pools))] = {str(key): plain(value) for key, value in pool.items() if value is not None}
    return pools


def torch():
    torch = load("torch")
    backends = torch.backends
    facts = {"version": torch.__version__}
    ask(facts, "config", lambda: torch.__config__.show())
    ask(facts, "parallel_info", lambda: torch.__config__.parallel_info())
    ask(facts, "cpu_capability", lambda: backends.cpu.get_cpu_capability())
    ask(facts, "num_threads", lambda: torch.get_num_threads())
    ask(facts, "num_interop_threads", lambda: torch.get_num_interop_threads())
    ask(facts, "default_dtype", lambda: str(torch.get_default_dtype()))
    ask(facts, "deterministic_algorithms", lambda: torch.are_deterministic_algorithms_enabled())
    ask(facts, "deterministic_warn_only", lambda: torch.is_deterministic_algorithms_warn_only_enabled())
    ask(facts, "fill_uninitialized_memory", lambda: torch.utils.deterministic.fill_uninitialized_memory)
    ask(facts, "float32_matmul_precision", lambda: torch.get_float32_matmul_precision())
    # `torch.cuda.get_arch_list()` asks for devices first; this is what it returns then.
    ask(facts, "cuda_arch_list", lambda: torch._C._cuda_getArchFlags().split() if torch.version.cuda else None)
    ask(facts, "cudnn_version", lambda: backends.cudnn.version())
    ask(facts, "nccl_version", lambda: ".".join(map(str, torch.cuda.nccl.version())))
    flags = {
        "cudnn": (backends.cudnn, "enabled benchmark benchmark_limit deterministic allow_tf32 fp32_precision"),
        "cudnn_conv": (getattr(backends.cudnn, "conv", None), "fp32_precision"),
        "cudnn_rnn": (getattr(backends.cudnn, "rnn", None), "fp32_precision"),
        "cuda_matmul": (
            backends.cuda.matmul,
            "allow_tf32 fp32_precision allow_fp16_reduced_precision_reduction"
            " allow_bf16_reduced_precision_reduction allow_fp16_accumulation",
        ),
        "mkldnn": (getattr(backends, "mkldnn", None), "enabled deterministic allow_tf32 fp32_precision"),
        "mkldnn_matmul": (getattr(getattr(backends, "mkldnn", None), "matmul", None), "fp32_precision"),
        "mkldnn_conv": (getattr(getattr(backends, "mkldnn", None), "conv", None), "fp32_precision"),
        "mkldnn_rnn": (getattr(getattr(backends, "mkldnn", None), "rnn", None), "fp32_precision"),
        "opt_einsum": (getattr(backends, "opt_einsum", None), "enabled strategy"),
        "backends": (backends, "fp32_precision"),
    }
    found = {}
    for group, (holder, names) in flags.items():
        values = {}
        for name in names.split():
            ask(values, name, lambda: plain(getattr(holder, name)))
        if values:
            found[group] = values
    ask(found.setdefault("mkldnn", {}), "available", lambda: backends.mkldnn.is_available())
    ask(found.setdefault("mkl", {}), "available", lambda: backends.mkl.is_available())
    ask(found.setdefault("openmp", {}), "available", lambda: backends.openmp.is_available())
    sdp = {}
    for name in ("flash", "mem_efficient", "math", "cudnn"):
        ask(sdp, name, lambda: getattr(backends.cuda, name + "_sdp_enabled")())
    ask(sdp, "fp16_bf16_reduction_math", lambda: backends.cuda.fp16_bf16_reduction_math_sdp_allowed())
    found["sdp"] = sdp
    # The value of the setting alone: the getter proper would look for a device.
    ask(found.setdefault("linalg", {}), "preferred", lambda: str(torch._C._get_linalg_preferred_backend()))
    ask(found.setdefault("blas", {}), "preferred", lambda: str(torch._C._get_blas_preferred_backend()))
    facts["backends"] = found
    ask(facts, "threadpool", threadpools)
    return facts


def numpy():
    numpy = load("numpy")
    facts = {"version": numpy.__version__}
    umath = None
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        if umath is None:
            try:
                umath = load(name)
            except (Missing, ImportFailed):
                pass
    ask(facts, "cpu_features", lambda: sorted(name for name, on in umath.__cpu_features__.items() if on))
    ask(facts, "cpu_baseline", lambda: list(umath.__cpu_baseline__))
    ask(facts, "cpu_dispatch", lambda: list(umath.__cpu_dispatch__))

    def config():
        tree = numpy.show_config(mode="dicts")
        keep = {}
        for part in ("Compilers", "Build Dependencies"):
            for name, values in tree.get(part, {}).items():
                # Folders and commands are those of the machine that built it.
                fields = ("name", "version", "linker", "openblas configuration")
                keep[name] = {key.replace(" ", "_"): plain(values[key]) for key in fields if key in values}
        return keep

    ask(facts, "config", config)
    ask(facts, "errstate", lambda: plain(numpy.geterr()))
    ask(facts, "threadpool", threadpools)
    return facts


def scipy():
    scipy = load("scipy")
    load("scipy.linalg")
    facts = {"version": scipy.__version__}
    ask(facts, "threadpool", threadpools)
    return facts


def sklearn():
    sklearn = load("sklearn")
    facts = {"version": sklearn.__version__}
    ask(facts, "config", lambda: plain(sklearn.get_config()))
    load("sklearn.cluster")
    ask(facts, "threadpool", threadpools)
    return facts


def jax():
    jax = load("jax")
    facts = {"version": jax.__version__}
    ask(facts, "config", lambda: plain(dict(jax.config.values)))
    ask(facts, "jaxlib_version", lambda: load("jaxlib").__version__)
    return facts


def tensorflow():
    tf = load("tensorflow")
    facts = {"version": tf.__version__}
    ask(facts, "build", lambda: plain(dict(tf.sysconfig.get_build_info())))
    ask(facts, "compile_flags", lambda: [flag for flag in tf.sysconfig.get_compile_flags() if "/" not in flag])
    ask(facts, "tf32", lambda: tf.config.experimental.tensor_float_32_execution_enabled())
    # No public name reads this setting.
    framework = "tensorflow.python.framework.config"
    ask(facts, "op_determinism", lambda: load(framework).is_op_determinism_enabled())
    ask(facts, "intra_op_threads", lambda: tf.config.threading.get_intra_op_parallelism_threads())
    ask(facts, "inter_op_threads", lambda: tf.config.threading.get_inter_op_parallelism_threads())
    return facts


def main():
    parts = [interpreter, torch, numpy, scipy, sklearn, jax, tensorflow]
    part = {function.__name__: function for function in parts}[sys.argv[1]]
    try:
        reply = {"result": "success", "facts": part()}
    except Missing as error:
        reply = {"result": "error", "kind": "missing", "message": str(error)}
    except ImportFailed as error:
        reply = {"result": "error", "kind": "import", "message": str(error)}
    except BaseException as error:
        reply = {"result": "error", "kind": "internal", "message": "%s: %s" % (type(error).__name__, error)}
    answer.write("driftlock/deep/1 " + json.dumps(reply, sort_keys=True) + "\n")
    answer.flush()
    # Threads of a library must not keep the process alive, nor its exit handlers crash it.
    os._exit(0)


main()
