//! The facts of one NVIDIA device, from what NVML, the kernel module and the PCI bus say of it.

use super::jetson::Jetson;
use super::nvidia::ProcGpu;
use super::pci::PciGpu;
use super::products::{self, Product};
use super::visible::{Candidate, Instance};
use super::{Sink, pci};
use crate::host::nvml::{NvmlDevice, NvmlMig};
use crate::snapshot::Value;

/// One NVIDIA device and everything that speaks of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Nvidia<'a> {
    pub(super) nvml: Option<&'a NvmlDevice>,
    pub(super) proc: Option<&'a ProcGpu>,
    pub(super) pci: Option<&'a PciGpu>,
    pub(super) jetson: Option<&'a Jetson>,
}

/// Puts facts below `gpu.N`.
struct Below<'a> {
    out: &'a Sink,
    prefix: String,
}

impl Below<'_> {
    fn set(&self, fact: &str, value: Option<impl Into<Value>>) {
        self.out.set_opt(&format!("{}.{fact}", self.prefix), value);
    }

    fn unknown(&self, fact: &str, reason: impl std::fmt::Display) {
        self.out.unknown(&format!("{}.{fact}", self.prefix), reason);
    }
}

impl Nvidia<'_> {
    /// Its name and the road to it.
    fn name(&self) -> Option<(String, &'static str)> {
        let nvml = self.nvml.and_then(|d| d.name.clone()).map(|name| (name, "nvmlDeviceGetName"));
        let proc = || Some((self.proc?.model.clone()?, "/proc/driver/nvidia"));
        let table = || {
            Some((
                products::by_pci(self.pci?.vendor_id, self.pci?.device_id)?.name.to_owned(),
                "table by PCI id",
            ))
        };
        let tree = || Some((self.jetson?.model.clone(), "device tree"));
        nvml.or_else(proc).or_else(table).or_else(tree)
    }

    fn product(&self) -> Option<(Product, &'static str)> {
        let nvml_id =
            self.nvml.and_then(|d| d.pci_device_id).map(|id| ((id & 0xffff) as u16, (id >> 16) as u16));
        let id = nvml_id.or_else(|| self.pci.map(|p| (p.vendor_id, p.device_id)));
        let by_id =
            id.and_then(|(vendor, device)| products::by_pci(vendor, device)).map(|p| (p, "table by PCI id"));
        let by_name = || Some((products::by_name(&self.name()?.0)?, "table by product name"));
        let by_tree = || Some((self.jetson?.product?, "table by device tree"));
        by_id.or_else(by_name).or_else(by_tree)
    }

    fn capability(&self) -> Option<String> {
        let nvml = self.nvml.and_then(|d| d.compute_capability.clone());
        let chip = || self.jetson?.capability;
        nvml.or_else(|| chip().or_else(|| self.product()?.0.capability).map(str::to_owned))
    }

    fn sm_count(&self, capability: Option<&str>) -> Option<(u32, &'static str)> {
        let attributes = self.nvml.and_then(|d| d.sm_count).map(|n| (n, "nvmlDeviceGetAttributes_v2"));
        let cores = || {
            let per_sm = products::cores_per_sm(capability?)?;
            let cores = self.nvml?.cuda_cores.filter(|n| n % per_sm == 0 && *n > 0)?;
            Some((cores / per_sm, "nvmlDeviceGetNumGpuCores by cores per SM"))
        };
        let table = || self.product().and_then(|(product, road)| Some((product.sm_count?, road)));
        attributes.or_else(cores).or_else(table)
    }

    /// Records the device as `gpu.N`.
    pub(super) fn record(&self, out: &Sink, n: usize) {
        let facts = Below { out, prefix: n.to_string() };
        facts.set("vendor", Some("nvidia"));
        if let Some((name, road)) = self.name() {
            facts.set("name", Some(name));
            facts.set("name_found_by", Some(road));
        }
        let capability = self.capability();
        facts.set("compute_capability", capability.as_deref());
        let architecture = self.nvml.and_then(|d| d.architecture.clone());
        let derived = || capability.as_deref().and_then(products::architecture).map(str::to_owned);
        facts.set("architecture", architecture.or_else(derived));
        if let Some((count, road)) = self.sm_count(capability.as_deref()) {
            facts.set("sm_count", Some(count));
            facts.set("sm_count_found_by", Some(road));
        }
        facts.set("max_threads_per_sm", capability.as_deref().and_then(products::max_threads_per_sm));
        if let Some(gpu) = self.proc {
            facts.set("uuid", gpu.uuid.clone());
            facts.set("vbios_version", gpu.vbios.clone());
        }
        if let Some(device) = self.nvml {
            nvml(&facts, device);
            let capability = capability.as_deref();
            device.mig.iter().for_each(|instance| mig(out, n, instance, capability));
        }
    }

    /// The device as the selection by `CUDA_VISIBLE_DEVICES` sees it.
    pub(super) fn candidate(&self) -> Candidate {
        let device = self.nvml.cloned().unwrap_or_default();
        let capability = self.capability();
        let sm_count = self.sm_count(capability.as_deref()).map(|(n, _)| n);
        let instance = |m: &NvmlMig| Instance { index: m.index, uuid: m.uuid.clone(), gi: m.gi, ci: m.ci };
        Candidate {
            model: format!(
                "{:?} {:?} {sm_count:?} {:?}",
                device.name, device.pci_device_id, device.memory_total
            ),
            mig_mode: device.mig_mode == Some(true),
            mig: device.mig.iter().map(instance).collect(),
            uuid: device.uuid,
            fault: device.fault,
        }
    }

    /// The name of the device, or of a MIG device of it.
    pub(super) fn shown(&self, mig: Option<u32>) -> String {
        let name = || self.name().map_or_else(|| "unknown".to_owned(), |(name, _)| name);
        let instance = mig.and_then(|index| self.nvml?.mig.iter().find(|m| m.index == index));
        match instance {
            None => name(),
            Some(NvmlMig { name: Some(name), .. }) => name.clone(),
            Some(m) => format!("{} MIG {}", name(), m.profile.as_deref().unwrap_or("unknown")),
        }
    }
}

