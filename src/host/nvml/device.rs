//! Everything that NVML says of one device.

use std::collections::BTreeMap;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{
    Brand, Clock, ComputeMode, EccCounter, GpuVirtualizationMode, MemoryError, RetirementCause, TopologyLevel,
};
use nvml_wrapper::enums::device::{DeviceArchitecture, UsedGpuMemory};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::raw;
use super::{NvmlDevice, NvmlMig};

/// The most links that a device can have (`NVML_NVLINK_MAX_LINKS`).
const NVLINK_MAX_LINKS: u32 = 18;

/// The answer, or `None` with the reason kept where it is not that the device has no such thing.
pub(super) fn field<T>(
    errors: &mut BTreeMap<String, String>,
    name: &str,
    answer: Result<T, NvmlError>,
) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(
            NvmlError::NotSupported
            | NvmlError::FunctionNotFound
            | NvmlError::FailedToLoadSymbol(_)
            | NvmlError::NoData,
        ) => None,
        Err(error) => {
            errors.insert(name.to_owned(), words(&error));
            None
        }
    }
}

/// What went wrong, in NVML's own words where the bindings' are longer.
pub(super) fn words(error: &NvmlError) -> String {
    match error {
        NvmlError::GpuLost => "GPU is lost".to_owned(),
        NvmlError::ResetRequired => "GPU requires reset".to_owned(),
        NvmlError::NoPermission => "insufficient permissions".to_owned(),
        error => error.to_string(),
    }
}

