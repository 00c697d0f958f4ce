//! Virtual environments of the real interpreter with stand-ins for torch and the wheels of CUDA.

use std::fs;
use std::path::PathBuf;

use super::{library, mapped, named, only, real_path, text};
use crate::common::{TempDir, driftlock, folder, sh};

/// A virtual environment of the real interpreter.
pub(super) struct Venv {
    pub(super) dir: TempDir,
    pub(super) root: PathBuf,
    pub(super) site: PathBuf,
    pub(super) suffix: String,
}

impl Venv {
    pub(super) fn new() -> Self {
        let dir = folder();
        let root = dir.path().canonicalize().unwrap().join("venv");
        sh(dir.path(), "python3", &["-m", "venv", "--without-pip", root.to_str().unwrap()]);
        let python = root.join("bin/python");
        let ask = |code: &str| sh(dir.path(), python.to_str().unwrap(), &["-c", code]).trim().to_owned();
        let site = PathBuf::from(ask("import sysconfig; print(sysconfig.get_path('platlib'))"));
        let suffix = ask("import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))");
        Self { dir, root, site, suffix }
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.site.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A wheel's metadata whose RECORD lists these files as they are now.
    pub(super) fn dist_info(&self, stem: &str, files: &[&str]) {
        let rows = files.iter().map(|file| {
            let size = fs::metadata(self.site.join(file)).map_or(1, |m| m.len());
            format!("{file},sha256=x,{size}\n")
        });
        self.write(&format!("{stem}.dist-info/RECORD"), &rows.collect::<String>());
        self.write(&format!("{stem}.dist-info/METADATA"), "Metadata-Version: 2.1\n");
    }

    /// The wheels of CUDA 12's cudart, cublas and nvrtc.
    pub(super) fn wheels(&self) {
        let lib = |folder: &str, name: &str| self.site.join("nvidia").join(folder).join("lib").join(name);
        named(&lib("cuda_runtime", "libcudart.so.12"), "libcudart.so.12", "c0de01", &[]);
        named(&lib("cuda_nvrtc", "libnvrtc.so.12"), "libnvrtc.so.12", "c0de02", &[]);
        let lt = lib("cublas", "libcublasLt.so.12");
        named(&lt, "libcublasLt.so.12", "c0de03", &[]);
        // As NVIDIA links it: libcublas finds libcublasLt by a RUNPATH, which LD_LIBRARY_PATH precedes.
        let flags = ["-Wl,--enable-new-dtags,-rpath,$ORIGIN", lt.to_str().unwrap()];
        named(&lib("cublas", "libcublas.so.12"), "libcublas.so.12", "c0de04", &flags);
        self.dist_info("nvidia_cuda_runtime_cu12-12.4.127", &["nvidia/cuda_runtime/lib/libcudart.so.12"]);
        self.dist_info("nvidia_cuda_nvrtc_cu12-12.4.127", &["nvidia/cuda_nvrtc/lib/libnvrtc.so.12"]);
        self.dist_info(
            "nvidia_cublas_cu12-12.4.5.8",
            &["nvidia/cublas/lib/libcublas.so.12", "nvidia/cublas/lib/libcublasLt.so.12"],
        );
    }

    /// A stand-in for torch whose libraries search with these linker flags, and whose `__init__.py` loads the wheels
    /// when `preload` says so, in torch's own way.
    pub(super) fn torch(&self, search: &str, preload: Preload) {
        let lib = self.site.join("torch/lib");
        let wheel = |path: &str| self.site.join("nvidia").join(path).to_str().unwrap().to_owned();
        let (cudart, cublas) =
            (wheel("cuda_runtime/lib/libcudart.so.12"), wheel("cublas/lib/libcublas.so.12"));
        let nvrtc = wheel("cuda_nvrtc/lib/libnvrtc.so.12");
        // The linker looks for what libcublas needs; the loader does not look there.
        let link = format!("-Wl,-rpath-link,{}", wheel("cublas/lib"));
        let flags: &[&str] = match preload {
            Preload::Always => &[search, &cudart],
            Preload::OnFailure | Preload::Late => &[search, &link, &cublas, &cudart],
        };
        let deps = lib.join("libtorch_global_deps.so");
        named(&deps, "libtorch_global_deps.so", "70c401", flags);
        named(&lib.join("libc10.so"), "libc10.so", "70c402", &[search]);
        let (deps, c10) = (lib.join("libtorch_cpu.so"), lib.join("libc10.so"));
        named(&deps, "libtorch_cpu.so", "70c403", &[search, c10.to_str().unwrap()]);
        let cuda = lib.join("libtorch_cuda.so");
        let flags = [search, &link, deps.to_str().unwrap(), &cudart, &cublas, &nvrtc];
        named(&cuda, "libtorch_cuda.so", "70c404", &flags);
        let extension = self.site.join(format!("torch/_C{}", self.suffix));
        let flags = ["-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib", &link, cuda.to_str().unwrap()];
        library(&extension, "int unused;", &flags);
        let success = match preload {
            Preload::OnFailure => "",
            Preload::Always | Preload::Late => {
                "            with open('/proc/self/maps') as f:\n                _maps = f.read()\n            \
                 if \"libcudart.so\" not in _maps:\n                return\n            _preload_cuda_deps()\n"
            }
        };
        self.write("torch/__init__.py", &INIT.replace("            SUCCESS\n", success));
        self.write(
            "torch/version.py",
            "__version__ = '2.6.0+cu124'\ndebug = False\ncuda: Optional[str] = '12.4'\ngit_version = 'abc123'\nhip: Optional[str] = None\n",
        );
        self.dist_info("torch-2.6.0", &[]);
    }

    /// What driftlock says of this environment.
    pub(super) fn capture(&self, env: &[(&str, &str)], sections: &[&str]) -> toml::Table {
        let mut command = driftlock();
        command.args(["capture", "-o", "-", "--python"]).arg(&self.root).current_dir(self.dir.path());
        command.args(sections.iter().flat_map(|s| ["--section", s])).envs(env.iter().copied());
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).parse().unwrap()
    }

