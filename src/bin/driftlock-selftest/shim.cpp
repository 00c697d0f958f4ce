// What tch 0.24 does not bind: flags of libtorch, words about it, load. A C interface; no exception leaves it.
// Each function writes words (an answer or an error) into `err` of `n` bytes and returns 0 where it worked.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/DeviceType.h>
#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/core/StreamGuard.h>
#include <dlfcn.h>

#include <thread>
#include <vector>
#include <cstring>
#include <string>

namespace {
void put(char* buf, size_t n, const char* s) {
  if (!buf || n == 0) return;
  std::strncpy(buf, s, n - 1);
  buf[n - 1] = 0;
}
}
#define GUARD(...)                                               \
  try { __VA_ARGS__; return 0; }                                  \
  catch (const c10::Error& e) { put(err, n, e.what_without_backtrace()); return 1; } \
  catch (const std::exception& e) { put(err, n, e.what()); return 2; }  \
  catch (...) { put(err, n, "unknown C++ exception"); return 3; }

extern "C" {
int dl_set(const char* key, int64_t v, char* err, size_t n) {
  GUARD({
    auto& c = at::globalContext();
    std::string k(key);
    bool b = v != 0;
    if (k == "deterministic_algorithms") c.setDeterministicAlgorithms(b, v == 2);
    else if (k == "fill_uninitialized_memory") c.setDeterministicFillUninitializedMemory(b);
    else if (k == "cudnn.deterministic") c.setDeterministicCuDNN(b);
    else if (k == "cudnn.benchmark") c.setBenchmarkCuDNN(b);
    else if (k == "cudnn.benchmark_limit") c.setBenchmarkLimitCuDNN((int)v);
    else if (k == "cudnn.enabled") c.setUserEnabledCuDNN(b);
    else if (k == "cudnn.allow_tf32") c.setAllowTF32CuDNN(b);
    else if (k == "cuda.matmul.allow_tf32") c.setAllowTF32CuBLAS(b);
    else if (k == "cuda.matmul.allow_fp16_reduced") c.setAllowFP16ReductionCuBLAS(b, v != 2);
    else if (k == "cuda.matmul.allow_bf16_reduced") c.setAllowBF16ReductionCuBLAS(b, v != 2);
    else if (k == "cuda.matmul.allow_fp16_accumulation") c.setAllowFP16AccumulationCuBLAS(b);
    else if (k == "mkldnn.enabled") c.setUserEnabledMkldnn(b);
    else if (k == "mkldnn.deterministic") c.setDeterministicMkldnn(b);
    else if (k == "nnpack.enabled") c.setUserEnabledNNPACK(b);
    else if (k == "sdp.flash") c.setSDPUseFlash(b);
    else if (k == "sdp.mem_efficient") c.setSDPUseMemEfficient(b);
    else if (k == "sdp.math") c.setSDPUseMath(b);
    else if (k == "sdp.cudnn") c.setSDPUseCuDNN(b);
    else if (k == "flush_denormal") { if (!at::Context::setFlushDenormal(b)) throw std::runtime_error("flush_denormal unsupported"); }
    else if (k == "blas_backend") c.setBlasPreferredBackend((at::BlasBackend)v);
    else if (k == "linalg_backend") c.setLinalgPreferredBackend((at::LinalgBackend)v);
    else throw std::invalid_argument("driftlock shim: unknown flag " + k);
  })
}
int dl_get(const char* key, int64_t* out, char* err, size_t n) {
  GUARD({
    auto& c = at::globalContext();
    std::string k(key);
    if (k == "deterministic_algorithms") *out = c.deterministicAlgorithms() ? (c.deterministicAlgorithmsWarnOnly() ? 2 : 1) : 0;
    else if (k == "fill_uninitialized_memory") *out = c.deterministicFillUninitializedMemory();
    else if (k == "cudnn.deterministic") *out = c.deterministicCuDNN();
    else if (k == "cudnn.benchmark") *out = c.benchmarkCuDNN();
    else if (k == "cudnn.allow_tf32") *out = c.allowTF32CuDNN();
    else if (k == "cuda.matmul.allow_tf32") *out = c.allowTF32CuBLAS();
    else if (k == "cuda.matmul.allow_fp16_reduced") *out = (int64_t)c.allowFP16ReductionCuBLAS();
    else if (k == "cuda.matmul.allow_bf16_reduced") *out = (int64_t)c.allowBF16ReductionCuBLAS();
    else if (k == "cuda.matmul.allow_fp16_accumulation") *out = c.allowFP16AccumulationCuBLAS();
    else if (k == "sdp.flash") *out = c.userEnabledFlashSDP();
    else if (k == "sdp.mem_efficient") *out = c.userEnabledMemEfficientSDP();
    else if (k == "sdp.math") *out = c.userEnabledMathSDP();
    else if (k == "sdp.cudnn") *out = c.userEnabledCuDNNSDP();
    else if (k == "has_cuda") *out = at::Context::hasCUDA();
    else if (k == "version_cudart") *out = at::Context::hasCUDART() ? at::Context::versionCUDART() : -1;
    else if (k == "version_cudnn") *out = at::Context::hasCuDNN() ? at::Context::versionCuDNN() : -1;
    else if (k == "version_cudnn_runtime") *out = at::Context::hasCuDNN() ? at::Context::versionRuntimeCuDNN() : -1;
    else throw std::invalid_argument("driftlock shim: unknown flag " + k);
  })
}
int dl_info(const char* what, char* err, size_t n) {
  GUARD({
    std::string w(what);
    std::string r;
    if (w == "config") r = at::show_config();
    else if (w == "cxx_flags") r = at::get_cxx_flags();
    else if (w == "parallel") r = at::get_parallel_info();
    else if (w == "cpu_capability") r = at::get_cpu_capability();
    else if (w == "mkl") r = at::get_mkl_version();
    else if (w == "mkldnn") r = at::get_mkldnn_version();
    else if (w == "openmp") r = at::get_openmp_version();
    else throw std::invalid_argument("unknown info " + w);
    put(err, n, r.c_str());
  })
}
// `key=value` lines about a device from the driver's C interface (cuda.h; the numbers are CUdevice_attribute).
int dl_device(int index, char* err, size_t n) {
  GUARD({
    void* lib = dlopen("libcuda.so.1", RTLD_NOW);
    if (!lib) throw std::runtime_error("libcuda.so.1 cannot be loaded");
    auto init = (int (*)(unsigned))dlsym(lib, "cuInit");
    auto get = (int (*)(int*, int))dlsym(lib, "cuDeviceGet");
    auto name = (int (*)(char*, int, int))dlsym(lib, "cuDeviceGetName");
    auto attribute = (int (*)(int*, int, int))dlsym(lib, "cuDeviceGetAttribute");
    auto driver = (int (*)(int*))dlsym(lib, "cuDriverGetVersion");
    if (!init || !get || !name || !attribute || !driver) throw std::runtime_error("libcuda.so.1 lacks a function");
    int device = 0, value = 0, minor = 0;
    char text[256] = {0};
    if (init(0) || get(&device, index) || name(text, sizeof text - 1, device))
      throw std::runtime_error("the CUDA driver does not answer");
    std::string out = std::string("device_name=") + text;
    if (!attribute(&value, 16, device)) out += "\nsm_count=" + std::to_string(value);
    if (!attribute(&value, 39, device)) out += "\nthreads_per_sm=" + std::to_string(value);
    if (!attribute(&value, 75, device) && !attribute(&minor, 76, device))
      out += "\ncapability=" + std::to_string(value) + "." + std::to_string(minor);
    if (!driver(&value)) out += "\ndriver=" + std::to_string(value);
    put(err, n, out.c_str());
  })
}
// Keeps side streams busy with products until the process ends: provokes results that depend on scheduling.
int dl_load(int index, int streams, char* err, size_t n) {
  GUARD({
    c10::Device dev(c10::DeviceType::CUDA, (c10::DeviceIndex)index);
    c10::impl::VirtualGuardImpl impl(dev.type());
    for (int i = 0; i < streams; i++) {
      c10::Stream s = impl.getStreamFromGlobalPool(dev, false);
      std::thread([dev, s] {
        try {
          at::NoGradGuard ng;
          c10::StreamGuard g(s);
          c10::impl::VirtualGuardImpl own(dev.type());
          auto a = at::ones({256, 256}, at::TensorOptions().device(dev));
          for (int64_t done = 0;; done++) {
            a = at::mm(a, a).clamp_(-1, 1);
            if (done % 64 == 0) own.synchronizeStream(s);
          }
        } catch (...) {
          // Load that fails is missing load: the operations themselves report what is wrong.
        }
      }).detach();
    }
  })
}
}
