//! JAX, TensorFlow and NumPy.

use std::os::unix::fs::symlink;

use super::venv::Venv;
use super::{list, named, text};
use crate::common::fact;

#[test]
fn jax_and_its_plugin() {
    let venv = Venv::new();
    venv.wheels();
    venv.write("jax/__init__.py", "");
    venv.write("jax/version.py", "_version = \"0.6.2\"\n");
    venv.dist_info("jax-0.6.2", &[]);
    venv.write("jaxlib/__init__.py", "");
    venv.write("jaxlib/version.py", "__version__ = \"0.6.2\"\n");
    venv.dist_info("jaxlib-0.6.2", &[]);
    venv.dist_info("jax_cuda12_plugin-0.6.2", &[]);
    named(&venv.site.join("jaxlib/libjax_common.so"), "libjax_common.so", "1a0001", &[]);
    let common = venv.site.join("jaxlib/libjax_common.so");
    let flags = ["-Wl,-rpath,$ORIGIN", common.to_str().unwrap()];
    named(&venv.site.join(format!("jaxlib/_jax{}", venv.suffix)), "_jax.so", "1a0002", &flags);
    venv.write("jax_plugins/xla_cuda12/__init__.py", "_load(\"cuda_nvrtc\", [\"libnvrtc.so.12\"])\n");
    let plugin = venv.site.join("jax_plugins/xla_cuda12/xla_cuda_plugin.so");
    let search = "-Wl,-rpath,$ORIGIN/../../nvidia/cublas/lib:$ORIGIN/../../nvidia/cuda_runtime/lib";
    named(&plugin, "xla_cuda_plugin.so", "1a0003", &[search]);
    let snapshot = venv.capture(&[], &["cuda", "jax"]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("jax.version"), "0.6.2");
    assert_eq!(get("jax.jaxlib"), "0.6.2");
    assert_eq!(get("jax.plugins.jax-cuda12-plugin"), "0.6.2");
    assert_eq!(get("jax.libraries.common.build_id"), "1a0001");
    assert_eq!(get("jax.libraries.extension.build_id"), "1a0002");
    assert_eq!(get("jax.libraries.xla_cuda12.build_id"), "1a0003");
    assert_eq!(get("cuda.client"), "jax");
    assert_eq!(get("cuda.libraries.nvrtc.path_found_by"), "preloaded by jax");
    assert_eq!(get("cuda.libraries.cublas.version"), "12.4.5.8");
    assert_eq!(get("cuda.libraries.cublas.path_found_by"), "RUNPATH of xla_cuda_plugin.so");
    assert_eq!(get("cuda.libraries.cublas.loaded"), "first use");
}

#[test]
fn tensorflow_and_what_it_was_built_with() {
    let venv = Venv::new();
    venv.wheels();
    venv.write("tensorflow/__init__.py", "");
    venv.dist_info("tensorflow_cpu-2.18.0", &[]);
    venv.write("keras/__init__.py", "");
    venv.dist_info("keras-3.8.0", &[]);
    venv.write(
        "tensorflow/python/platform/build_info.py",
        "build_info = collections.OrderedDict([('cuda_compute_capabilities', ['sm_60', 'compute_90']), \
         ('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False)])\n",
    );
    let cc = venv.site.join("tensorflow/libtensorflow_cc.so.2");
    named(&cc, "libtensorflow_cc.so.2", "7f0001", &["-Wl,-rpath,$ORIGIN/../nvidia/cublas/lib"]);
    let internal = venv.site.join("tensorflow/python/_pywrap_tensorflow_internal.so");
    named(
        &internal,
        "_pywrap_tensorflow_internal.so",
        "7f0002",
        &["-Wl,-rpath,$ORIGIN/..", cc.to_str().unwrap()],
    );
    let snapshot = venv.capture(&[], &["cuda", "tensorflow"]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("tensorflow.version"), "2.18.0");
    assert_eq!(get("tensorflow.version_found_by"), "distribution metadata");
    assert_eq!(get("tensorflow.cuda"), "12.5.1");
    assert_eq!(get("tensorflow.cudnn"), "9");
    assert_eq!(fact(&snapshot, "tensorflow.is_cuda_build"), Some(&true.into()));
    assert_eq!(list(&snapshot, "tensorflow.cuda_archs"), ["sm_60", "compute_90"]);
    assert_eq!(get("tensorflow.companions.keras"), "3.8.0");
    assert_eq!(get("tensorflow.libraries.cc.build_id"), "7f0001");
    assert_eq!(get("cuda.client"), "tensorflow");
    assert_eq!(get("cuda.libraries.cublas.path_found_by"), "RUNPATH of libtensorflow_cc.so.2");
}

