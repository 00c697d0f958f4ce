//! What the NVIDIA Management Library (NVML) says, as plain data.
//!
//! `None` in a field means that NVML answered `NOT_SUPPORTED` or has no such function; anything else that failed
//! is named in `errors` under the field's name. TOML and this module's JSON leave `None` out, and a field that is
//! missing when read is `None`, so that recordings stay short and survive new fields.
//!
//! [`ask()`] is the parent's side, [`child`] the process that loads the library. `docs/design/nvml-isolation.md`
//! says why there are two.

mod ask;
pub mod child;
mod device;
mod raw;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use ask::ask;

/// The library's file name, by which every program loads it.
pub const LIBRARY: &str = "libnvidia-ml.so.1";

/// Where drivers put their libraries: the distributions' folders, WSL's, NixOS', and those that container runtimes
/// mount. The dynamic loader knows most of them by its cache.
pub const LIBRARY_DIRS: [&str; 9] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/run/opengl-driver/lib",
];

/// One answer of NVML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NvmlReport {
    /// `nvmlSystemGetDriverVersion`: version of the driver, for example `570.86.15`.
    pub driver_version: Option<String>,
    /// `nvmlSystemGetNVMLVersion`: version of the user-space library; `12.570.86.15` or `570.86.15`.
    pub nvml_version: Option<String>,
    /// `nvmlSystemGetCudaDriverVersion_v2` as `MAJOR.MINOR`: the newest CUDA that the driver runs.
    pub cuda_version: Option<String>,
    /// The fields above, and `device_count`, that could not be read, with NVML's words.
    pub errors: BTreeMap<String, String>,
    /// The devices in NVML order (ascending PCI bus id).
    pub devices: Vec<NvmlDevice>,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NvmlDevice {
    /// Why the device as a whole gives no answer (`GPU is lost`); the other fields are what was known before.
    pub fault: Option<String>,
    /// Product name, for example `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
    /// `GPU-` and a UUID (private).
    pub uuid: Option<String>,
    /// The board's serial number (private).
    pub serial: Option<String>,
    /// `tesla`, `geforce`, `quadro_rtx`, …: `nvmlBrandType_t` in lower case.
    pub brand: Option<String>,
    /// `volta`, `turing`, `ampere`, `ada`, `hopper`, `blackwell`, …: `NVML_DEVICE_ARCH_*` in lower case.
    pub architecture: Option<String>,
    /// `MAJOR.MINOR`, for example `9.0`.
    pub compute_capability: Option<String>,
    /// `nvmlDeviceGetAttributes_v2`'s `multiprocessorCount`, where the driver answers it for the whole device.
    pub sm_count: Option<u32>,
    /// `nvmlDeviceGetNumGpuCores`: CUDA cores, that is SMs times the cores per SM.
    pub cuda_cores: Option<u32>,
    /// Bytes of frame buffer (with what the driver reserves).
    pub memory_total: Option<u64>,
    /// Bytes in use, by anyone.
    pub memory_used: Option<u64>,
    /// Bits of the memory bus.
    pub memory_bus_width: Option<u32>,
    /// Whether the device is split into MIG instances now.
    pub mig_mode: Option<bool>,
    /// Whether it will be after the next reset.
    pub mig_mode_pending: Option<bool>,
    /// The MIG devices, by their NVML index.
    pub mig: Vec<NvmlMig>,
    /// Whether memory errors are corrected (ECC) now.
    pub ecc_mode: Option<bool>,
    /// Whether they will be after the next reboot.
    pub ecc_mode_pending: Option<bool>,
    /// Uncorrected memory errors since the driver was loaded.
    pub ecc_uncorrected_volatile: Option<u64>,
    /// Uncorrected memory errors over the device's life.
    pub ecc_uncorrected_aggregate: Option<u64>,
    /// Pages retired after repeated single-bit errors (before Ampere).
    pub retired_pages_single_bit: Option<u32>,
    /// Pages retired after a double-bit error (before Ampere).
    pub retired_pages_double_bit: Option<u32>,
    /// Whether pages wait for a reboot to be retired.
    pub retired_pages_pending: Option<bool>,
    /// Rows remapped after correctable errors (Ampere and later).
    pub remapped_rows_correctable: Option<u32>,
    /// Rows remapped after uncorrectable errors (Ampere and later).
    pub remapped_rows_uncorrectable: Option<u32>,
    /// Whether rows wait for a reset to be remapped.
    pub remapped_rows_pending: Option<bool>,
    /// Whether a remapping failed: the board is due for replacement.
    pub remapped_rows_failure: Option<bool>,
    /// `default`, `exclusive_thread`, `prohibited`, `exclusive_process`.
    pub compute_mode: Option<String>,
    /// Whether the driver stays loaded without clients.
    pub persistence_mode: Option<bool>,
    /// `none`, `passthrough`, `vgpu`, `host_vgpu`, `host_vsga`.
    pub virtualization_mode: Option<String>,
    /// The GPU System Processor's firmware version, where it is in use.
    pub gsp_firmware: Option<String>,
    /// The power limit set by the administrator, in milliwatts.
    pub power_limit_mw: Option<u32>,
    /// The power limit after the driver's own restrictions, in milliwatts.
    pub power_limit_enforced_mw: Option<u32>,
    /// The power limit after a reboot, in milliwatts.
    pub power_limit_default_mw: Option<u32>,
    /// Application clock of the SMs in MHz.
    pub application_clock_graphics_mhz: Option<u32>,
    /// Application clock of the memory in MHz.
    pub application_clock_memory_mhz: Option<u32>,
    /// The highest SM clock in MHz.
    pub max_clock_sm_mhz: Option<u32>,
    /// The highest memory clock in MHz.
    pub max_clock_memory_mhz: Option<u32>,
    /// Why clocks are lower than they could be now: `gpu_idle`, `sw_power_cap`, `hw_slowdown`, …, sorted.
    pub throttle_reasons: Option<Vec<String>>,
    /// Version of the board's VBIOS.
    pub vbios_version: Option<String>,
    /// `DOMAIN:BUS:DEVICE.FUNCTION`, for example `00000000:18:00.0`.
    pub pci_bus_id: Option<String>,
    /// Device id in the high, vendor id (`10de`) in the low 16 bits.
    pub pci_device_id: Option<u32>,
    /// Subsystem device id in the high, subsystem vendor id in the low 16 bits.
    pub pci_subsystem_id: Option<u32>,
    /// PCIe generation of the link now (falls when idle).
    pub pcie_gen: Option<u32>,
    /// The highest generation that device and slot can do together.
    pub pcie_gen_max: Option<u32>,
    /// PCIe lanes now.
    pub pcie_width: Option<u32>,
    /// The most lanes that device and slot can do together.
    pub pcie_width_max: Option<u32>,
    /// NVLinks that are active; `None` where the device has none.
    pub nvlink_active: Option<u32>,
    /// NVLink version of the first link (`nvmlDeviceGetNvLinkVersion`).
    pub nvlink_version: Option<u32>,
    /// `not_started`, `in_progress`, `completed`: whether the fabric manager has set up NVSwitch.
    pub fabric_state: Option<String>,
    /// How near each device is, in NVML order: `self`, `internal`, `single`, `multiple`, `hostbridge`, `node`,
    /// `system`, or `unknown` (`nvmlDeviceGetTopologyCommonAncestor`).
    pub topology: Option<Vec<String>>,
    /// Processes that compute on the device now.
    pub processes: Option<u32>,
    /// Bytes of device memory that they use, where NVML may say.
    pub processes_memory: Option<u64>,
    /// Fields that could not be read although the device has them, with NVML's words.
    pub errors: BTreeMap<String, String>,
}