    /// The shared objects that the real interpreter has mapped after `import torch`.
    pub(super) fn mapped(&self, env: &[(&str, &str)]) -> Vec<PathBuf> {
        mapped(&self.root.join("bin/python"), self.dir.path(), env)
    }

    /// Checks that driftlock names the very files that the real loader mapped, and returns the section.
    pub(super) fn agree(&self, env: &[(&str, &str)]) -> toml::Table {
        let snapshot = self.capture(env, &["cuda", "torch"]);
        let mapped = self.mapped(env);
        for (key, stem) in [
            ("cudart", "libcudart"),
            ("cublas", "libcublas"),
            ("cublasLt", "libcublasLt"),
            ("nvrtc", "libnvrtc"),
        ] {
            let real = only(&mapped, stem);
            assert_eq!(self.path(&snapshot, &format!("cuda.libraries.{key}.path")), real, "{key}");
        }
        for key in ["torch_cpu", "torch_cuda", "c10"] {
            let real = only(&mapped, &format!("lib{key}"));
            assert_eq!(self.path(&snapshot, &format!("torch.libraries.{key}.path")), real, "{key}");
        }
        snapshot
    }

    pub(super) fn path(&self, snapshot: &toml::Table, path: &str) -> PathBuf {
        let shown = real_path(&self.root, self.dir.path(), text(snapshot, path));
        shown.canonicalize().unwrap()
    }
}

/// When the stand-in for torch loads the wheels by their paths.
#[derive(Clone, Copy)]
pub(super) enum Preload {
    /// Only where libtorch_global_deps.so, which needs cudart and cublas, cannot be loaded.
    OnFailure,
    /// Always; libtorch_global_deps.so needs cudart alone.
    Always,
    /// Always, and after libtorch_global_deps.so has brought in cublas.
    Late,
}

/// The part of `torch/__init__.py` that loads libraries, cut down to what these tests need.
pub(super) const INIT: &str = r#"
import ctypes, glob, os, sys

def _preload_cuda_lib(lib_folder, lib_name):
    for path in sys.path:
        found = glob.glob(os.path.join(path, "nvidia", lib_folder, "lib", lib_name))
        if found:
            ctypes.CDLL(found[0])
            return
    raise ValueError(lib_name)

def _preload_cuda_deps(err=None):
    cuda_libs = [
        ("cublas", "libcublasLt.so.*[0-9]"),
        ("cublas", "libcublas.so.*[0-9]"),
        ("cuda_nvrtc", "libnvrtc.so.*[0-9]"),
        ("cuda_runtime", "libcudart.so.*[0-9]"),
    ]
    for lib_folder, lib_name in cuda_libs:
        _preload_cuda_lib(lib_folder, lib_name)

def _load_global_deps():
    global_deps_lib_path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "libtorch_global_deps.so")
    try:
        ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)
        try:
            pass
            SUCCESS
        except Exception:
            pass
    except OSError as err:
        _preload_cuda_deps(err)
        ctypes.CDLL(global_deps_lib_path, mode=ctypes.RTLD_GLOBAL)

_load_global_deps()
try:
    from torch import _C
except ImportError as error:
    # The stand-in is no extension module; it has been loaded all the same.
    assert "PyInit__C" in str(error), error
"#;