#[test]
fn numpy_with_the_blas_of_its_wheel_and_of_conda() {
    let venv = Venv::new();
    venv.write("numpy/__init__.py", "");
    venv.write("numpy/version.py", "version = \"2.1.0\"\n__version__ = version\ngit_revision = \"feed\"\n");
    venv.dist_info("numpy-2.1.0", &[]);
    let config = "CONFIG = _cleanup({\n\"Build Dependencies\": {\n\"blas\": {\n\"name\": \"scipy-openblas\",\n\"version\": \"0.3.27\",\n\
                  \"openblas configuration\": r\"OpenBLAS 0.3.27 Haswell MAX_THREADS=64\",\n},\n},\n})\n";
    venv.write("numpy/__config__.py", config);
    let bundled = venv.site.join("numpy.libs/libscipy_openblas64_-99b71e71.so");
    named(&bundled, "libscipy_openblas64_-99b71e71.so", "b1a501", &[]);
    let extension = venv.site.join(format!("numpy/_core/_multiarray_umath{}", venv.suffix));
    named(&extension, "x.so", "b1a502", &["-Wl,-rpath,$ORIGIN/../../numpy.libs", bundled.to_str().unwrap()]);
    let snapshot = venv.capture(&[], &["numpy", "scipy", "sklearn", "torch", "cuda"]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("numpy.version"), "2.1.0");
    assert_eq!(get("numpy.git_commit"), "feed");
    assert_eq!(get("numpy.blas.name"), "OpenBLAS");
    assert_eq!(get("numpy.blas.version"), "0.3.27");
    assert_eq!(get("numpy.blas.version_found_by"), "build configuration");
    assert_eq!(get("numpy.blas.build_id"), "b1a501");
    assert!(get("numpy.blas.build").contains("MAX_THREADS=64"));
    assert_eq!(list(&snapshot, "numpy.bundled.libscipy_openblas64_.build_ids"), ["b1a501"]);
    for absent in ["scipy", "sklearn", "torch"] {
        assert!(snapshot.get(absent).is_none(), "{absent} is not installed");
    }

    // conda: the extension needs the interface's name, which is a link to an implementation.
    let lib = venv.root.join("lib");
    named(&lib.join("libopenblasp-r0.3.28.so"), "libopenblas.so.0", "b1a503", &[]);
    symlink("libopenblasp-r0.3.28.so", lib.join("libcblas.so.3")).unwrap();
    named(&lib.join("build/libcblas.so.3"), "libcblas.so.3", "b1a504", &[]);
    let search = "-Wl,-rpath,$ORIGIN/../../../..";
    named(&extension, "x.so", "b1a502", &[search, lib.join("build/libcblas.so.3").to_str().unwrap()]);
    let snapshot = venv.capture(&[], &["numpy"]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("numpy.blas.name"), "OpenBLAS");
    assert_eq!(get("numpy.blas.version"), "0.3.28");
    assert_eq!(get("numpy.blas.version_found_by"), "file name");
    assert_eq!(get("numpy.blas.path"), "{env}/lib/libopenblasp-r0.3.28.so");
    assert_eq!(fact(&snapshot, "numpy.blas.build"), None, "the build configuration is of another library");
}
