"""Prints what the libraries in this environment really selected, as one line of JSON after `REPORT `.

Started by tests/it/cpu.rs with MKL_VERBOSE=1 and ONEDNN_VERBOSE=1, whose lines the test reads as well.
"""

import ctypes
import json
import os
import pathlib
import sysconfig

report = {}


def team():
    """The size of a team that libgomp really starts, through the entry point that compilers emit."""
    sizes = []
    body = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: sizes.append(gomp.omp_get_num_threads()))
    gomp.GOMP_parallel(body, None, 0, 0)
    return len(sizes)


site = pathlib.Path(sysconfig.get_paths()["purelib"])
gomp = ctypes.CDLL(str(site / "torch/lib/libgomp.so.1"))
report["threads.libgomp"] = team()

import numpy
import numpy._core._multiarray_umath as umath
import scipy.linalg
import threadpoolctl

# Before torch: with OMP_PROC_BIND libgomp has bound this thread by now.
libraries = threadpoolctl.threadpool_info()
report["dispatch.openblas_wheel"] = sorted({lib["architecture"] for lib in libraries if lib["internal_api"] == "openblas"})
report["threads.openblas_wheel"] = sorted({lib["num_threads"] for lib in libraries if lib["internal_api"] == "openblas"})
report["dispatch.numpy"] = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]

from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
import joblib

report["threads.sklearn_openmp"] = _openmp_effective_n_threads()
report["threads.loky"] = joblib.cpu_count()
report["threads.python_cpu_count"] = os.cpu_count()
report["threads.python_process_cpu_count"] = len(os.sched_getaffinity(0))

import torch

report["dispatch.aten"] = torch.backends.cpu.get_cpu_capability().lower()
report["torch.get_num_threads"] = torch.get_num_threads()
report["threads.torch"] = team()
report["threads.torch_interop"] = torch.get_num_interop_threads()
info = [line.split(":") for line in torch.__config__.parallel_info().splitlines() if "mkl_get_max_threads" in line]
report["mkl_get_max_threads"] = int(info[0][1])
report["omp_get_thread_limit"] = gomp.omp_get_thread_limit()
report["versions"] = {"torch": torch.__version__, "numpy": numpy.__version__}

square = torch.randn(64, 64)
square @ square
torch.nn.functional.conv2d(torch.randn(8, 64, 32, 32), torch.randn(64, 64, 3, 3))
print("REPORT " + json.dumps(report), flush=True)
