//! The process that loads NVML: `driftlock __nvml`. It asks once, prints one line of JSON, and ends.

use std::ffi::OsStr;
use std::path::PathBuf;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use serde::{Deserialize, Serialize};

use super::{LIBRARY, LIBRARY_DIRS, NvmlFault, NvmlReport, device};

/// What the process prints, on one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Answer {
    /// NVML answered.
    Success {
        /// What it said.
        report: NvmlReport,
    },
    /// It did not.
    Error {
        /// Why.
        error: NvmlFault,
    },
}

/// Ties this process's life to that of the process that waits for its answer. The parent kills us past its limit; this
/// is for a parent that is killed itself.
#[cfg(target_os = "linux")]
#[expect(clippy::exit, reason = "nobody waits for an answer")]
pub fn tie(parent: Option<u32>) {
    let Some(parent) = parent else { return };
    let _refused = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
    // It may have died before the kernel knew.
    if u32::try_from(nix::unistd::getppid().as_raw()) != Ok(parent) {
        std::process::exit(1);
    }
}

/// Only Linux tells a process of its parent's death.
#[cfg(not(target_os = "linux"))]
pub fn tie(_parent: Option<u32>) {}

/// Asks NVML here and now, in this process, which may hang or die of it.
pub fn answer() -> Answer {
    match init() {
        Ok(nvml) => {
            let report = report(&nvml);
            // Shutting down may take as long as starting did, and the end of the process does it too.
            std::mem::forget(nvml);
            Answer::Success { report }
        }
        Err(error) => Answer::Error { error: fault(error) },
    }
}

/// Loads the library by its name, as every program does, and where that fails from the folders of drivers that the
/// loader was not told of (WSL in a container, NixOS).
fn init() -> Result<Nvml, NvmlError> {
    let first = match Nvml::builder().lib_path(OsStr::new(LIBRARY)).init() {
        Err(error @ NvmlError::LibloadingError(_)) => error,
        other => return other,
    };
    let mut paths =
        LIBRARY_DIRS.iter().map(|dir| PathBuf::from(dir).join(LIBRARY)).filter(|path| path.exists());
    let other = paths.find_map(|path| match Nvml::builder().lib_path(path.as_os_str()).init() {
        Err(NvmlError::LibloadingError(_)) => None,
        answer => Some(answer),
    });
    other.unwrap_or(Err(first))
}

fn fault(error: NvmlError) -> NvmlFault {
    match error {
        NvmlError::LibloadingError(error) => NvmlFault::NoLibrary(error.to_string()),
        NvmlError::DriverNotLoaded => NvmlFault::NoDriver,
        NvmlError::NoPermission => NvmlFault::NoPermission,
        NvmlError::LibRmVersionMismatch => NvmlFault::VersionMismatch,
        error => NvmlFault::Failed(device::words(&error)),
    }
}

fn report(nvml: &Nvml) -> NvmlReport {
    let mut report = NvmlReport::default();
    let errors = &mut report.errors;
    report.driver_version = device::field(errors, "driver_version", nvml.sys_driver_version());
    report.nvml_version = device::field(errors, "nvml_version", nvml.sys_nvml_version());
    let cuda = nvml.sys_cuda_driver_version().map(|version| {
        let (major, minor) = (
            nvml_wrapper::cuda_driver_version_major(version),
            nvml_wrapper::cuda_driver_version_minor(version),
        );
        format!("{major}.{minor}")
    });
    report.cuda_version = device::field(errors, "cuda_version", cuda);
    let count = device::field(errors, "device_count", nvml.device_count()).unwrap_or(0);
    report.devices = (0..count).map(|index| device::ask(nvml, index, count)).collect();
    report
}