/// Asks a group of fields; an error where the device is gone.
type Part = fn(&Device<'_>, &mut NvmlDevice) -> Result<(), NvmlError>;

/// The device of this NVML index, of `count`.
pub(super) fn ask(nvml: &Nvml, index: u32, count: u32) -> NvmlDevice {
    let mut out = NvmlDevice::default();
    let device = match nvml.device_by_index(index) {
        Ok(device) => device,
        Err(error) => {
            out.fault = Some(words(&error));
            return out;
        }
    };
    let parts: [Part; 7] = [identity, compute, memory, settings, bus, links, load];
    for part in parts {
        // A device that fell off the bus answers every call so, and each may take its time.
        if let Err(error) = part(&device, &mut out) {
            out.fault = Some(words(&error));
            return out;
        }
    }
    out.mig = mig(&device, &mut out.errors);
    out.topology = topology(nvml, &device, index, count);
    out
}

/// Takes a field's answer into `out`, and returns from the part where the device is gone.
macro_rules! take {
    ($out:ident.$field:ident, $answer:expr) => {
        match $answer {
            Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => return Err(error),
            answer => $out.$field = field(&mut $out.errors, stringify!($field), answer),
        }
    };
}

fn identity(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    take!(out.name, device.name());
    take!(out.uuid, device.uuid());
    take!(out.serial, device.serial());
    take!(out.brand, device.brand().map(|brand| brand_name(&brand).to_owned()));
    take!(out.vbios_version, device.vbios_version());
    match device.pci_info() {
        Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => return Err(error),
        answer => {
            if let Some(pci) = field(&mut out.errors, "pci_bus_id", answer) {
                out.pci_bus_id = Some(pci.bus_id);
                out.pci_device_id = Some(pci.pci_device_id);
                out.pci_subsystem_id = pci.pci_sub_system_id;
            }
        }
    }
    Ok(())
}

fn compute(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    let architecture = match device.architecture() {
        // Newer than the bindings; the probe derives it from the compute capability.
        Ok(DeviceArchitecture::Unknown) | Err(NvmlError::UnexpectedVariant(_)) => {
            Err(NvmlError::NotSupported)
        }
        other => other,
    };
    take!(out.architecture, architecture.map(|a| a.to_string().to_ascii_lowercase()));
    let capability = device.cuda_compute_capability();
    take!(out.compute_capability, capability.map(|c| format!("{}.{}", c.major, c.minor)));
    // Documented for MIG devices only; a whole device answers NOT_SUPPORTED or INVALID_ARGUMENT.
    out.sm_count = device.attributes().ok().map(|a| a.multiprocessor_count).filter(|n| *n > 0);
    take!(out.cuda_cores, device.num_cores());
    take!(out.memory_bus_width, device.memory_bus_width());
    take!(out.compute_mode, device.compute_mode().map(|mode| compute_mode(&mode).to_owned()));
    let mode = device.virtualization_mode();
    take!(out.virtualization_mode, mode.map(|mode| virtualization(&mode).to_owned()));
    match device.mig_mode() {
        Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => return Err(error),
        answer => {
            if let Some(mode) = field(&mut out.errors, "mig_mode", answer) {
                out.mig_mode = Some(mode.current == 1);
                out.mig_mode_pending = Some(mode.pending == 1);
            }
        }
    }
    Ok(())
}

fn memory(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    let info = match device.memory_info() {
        // Drivers before R510 have only the first version of the call.
        Err(NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound) => raw::memory(device),
        other => other.map(|info| (info.total, info.used)),
    };
    take!(out.memory_total, info.as_ref().map(|(total, _)| *total).map_err(again));
    out.memory_used = info.ok().map(|(_, used)| used);
    let ecc = device.is_ecc_enabled();
    take!(out.ecc_mode, ecc.as_ref().map(|mode| mode.currently_enabled).map_err(again));
    out.ecc_mode_pending = ecc.ok().map(|mode| mode.pending_enabled);
    let count = |counter| device.total_ecc_errors(MemoryError::Uncorrected, counter);
    take!(out.ecc_uncorrected_volatile, count(EccCounter::Volatile));
    take!(out.ecc_uncorrected_aggregate, count(EccCounter::Aggregate));
    let pages =
        |cause| device.retired_pages(cause).map(|pages| u32::try_from(pages.len()).unwrap_or(u32::MAX));
    take!(out.retired_pages_single_bit, pages(RetirementCause::MultipleSingleBitEccErrors));
    take!(out.retired_pages_double_bit, pages(RetirementCause::DoubleBitEccError));
    take!(out.retired_pages_pending, device.are_pages_pending_retired());
    match raw::remapped_rows(device) {
        Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => return Err(error),
        answer => {
            if let Some(rows) = field(&mut out.errors, "remapped_rows", answer) {
                out.remapped_rows_correctable = Some(rows.correctable);
                out.remapped_rows_uncorrectable = Some(rows.uncorrectable);
                out.remapped_rows_pending = Some(rows.pending);
                out.remapped_rows_failure = Some(rows.failure);
            }
        }
    }
    Ok(())
}

/// The same NVML error once more; the type is not `Clone`.
fn again(error: &NvmlError) -> NvmlError {
    match error {
        NvmlError::NotSupported | NvmlError::FailedToLoadSymbol(_) => NvmlError::NotSupported,
        NvmlError::GpuLost => NvmlError::GpuLost,
        NvmlError::ResetRequired => NvmlError::ResetRequired,
        NvmlError::NoPermission => NvmlError::NoPermission,
        NvmlError::UnexpectedVariant(code) => NvmlError::UnexpectedVariant(*code),
        _ => NvmlError::Unknown,
    }
}

fn settings(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    take!(out.persistence_mode, device.is_in_persistent_mode());
    take!(out.power_limit_mw, device.power_management_limit());
    take!(out.power_limit_enforced_mw, device.enforced_power_limit());
    take!(out.power_limit_default_mw, device.power_management_limit_default());
    take!(out.application_clock_graphics_mhz, device.applications_clock(Clock::Graphics));
    take!(out.application_clock_memory_mhz, device.applications_clock(Clock::Memory));
    take!(out.max_clock_sm_mhz, device.max_clock_info(Clock::SM));
    take!(out.max_clock_memory_mhz, device.max_clock_info(Clock::Memory));
    take!(out.gsp_firmware, device.gsp_firmware_version());
    Ok(())
}

fn bus(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    take!(out.pcie_gen, device.current_pcie_link_gen());
    take!(out.pcie_gen_max, device.max_pcie_link_gen());
    take!(out.pcie_width, device.current_pcie_link_width());
    take!(out.pcie_width_max, device.max_pcie_link_width());
    Ok(())
}

fn links(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    // A device without NVLink answers NOT_SUPPORTED for link 0; one with fewer links INVALID_ARGUMENT for the rest.
    let states = (0..NVLINK_MAX_LINKS).map_while(|link| device.link_wrapper_for(link).is_active().ok());
    let states: Vec<bool> = states.collect();
    if !states.is_empty() {
        out.nvlink_active = Some(states.iter().map(|active| u32::from(*active)).sum());
        out.nvlink_version = device.link_wrapper_for(0).version().ok();
    }
    take!(out.fabric_state, raw::fabric_state(device).map(str::to_owned));
    Ok(())
}

fn load(device: &Device<'_>, out: &mut NvmlDevice) -> Result<(), NvmlError> {
    take!(out.throttle_reasons, device.current_throttle_reasons().map(throttle));
    let processes = match device.running_compute_processes() {
        Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => return Err(error),
        answer => field(&mut out.errors, "processes", answer),
    };
    if let Some(processes) = processes {
        out.processes = u32::try_from(processes.len()).ok();
        let used = processes.iter().map(|p| match p.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        });
        out.processes_memory = used.sum();
    }
    Ok(())
}

