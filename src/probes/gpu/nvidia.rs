//! NVIDIA's driver and devices by the files that it leaves, without NVML.

use std::io;
use std::path::{Path, PathBuf};

use super::{Sink, pci};
use crate::host::nvml::{LIBRARY_DIRS, NvmlFault, NvmlReport};
use crate::probes::Context;

/// A device of `/proc/driver/nvidia/gpus`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcGpu {
    /// `0000:18:00.0`: the folder's name.
    pub(super) address: String,
    pub(super) model: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) vbios: Option<String>,
}

/// The devices that the kernel module lists, by address. Empty where there is no module.
pub(super) fn proc_gpus(cx: &Context) -> Vec<ProcGpu> {
    let folder = Path::new("/proc/driver/nvidia/gpus");
    let read = |address: String| {
        let text = cx.host.maybe(folder.join(&address).join("information")).unwrap_or_default();
        let mut gpu = parse_information(&text);
        gpu.address = pci::address(&address);
        gpu
    };
    let mut gpus: Vec<ProcGpu> = cx.host.names(folder).into_iter().map(read).collect();
    gpus.sort_by(|a, b| a.address.cmp(&b.address));
    gpus
}

/// ```text
/// Model:           NVIDIA H100 80GB HBM3
/// IRQ:             18
/// GPU UUID:        GPU-2f4a0f4b-7d0c-8a1e-6d0a-111111111111
/// Video BIOS:      96.00.30.00.01
/// Bus Type:        PCIe
/// ```
/// A device that is not set up yet has question marks for what is not known.
fn parse_information(text: &str) -> ProcGpu {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.trim().to_owned()).filter(|v| !v.is_empty() && !v.contains('?'))
    };
    ProcGpu {
        address: String::new(),
        model: value("Model").filter(|model| model != "Unknown"),
        uuid: value("GPU UUID"),
        vbios: value("Video BIOS"),
    }
}

/// What `/proc/driver/nvidia/version` says of the kernel module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Module {
    version: Option<String>,
    flavour: Option<&'static str>,
}

/// ```text
/// NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
/// GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
/// ```
/// or, of the open module, `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build …`.
fn parse_version(text: &str) -> Module {
    let Some(line) = text.lines().find(|line| line.starts_with("NVRM version:")) else {
        return Module::default();
    };
    let is_version = |word: &&str| {
        word.contains('.') && word.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    };
    Module {
        version: line.split_whitespace().find(is_version).map(str::to_owned),
        flavour: Some(if line.contains("Open Kernel Module") { "open" } else { "proprietary" }),
    }
}

/// Records the driver's facts.
pub(super) fn driver(cx: &Context, out: &Sink, answer: &Result<NvmlReport, NvmlFault>) {
    let module = match cx.host.text(Path::new("/proc/driver/nvidia/version")) {
        Ok(text) => parse_version(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Module::default(),
        Err(error) => {
            out.unknown("driver.flavour", format!("/proc/driver/nvidia/version: {error}"));
            Module::default()
        }
    };
    let kernel = cx.host.maybe("/sys/module/nvidia/version").or(module.version);
    out.set_opt("driver.kernel_module", kernel.clone());
    out.set_opt("driver.flavour", module.flavour);
    let report = answer.as_ref().ok();
    let by_nvml = report.and_then(|r| r.driver_version.clone()).map(|v| (v, "nvmlSystemGetDriverVersion"));
    let by_file = || Some((library_version(cx, "libnvidia-ml")?, "the file name of libnvidia-ml.so.1"));
    let library = by_nvml.or_else(by_file);
    if let Some((version, road)) = &library {
        out.set("driver.version", version.as_str());
        out.set("driver.version_found_by", *road);
    }
    out.set_opt("driver.libcuda", library_version(cx, "libcuda"));
    if let Err(fault) = answer
        && !matches!(fault, NvmlFault::Absent | NvmlFault::NoDriver)
    {
        out.unknown("driver.cuda_max", fault);
        if library.is_none() {
            out.unknown("driver.version", fault);
        }
    }
    if let Some(report) = report {
        out.set_opt("driver.cuda_max", report.cuda_version.clone());
        out.set_opt("driver.nvml_version", report.nvml_version.clone());
        for (field, fact) in [
            ("driver_version", "driver.version"),
            ("cuda_version", "driver.cuda_max"),
            ("nvml_version", "driver.nvml_version"),
        ] {
            if let Some(reason) = report.errors.get(field) {
                out.unknown(fact, format!("NVML: {reason}"));
            }
        }
    }
    match (library, kernel) {
        _ if answer == &Err(NvmlFault::VersionMismatch) => out.set("driver.mismatch", true),
        (Some((library, _)), Some(kernel)) => out.set("driver.mismatch", library != kernel),
        _ => {}
    }
}

/// The version in the name of the file that `NAME.so.1` leads to: `libcuda.so.570.86.15`.
fn library_version(cx: &Context, name: &str) -> Option<String> {
    let soname = format!("{name}.so.1");
    let path = cx.host.env("LD_LIBRARY_PATH").unwrap_or_default();
    let dirs = path.split(':').filter(|dir| dir.starts_with('/')).map(PathBuf::from);
    let found = dirs
        .chain(LIBRARY_DIRS.iter().map(PathBuf::from))
        .map(|dir| dir.join(&soname))
        .find(|file| cx.host.exists(file))?;
    let real = cx.host.canonicalize(&found).ok()?;
    let version = real.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix(".so.")?;
    // `libcuda.so.1` itself, as in WSL, says nothing.
    version.contains('.').then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_says_its_version_and_whether_it_is_open() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n\
                      GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)";
        let module = parse_version(closed);
        assert_eq!((module.version.as_deref(), module.flavour), (Some("550.54.15"), Some("proprietary")));
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)";
        let module = parse_version(open);
        assert_eq!((module.version.as_deref(), module.flavour), (Some("570.86.15"), Some("open")));
        assert_eq!(parse_version("GCC version: 12.2.0"), Module::default());
    }

    #[test]
    fn what_a_device_does_not_know_yet_is_absent() {
        let text = "Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ:   \t\t 41\nGPU UUID: \t GPU-????????-????-????-????-????????????\n\
                    Video BIOS: \t ??.??.??.??.??\nBus Type: \t PCIe\n";
        let gpu = parse_information(text);
        assert_eq!(gpu.model.as_deref(), Some("NVIDIA A100-SXM4-40GB"));
        assert_eq!((gpu.uuid, gpu.vbios), (None, None));
    }
}
