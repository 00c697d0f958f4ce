//! The devices that CUDA would enumerate, in its order, from `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER`.
//!
//! Sources: CUDA Programming Guide, "CUDA Environment Variables" (indices, UUIDs and their abbreviations, what an
//! invalid entry does, the two orders); MIG User Guide, "CUDA Device Enumeration" (one compute instance only, no
//! whole GPU beside it, both MIG forms); and, for what these leave open (repeated entries, text after a number),
//! PyTorch's `torch/cuda/__init__.py`, `_parse_visible_devices` and `_transform_uuid_to_ordinals`, which follow the
//! driver.

use std::fmt;

/// A device of NVML, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    /// `GPU-…`.
    pub(super) uuid: Option<String>,
    /// What the device is: devices with equal models are equally fast.
    pub(super) model: String,
    /// Whether it is in MIG mode.
    pub(super) mig_mode: bool,
    /// Its MIG devices, in NVML order.
    pub(super) mig: Vec<Instance>,
    /// Why it does not answer, where it does not.
    pub(super) fault: Option<String>,
}

/// A MIG device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) index: u32,
    pub(super) uuid: Option<String>,
    pub(super) gi: Option<u32>,
    pub(super) ci: Option<u32>,
}

/// One device that CUDA enumerates: its NVML index, and that of the MIG device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) device: usize,
    pub(super) mig: Option<u32>,
}

impl fmt::Display for Selected {
    /// `0`, or `0.mig.1` as the facts name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mig {
            Some(mig) => write!(f, "{}.mig.{mig}", self.device),
            None => write!(f, "{}", self.device),
        }
    }
}

/// What CUDA enumerates, or why that cannot be said.
pub(super) fn select(
    devices: &[Candidate],
    visible: Option<&str>,
    order: Option<&str>,
) -> Result<Vec<Selected>, String> {
    let pci = order == Some("PCI_BUS_ID");
    let Some(visible) = visible else {
        whole(devices)?;
        let all: Vec<usize> = (0..devices.len()).collect();
        return enumerate(devices, &all, pci || equal(devices));
    };
    let entries: Vec<&str> = visible.split(',').map(str::trim).collect();
    let first = entries.first().copied().unwrap_or_default();
    if first.starts_with("MIG-") {
        whole(devices)?;
        return Ok(mig(devices, first).into_iter().collect());
    }
    let chosen =
        if first.starts_with("GPU-") { by_uuid(devices, &entries)? } else { by_index(devices, &entries) };
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    whole(devices)?;
    if first.starts_with("GPU-") {
        return enumerate(devices, &chosen, true);
    }
    if !pci && !equal(devices) {
        return Err(ORDER.to_owned());
    }
    enumerate(devices, &chosen, true)
}

const ORDER: &str = "the devices differ, and CUDA's default order (FASTEST_FIRST) of unequal devices is not documented; \
                     CUDA_DEVICE_ORDER=PCI_BUS_ID or UUIDs make it sure";

/// Whether all devices answer; CUDA's start is not predictable beside one that fell off the bus.
fn whole(devices: &[Candidate]) -> Result<(), String> {
    let lost = devices.iter().enumerate().find_map(|(i, d)| d.fault.as_ref().map(|fault| (i, fault)));
    lost.map_or(Ok(()), |(i, fault)| Err(format!("device {i} does not answer: {fault}")))
}

fn equal(devices: &[Candidate]) -> bool {
    devices.windows(2).all(|pair| match pair {
        [a, b] => a.model == b.model,
        _ => true,
    })
}

/// The devices chosen, less what MIG hides. `ordered` says whether the order of `chosen` is CUDA's.
fn enumerate(devices: &[Candidate], chosen: &[usize], ordered: bool) -> Result<Vec<Selected>, String> {
    let chosen = chosen.iter().filter_map(|i| devices.get(*i).map(|d| (*i, d)));
    let (split, plain): (Vec<_>, Vec<_>) = chosen.partition(|(_, d)| d.mig_mode);
    let instances: Vec<Selected> = split
        .iter()
        .filter_map(|(i, d)| d.mig.first().map(|m| Selected { device: *i, mig: Some(m.index) }))
        .collect();
    match (instances.as_slice(), ordered) {
        // "CUDA can only enumerate a single compute instance", and no whole GPU beside it.
        ([first, ..], true) | ([first], false) => Ok(vec![*first]),
        ([], _) if ordered || plain.len() < 2 => {
            Ok(plain.iter().map(|(i, _)| Selected { device: *i, mig: None }).collect())
        }
        _ => Err(ORDER.to_owned()),
    }
}

/// The devices of a list of UUIDs, each perhaps abbreviated: an entry that fits none or several ends the list, a
/// repeated device empties it.
fn by_uuid(devices: &[Candidate], entries: &[&str]) -> Result<Vec<usize>, String> {
    let mut chosen = Vec::new();
    for entry in entries {
        if !entry.starts_with("GPU-") {
            break;
        }
        let fits = |d: &Candidate| d.uuid.as_deref().is_some_and(|uuid| uuid.starts_with(entry));
        let mut fitting = devices.iter().enumerate().filter(|(_, d)| fits(d)).map(|(i, _)| i);
        let (Some(device), None) = (fitting.next(), fitting.next()) else {
            // The UUID may be that of a device that no longer says its own.
            whole(devices)?;
            break;
        };
        if chosen.contains(&device) {
            return Ok(Vec::new());
        }
        chosen.push(device);
    }
    Ok(chosen)
}

/// The devices of a list of indices: a negative, absent or too large one ends the list, a repeated one empties it.
fn by_index(devices: &[Candidate], entries: &[&str]) -> Vec<usize> {
    let mut chosen = Vec::new();
    for entry in entries {
        match leading_number(entry) {
            Some(index) if chosen.contains(&index) => return Vec::new(),
            Some(index) if index < devices.len() => chosen.push(index),
            _ => break,
        }
    }
    chosen
}

/// The number that the text starts with, as `strtoul(3)` reads it: `1gpu` is 1. A negative one is `None`.
fn leading_number(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

/// The MIG device of `MIG-UUID` (driver R470 and later, perhaps abbreviated) or `MIG-GPU-UUID/GI/CI`.
fn mig(devices: &[Candidate], entry: &str) -> Option<Selected> {
    let instances = || {
        devices
            .iter()
            .enumerate()
            .flat_map(|(i, d)| d.mig.iter().map(move |m| (Selected { device: i, mig: Some(m.index) }, d, m)))
    };
    if let Some(old) = entry.strip_prefix("MIG-").filter(|rest| rest.starts_with("GPU-")) {
        let mut parts = old.split('/');
        let uuid = parts.next()?;
        let (gi, ci) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
        let fits = |d: &Candidate, m: &Instance| {
            d.uuid.as_deref() == Some(uuid) && m.gi == Some(gi) && m.ci == Some(ci)
        };
        return instances().find(|(_, d, m)| fits(d, m)).map(|(selected, _, _)| selected);
    }
    let mut fitting =
        instances().filter(|(_, _, m)| m.uuid.as_deref().is_some_and(|uuid| uuid.starts_with(entry)));
    let (Some((selected, _, _)), None) = (fitting.next(), fitting.next()) else {
        return None;
    };
    Some(selected)
}

#[cfg(test)]
#[path = "visible_tests.rs"]
mod tests;