/// The MIG devices; the indices of NVML may have gaps (`nvmlDeviceGetMigDeviceHandleByIndex`).
fn mig(device: &Device<'_>, errors: &mut BTreeMap<String, String>) -> Vec<NvmlMig> {
    let most = field(errors, "mig_device_count", device.mig_device_count()).unwrap_or(0);
    let mut found = Vec::new();
    for index in 0..most {
        let mig = match device.mig_device_by_index(index) {
            Ok(mig) => mig,
            Err(NvmlError::NotFound | NvmlError::NotSupported | NvmlError::InvalidArg) => continue,
            Err(error) => {
                errors.insert("mig".to_owned(), words(&error));
                continue;
            }
        };
        let mut out = NvmlMig { index, ..NvmlMig::default() };
        out.name = field(&mut out.errors, "name", mig.name());
        // Documented form: `PRODUCT MIG PROFILE`.
        out.profile =
            out.name.as_deref().and_then(|n| n.rsplit_once("MIG ")).map(|(_, p)| p.trim().to_owned());
        out.uuid = field(&mut out.errors, "uuid", mig.uuid());
        out.gi = field(&mut out.errors, "gi", raw::gpu_instance_id(&mig));
        out.ci = field(&mut out.errors, "ci", raw::compute_instance_id(&mig));
        if let Some(attributes) = field(&mut out.errors, "sm_count", mig.attributes()) {
            out.sm_count = Some(attributes.multiprocessor_count).filter(|n| *n > 0);
            out.memory_total = Some(attributes.memory_size_mb << 20).filter(|n| *n > 0);
        }
        found.push(out);
    }
    found
}

/// How near every device is to this one.
fn topology(nvml: &Nvml, device: &Device<'_>, index: u32, count: u32) -> Option<Vec<String>> {
    if count < 2 {
        return None;
    }
    let level = |other: u32| match nvml.device_by_index(other) {
        _ if other == index => Ok("self"),
        Ok(other) => nvml.topology_common_ancestor(device, &other).map(|level| match level {
            TopologyLevel::Internal => "internal",
            TopologyLevel::Single => "single",
            TopologyLevel::Multiple => "multiple",
            TopologyLevel::HostBridge => "hostbridge",
            TopologyLevel::Node => "node",
            TopologyLevel::System => "system",
        }),
        Err(error) => Err(error),
    };
    let levels: Vec<Result<&str, NvmlError>> = (0..count).map(level).collect();
    // Where no pair is answered, the system has no such thing.
    let answered = levels.iter().filter(|l| l.is_ok()).count() > 1;
    answered.then(|| levels.into_iter().map(|l| l.unwrap_or("unknown").to_owned()).collect())
}

fn throttle(reasons: ThrottleReasons) -> Vec<String> {
    let mut names: Vec<String> = reasons.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}

fn compute_mode(mode: &ComputeMode) -> &'static str {
    match mode {
        ComputeMode::Default => "default",
        ComputeMode::ExclusiveThread => "exclusive_thread",
        ComputeMode::Prohibited => "prohibited",
        ComputeMode::ExclusiveProcess => "exclusive_process",
    }
}

fn virtualization(mode: &GpuVirtualizationMode) -> &'static str {
    match mode {
        GpuVirtualizationMode::Bare => "none",
        GpuVirtualizationMode::PassThrough => "passthrough",
        GpuVirtualizationMode::Vgpu => "vgpu",
        GpuVirtualizationMode::HostVgpu => "host_vgpu",
        GpuVirtualizationMode::HostVsga => "host_vsga",
    }
}

fn brand_name(brand: &Brand) -> &'static str {
    match brand {
        Brand::Unknown => "unknown",
        Brand::Quadro => "quadro",
        Brand::Tesla => "tesla",
        Brand::NVS => "nvs",
        Brand::GRID => "grid",
        Brand::GeForce => "geforce",
        Brand::Titan => "titan",
        Brand::VApps => "vapps",
        Brand::VPC => "vpc",
        Brand::VCS => "vcs",
        Brand::VWS => "vws",
        Brand::CloudGaming | Brand::VGaming => "cloud_gaming",
        Brand::QuadroRTX => "quadro_rtx",
        Brand::NvidiaRTX => "nvidia_rtx",
        Brand::Nvidia => "nvidia",
        Brand::GeForceRTX => "geforce_rtx",
        Brand::TitanRTX => "titan_rtx",
    }
}