/// One MIG device: a compute instance within a GPU instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NvmlMig {
    /// NVML's index among the MIG devices of the GPU; there can be gaps.
    pub index: u32,
    /// `MIG-` and a UUID; before driver R470 `MIG-GPU-UUID/GI/CI` (private).
    pub uuid: Option<String>,
    /// `nvmlDeviceGetName`, for example `NVIDIA A100-SXM4-40GB MIG 1g.5gb`.
    pub name: Option<String>,
    /// The profile: what follows `MIG ` in the name, for example `1g.5gb`, `3g.40gb`, `1c.3g.20gb`.
    pub profile: Option<String>,
    /// GPU instance id.
    pub gi: Option<u32>,
    /// Compute instance id.
    pub ci: Option<u32>,
    /// `nvmlDeviceGetAttributes_v2`'s `multiprocessorCount`.
    pub sm_count: Option<u32>,
    /// Bytes of memory of the instance.
    pub memory_total: Option<u64>,
    /// Fields that could not be read, with NVML's words.
    pub errors: BTreeMap<String, String>,
}

/// Why NVML gave no answer at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "reason")]
pub enum NvmlFault {
    /// No NVML library and no NVIDIA driver on this machine.
    #[error("no NVIDIA driver on this machine")]
    Absent,
    /// A driver is there, its library is not (a container without the `utility` capability), or will not load.
    #[error("the NVIDIA driver is here, libnvidia-ml.so.1 is not: {0}")]
    NoLibrary(String),
    /// The library is there, the kernel module is not loaded (`NVML_ERROR_DRIVER_NOT_LOADED`).
    #[error("NVML: the NVIDIA kernel module is not loaded")]
    NoDriver,
    /// The user may not talk to the driver (`NVML_ERROR_NO_PERMISSION`).
    #[error("NVML: no permission to talk to the NVIDIA driver")]
    NoPermission,
    /// The driver's kernel module and its user-space library are of different versions
    /// (`NVML_ERROR_LIB_RM_VERSION_MISMATCH`).
    #[error("NVML: driver and library version mismatch")]
    VersionMismatch,
    /// The library is there, but an answer was refused or failed.
    #[error("NVML: {0}")]
    Failed(String),
    /// The process that asks NVML ran past the limit, in milliseconds.
    #[error("NVML took longer than {0} ms (enable persistence mode, or raise --timeout)")]
    TimedOut(u64),
    /// The process that asks NVML died of a signal.
    #[error("NVML crashed: {0}")]
    Crashed(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn recordings_leave_out_what_is_not_there_and_read_back() {
        let mig = NvmlMig { index: 1, profile: Some("1g.5gb".to_owned()), ..NvmlMig::default() };
        let device = NvmlDevice { mig_mode: Some(true), mig: vec![mig], ..NvmlDevice::default() };
        let report = NvmlReport { devices: vec![device], ..NvmlReport::default() };
        let text = toml::to_string(&report).unwrap();
        assert!(!text.contains("uuid"), "{text}");
        assert_eq!(toml::from_str::<NvmlReport>(&text).unwrap(), report);
        assert_eq!(toml::from_str::<NvmlReport>("[[devices]]\nname = \"T4\"").unwrap().devices.len(), 1);
    }

    #[test]
    fn faults_round_trip_through_both_formats() {
        let faults = [
            NvmlFault::Absent,
            NvmlFault::NoDriver,
            NvmlFault::VersionMismatch,
            NvmlFault::NoLibrary("cannot open shared object file".to_owned()),
            NvmlFault::TimedOut(2_000),
            NvmlFault::Crashed("signal 11".to_owned()),
        ];
        for fault in faults {
            let text = toml::to_string(&fault).unwrap();
            assert_eq!(toml::from_str::<NvmlFault>(&text).unwrap(), fault, "{text}");
            let text = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<NvmlFault>(&text).unwrap(), fault, "{text}");
        }
    }
}
