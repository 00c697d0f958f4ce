//! The `torch` section.

pub mod preload;
pub mod process;

use super::library::loader::Object;
use super::library::native::{Package, openmp};
use super::library::text;
use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;

/// See the module.
pub struct Torch;

/// Packages whose releases go with torch's: the module, and the distribution where it has another name.
const COMPANIONS: [(&str, &str); 8] = [
    ("torchvision", "torchvision"),
    ("torchaudio", "torchaudio"),
    ("triton", "triton"),
    ("pytorch_triton_rocm", "pytorch-triton-rocm"),
    ("flash_attn", "flash-attn"),
    ("transformer_engine", "transformer-engine"),
    ("xformers", "xformers"),
    ("apex", "apex"),
];

/// torch's own libraries.
const LIBRARIES: [(&str, &str); 7] = [
    ("c10", "libc10.so"),
    ("c10_cuda", "libc10_cuda.so"),
    ("c10_hip", "libc10_hip.so"),
    ("torch_cpu", "libtorch_cpu.so"),
    ("torch_cuda", "libtorch_cuda.so"),
    ("torch_hip", "libtorch_hip.so"),
    ("torch_python", "libtorch_python.so"),
];

impl Probe for Torch {
    fn section(&self) -> &'static str {
        "torch"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(package) = Package::find(cx, out, "torch", "torch")? else {
            return Ok(());
        };
        let version = host.maybe(package.dir.join("version.py")).unwrap_or_default();
        let assigned = |name| text::assigned(&version, name);
        out.set_opt("local_tag", assigned("__version__").and_then(|v| v.split_once('+')).map(|(_, tag)| tag));
        out.set_opt("git_commit", assigned("git_version"));
        out.set_opt("debug", text::assigned_bool(&version, "debug"));
        for name in ["cuda", "hip", "rocm", "xpu"] {
            out.set_opt(name, assigned(name));
        }
        package.companions(host, out, &COMPANIONS);

        let process = process::import(host, package.interpreter, &package.dir, assigned("cuda"));
        for (name, file) in LIBRARIES {
            let object = process.loader.objects().iter().find(|o| o.name() == file);
            if let Some(object) = object {
                package.record(out, &format!("libraries.{name}"), object);
                if name == "c10" {
                    abi(&package, host, out, object);
                }
                if name == "torch_cuda" && !object.info.cuda_archs.is_empty() {
                    out.set("cuda_archs", object.info.cuda_archs.clone());
                }
            }
        }
        if let Some(object) = openmp(&process.loader) {
            package.record(out, "openmp", object);
        }
        if !process.missing.is_empty() {
            let missing = process.missing.iter().map(|m| format!("{} (for {})", m.name, m.wanted_by));
            out.set("missing_libraries", missing.collect::<Vec<_>>());
        }
        package.bundled(host, out, "torch.libs");
        Ok(())
    }
}

/// The ABI of `std::string` and `std::list` that torch is built with.
fn abi(package: &Package<'_>, host: &dyn Host, out: &Sink, c10: &Object) {
    let by_symbols = c10.info.cxx11_abi.map(|abi| (abi, "symbols of libc10.so"));
    let by_config = || {
        let config = host.maybe(package.dir.join("share/cmake/Torch/TorchConfig.cmake"))?;
        configured_abi(&config).map(|abi| (abi, "TorchConfig.cmake"))
    };
    if let Some((abi, road)) = by_symbols.or_else(by_config) {
        out.set("cxx11_abi", abi);
        out.set("cxx11_abi_found_by", road);
    }
}

/// What torch's CMake package told extensions until 2.6: `set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=1")`.
fn configured_abi(config: &str) -> Option<bool> {
    let (_, value) = config.split_once("_GLIBCXX_USE_CXX11_ABI=")?;
    match value.chars().next()? {
        '1' => Some(true),
        '0' => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abi_in_torch_config() {
        assert_eq!(configured_abi("  set(TORCH_CXX_FLAGS \"-D_GLIBCXX_USE_CXX11_ABI=1\")"), Some(true));
        assert_eq!(configured_abi("set(TORCH_CXX_FLAGS \"-D_GLIBCXX_USE_CXX11_ABI=0\")"), Some(false));
        assert_eq!(configured_abi("set(TORCH_CXX_FLAGS \"\")"), None);
    }
}