/// What NVML says, field by field. The facts have the fields' names, so that an error is of the fact.
fn nvml(facts: &Below<'_>, d: &NvmlDevice) {
    facts.set("uuid", d.uuid.clone());
    facts.set("serial", d.serial.clone());
    facts.set("brand", d.brand.clone());
    facts.set("memory_total", d.memory_total);
    facts.set("memory_used", d.memory_used);
    facts.set("memory_bus_width", d.memory_bus_width);
    facts.set("mig_mode", d.mig_mode);
    facts.set("mig_mode_pending", d.mig_mode_pending);
    facts.set("ecc_mode", d.ecc_mode);
    facts.set("ecc_mode_pending", d.ecc_mode_pending);
    facts.set("ecc_uncorrected_volatile", d.ecc_uncorrected_volatile);
    facts.set("ecc_uncorrected_aggregate", d.ecc_uncorrected_aggregate);
    facts.set("ecc_uncorrected", d.ecc_uncorrected_aggregate.map(|n| n > 0));
    facts.set("retired_pages_single_bit", d.retired_pages_single_bit);
    facts.set("retired_pages_double_bit", d.retired_pages_double_bit);
    facts.set("retired_pages_pending", d.retired_pages_pending);
    facts.set("remapped_rows_correctable", d.remapped_rows_correctable);
    facts.set("remapped_rows_uncorrectable", d.remapped_rows_uncorrectable);
    facts.set("remapped_rows_pending", d.remapped_rows_pending);
    facts.set("remapped_rows_failure", d.remapped_rows_failure);
    facts.set("compute_mode", d.compute_mode.clone());
    facts.set("persistence_mode", d.persistence_mode);
    facts.set("virtualization_mode", d.virtualization_mode.clone());
    facts.set("gsp_firmware", d.gsp_firmware.clone());
    facts.set("power_limit_mw", d.power_limit_mw);
    facts.set("power_limit_enforced_mw", d.power_limit_enforced_mw);
    facts.set("power_limit_default_mw", d.power_limit_default_mw);
    facts.set("application_clock_graphics_mhz", d.application_clock_graphics_mhz);
    facts.set("application_clock_memory_mhz", d.application_clock_memory_mhz);
    facts.set("max_clock_sm_mhz", d.max_clock_sm_mhz);
    facts.set("max_clock_memory_mhz", d.max_clock_memory_mhz);
    facts.set("throttle_reasons", d.throttle_reasons.clone());
    facts.set("vbios_version", d.vbios_version.clone());
    facts.set("pci_bus_id", d.pci_bus_id.as_deref().map(pci::address));
    let pair = |id: u32| format!("{:04x}:{:04x}", id & 0xffff, id >> 16);
    facts.set("pci_device_id", d.pci_device_id.map(pair));
    facts.set("pci_subsystem_id", d.pci_subsystem_id.map(pair));
    facts.set("pcie_gen", d.pcie_gen);
    facts.set("pcie_gen_max", d.pcie_gen_max);
    facts.set("pcie_width", d.pcie_width);
    facts.set("pcie_width_max", d.pcie_width_max);
    facts.set("nvlink_active", d.nvlink_active);
    facts.set("nvlink_version", d.nvlink_version);
    facts.set("fabric_state", d.fabric_state.clone());
    facts.set("topology", d.topology.clone());
    facts.set("processes", d.processes);
    facts.set("processes_memory", d.processes_memory);
    for (field, reason) in &d.errors {
        facts.unknown(field, format!("NVML: {reason}"));
    }
}

/// Records one MIG device as `gpu.N.mig.M`.
fn mig(out: &Sink, n: usize, m: &NvmlMig, capability: Option<&str>) {
    let facts = Below { out, prefix: format!("{n}.mig.{}", m.index) };
    facts.set("uuid", m.uuid.clone());
    facts.set("profile", m.profile.clone());
    facts.set("gi", m.gi);
    facts.set("ci", m.ci);
    facts.set("memory_total", m.memory_total);
    let attributes = m.sm_count.map(|n| (n, "nvmlDeviceGetAttributes_v2"));
    let table =
        || Some((products::mig_sm_count(capability?, m.profile.as_deref()?)?, "table by MIG profile"));
    if let Some((count, road)) = attributes.or_else(table) {
        facts.set("sm_count", Some(count));
        facts.set("sm_count_found_by", Some(road));
    }
    for (field, reason) in &m.errors {
        let fact = if field == "name" { "profile" } else { field };
        facts.unknown(fact, format!("NVML: {reason}"));
    }
}
