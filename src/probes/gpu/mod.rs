//! The `gpu` section: NVIDIA devices first, in NVML's order, then AMD's, then Intel's.

mod amd;
mod device;
mod jetson;
mod nvidia;
mod pci;
mod products;
mod visible;

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Context, Options, Probe, ProbeError, Sink};
use crate::host::nvml::{NvmlDevice, NvmlFault, NvmlReport};
use device::Nvidia;
use pci::{PciGpu, Vendor};

/// What the probe gets beyond the time limit of the process that asks NVML, so that its answer is still filed.
const GRACE: Duration = Duration::from_millis(500);

/// See the module.
pub struct Gpu;

impl Probe for Gpu {
    fn section(&self) -> &'static str {
        "gpu"
    }

    fn limit(&self, options: &Options) -> Option<Duration> {
        Some(options.timeout.saturating_add(GRACE))
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let bus = pci::scan(cx.host.as_ref());
        let pci = bus.as_deref().unwrap_or_default();
        let jetson = jetson::find(cx);
        if let Some(jetson) = &jetson {
            jetson.driver(out);
        }
        let answer = cx.host.nvml(cx.options.timeout);
        nvidia::driver(cx, out, &answer);
        let proc = nvidia::proc_gpus(cx);
        let devices = nvidia_devices(cx, out, &answer, &proc, pci, jetson.as_ref());
        for (n, device) in devices.iter().enumerate() {
            record_pci(out, n, device.pci);
            device.record(out, n);
        }
        let count = others(cx, out, devices.len(), pci);
        match (&answer, &bus) {
            (Err(fault), _) if blind(cx, fault, &devices) => out.unknown("", fault),
            (_, Err(error)) => out.unknown("count", format!("{}: {error}", pci::DEVICES)),
            _ => out.set("count", count),
        }
        if !devices.is_empty() {
            select(cx, out, &answer, &devices);
        }
        Ok(())
    }
}

/// The NVIDIA devices: NVML's, or where it gives no answer those of the kernel module, of the bus, or the Jetson.
fn nvidia_devices<'a>(
    cx: &Context,
    out: &Sink,
    answer: &'a Result<NvmlReport, NvmlFault>,
    proc: &'a [nvidia::ProcGpu],
    pci: &'a [PciGpu],
    jetson: Option<&'a jetson::Jetson>,
) -> Vec<Nvidia<'a>> {
    let on_bus = |address: &str| pci.iter().find(|p| p.address == address);
    let all_pci: Vec<&PciGpu> = pci.iter().filter(|p| p.vendor == Vendor::Nvidia).collect();
    if let Ok(report) = answer {
        let count = report.devices.len();
        let find = |(i, d): (usize, &'a crate::host::nvml::NvmlDevice)| {
            // A lost device does not say where it is. Both lists are in the order of the bus.
            let nth = || (proc.len() == count).then(|| proc.get(i).map(|p| p.address.clone())).flatten();
            let address = d.pci_bus_id.as_deref().map(pci::address).or_else(nth).unwrap_or_default();
            Nvidia {
                nvml: Some(d),
                proc: proc.iter().find(|p| p.address == address),
                pci: on_bus(&address),
                jetson: jetson.filter(|_| i == 0),
            }
        };
        return report.devices.iter().enumerate().map(find).collect();
    }
    if !proc.is_empty() || !all_pci.is_empty() {
        let by_module =
            proc.iter().map(|p| Nvidia { proc: Some(p), pci: on_bus(&p.address), ..Nvidia::default() });
        let by_bus = all_pci.iter().map(|p| Nvidia { pci: Some(p), ..Nvidia::default() });
        let devices: Vec<Nvidia<'_>> = if proc.is_empty() { by_bus.collect() } else { by_module.collect() };
        // A container on a machine with GPUs sees the bus and the module, and can use neither.
        let driven =
            |d: &Nvidia<'_>| d.proc.is_some() || d.pci.is_some_and(|p| p.driver.as_deref() == Some("nvidia"));
        let without_node = matches!(answer, Err(NvmlFault::Absent | NvmlFault::NoLibrary(_)))
            && !cx.host.exists("/dev/nvidiactl".as_ref());
        let (hidden, shown): (Vec<_>, Vec<_>) = devices.into_iter().partition(|d| without_node && driven(d));
        if !hidden.is_empty() {
            out.set("hidden", hidden.len());
        }
        return shown;
    }
    jetson.map(|jetson| Nvidia { jetson: Some(jetson), ..Nvidia::default() }).into_iter().collect()
}

/// Records what the bus says of a device.
fn record_pci(out: &Sink, n: usize, pci: Option<&PciGpu>) {
    let Some(pci) = pci else { return };
    out.set(&format!("{n}.vendor"), pci.vendor.name());
    out.set(&format!("{n}.pci_bus_id"), pci.address.as_str());
    out.set(&format!("{n}.pci_device_id"), format!("{:04x}:{:04x}", pci.vendor_id, pci.device_id));
    let subsystem = pci.subsystem.map(|(vendor, device)| format!("{vendor:04x}:{device:04x}"));
    out.set_opt(&format!("{n}.pci_subsystem_id"), subsystem);
    out.set_opt(&format!("{n}.kernel_driver"), pci.driver.clone());
    out.set_opt(&format!("{n}.numa_node"), pci.numa_node);
}

/// Records what CUDA would enumerate, and what only NVML could have said.
fn select(cx: &Context, out: &Sink, answer: &Result<NvmlReport, NvmlFault>, devices: &[Nvidia<'_>]) {
    let only_jetson = devices.iter().all(|d| d.jetson.is_some());
    for (n, device) in devices.iter().enumerate() {
        if let Some(fault) = device.nvml.and_then(|d| d.fault.as_ref()) {
            out.unknown(&n.to_string(), format!("NVML: {fault}"));
        }
    }
    let said = match answer {
        // Older releases of Jetson Linux have no NVML at all, so nothing is missing.
        Err(fault) if !only_jetson => {
            (0..devices.len()).for_each(|n| out.unknown(&n.to_string(), fault));
            Err(fault.to_string())
        }
        _ => {
            let candidates: Vec<_> = devices.iter().map(Nvidia::candidate).collect();
            let (visible, order) = (cx.host.env("CUDA_VISIBLE_DEVICES"), cx.host.env("CUDA_DEVICE_ORDER"));
            visible::select(&candidates, visible.as_deref(), order.as_deref())
        }
    };
    match said {
        Ok(chosen) => {
            out.set("visible", chosen.iter().map(ToString::to_string).collect::<Vec<_>>());
            let name = |s: &visible::Selected| devices.get(s.device).map(|d| d.shown(s.mig));
            out.set("visible_names", chosen.iter().filter_map(name).collect::<Vec<_>>());
        }
        Err(reason) => {
            out.unknown("visible", &reason);
            out.unknown("visible_names", &reason);
        }
    }
}

/// Records the AMD and Intel devices after the `first` ones; the number of all.
fn others(cx: &Context, out: &Sink, first: usize, pci: &[PciGpu]) -> usize {
    let nodes = amd::nodes(cx);
    let known: BTreeSet<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let cards = pci.iter().filter(|p| p.vendor == Vendor::Amd);
    let mut all: Vec<(Option<&amd::Node>, Option<&PciGpu>)> =
        nodes.iter().map(|node| (Some(node), pci.iter().find(|p| p.address == node.address))).collect();
    let computing = all.len();
    all.extend(cards.filter(|p| !known.contains(p.address.as_str())).map(|p| (None, Some(p))));
    let mut uuids = Vec::new();
    for (i, (node, card)) in all.iter().enumerate() {
        let n = first + i;
        out.set(&format!("{n}.vendor"), Vendor::Amd.name());
        record_pci(out, n, *card);
        amd::device(cx, out, n, *node, *card);
        let id = card.and_then(|card| cx.host.maybe(card.folder().join("unique_id")));
        uuids.push(id.map(|id| format!("GPU-{}", id.trim_start_matches("0x"))));
    }
    if !all.is_empty() {
        uuids.truncate(computing);
        amd::driver(cx, out, first, &uuids);
    }
    let mut n = first + all.len();
    for card in pci.iter().filter(|p| p.vendor == Vendor::Intel) {
        record_pci(out, n, Some(card));
        if let Some(product) = products::by_pci(card.vendor_id, card.device_id) {
            out.set(&format!("{n}.name"), product.name);
            out.set(&format!("{n}.name_found_by"), "table by PCI id");
        }
        n += 1;
    }
    n
}

/// Whether nothing can be said of NVIDIA devices: NVML did not answer, and no file names one. WSL's GPU is on no bus.
fn blind(cx: &Context, fault: &NvmlFault, devices: &[Nvidia<'_>]) -> bool {
    devices.is_empty()
        && match fault {
            NvmlFault::Absent | NvmlFault::NoDriver => false,
            NvmlFault::NoLibrary(_) => cx.host.exists("/dev/dxg".as_ref()),
            _ => true,
        }
}

/// Records devices that NVML described elsewhere (a dump of `nvidia-smi`) as `gpu.N`, in their order, with what
/// follows from their names.
pub(crate) fn record_described(devices: &[NvmlDevice], out: &Sink) {
    for (n, device) in devices.iter().enumerate() {
        Nvidia { nvml: Some(device), ..Nvidia::default() }.record(out, n);
    }
}

#[cfg(test)]
mod tests;
