//! AMD GPUs: the compute driver's topology (KFD) and amdgpu's sysfs.

use std::collections::BTreeMap;
use std::path::Path;

use super::pci::PciGpu;
use super::{Sink, products};
use crate::probes::Context;

/// Where KFD lists what can compute (`Documentation/gpu/amdgpu/amd-hardware-list-info.rst` and ROCm's libhsakmt).
const NODES: &str = "/sys/class/kfd/kfd/topology/nodes";

/// A GPU node of KFD's topology; in a compute partition (CPX) several stand for one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// The PCI address.
    pub(super) address: String,
    properties: BTreeMap<String, u64>,
}

/// The GPU nodes that this process may use, in the order of ROCm. A node whose `gpu_id` is 0 is a CPU; one that may
/// not be read belongs to another container.
pub(super) fn nodes(cx: &Context) -> Vec<Node> {
    let mut numbers: Vec<u64> = cx.host.names(NODES).iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let read = |number: &u64| {
        let folder = Path::new(NODES).join(number.to_string());
        cx.host.maybe(folder.join("gpu_id"))?.parse::<u64>().ok().filter(|id| *id > 0)?;
        let properties = parse_properties(&cx.host.maybe(folder.join("properties"))?);
        let at = |key: &str| properties.get(key).copied().unwrap_or(0);
        if at("simd_count") == 0 {
            return None;
        }
        let (domain, location) = (at("domain"), at("location_id"));
        let address = format!(
            "{domain:04x}:{:02x}:{:02x}.{:x}",
            (location >> 8) & 0xff,
            (location >> 3) & 0x1f,
            location & 7
        );
        Some(Node { address, properties })
    };
    numbers.iter().filter_map(read).collect()
}

/// ```text
/// cpu_cores_count 0
/// simd_count 440
/// gfx_target_version 90010
/// ```
fn parse_properties(text: &str) -> BTreeMap<String, u64> {
    let pair = |line: &str| {
        let (key, value) = line.split_once(' ')?;
        Some((key.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// `90010` → `gfx90a`: major, minor and stepping in pairs of decimal digits, the last two written in hexadecimal
/// (LLVM's AMDGPU usage guide, "Processors").
fn gfx_name(version: u64) -> Option<String> {
    let (major, minor, stepping) = (version / 10_000, version / 100 % 100, version % 100);
    (major > 0).then(|| format!("gfx{major}{minor:x}{stepping:x}"))
}

/// Records one AMD device as `gpu.N`.
pub(super) fn device(cx: &Context, out: &Sink, n: usize, node: Option<&Node>, pci: Option<&PciGpu>) {
    let set = |fact: &str, value: Option<String>| out.set_opt(&format!("{n}.{fact}"), value);
    let count = |fact: &str, value: Option<u64>| out.set_opt(&format!("{n}.{fact}"), value);
    if let Some(node) = node {
        let at = |key: &str| node.properties.get(key).copied();
        set("architecture", at("gfx_target_version").and_then(gfx_name));
        count(
            "compute_units",
            at("simd_count").zip(at("simd_per_cu")).and_then(|(all, per)| all.checked_div(per)),
        );
        count("wavefront_size", at("wave_front_size"));
        let per_unit = at("simd_per_cu").zip(at("max_waves_per_simd"));
        count("max_waves_per_cu", per_unit.map(|(simds, waves)| simds.saturating_mul(waves)));
    }
    let Some(pci) = pci else { return };
    let file = |name: &str| cx.host.maybe(pci.folder().join(name)).filter(|text| !text.is_empty());
    if let Some(name) = file("product_name") {
        set("name", Some(name));
        set("name_found_by", Some("product_name in sysfs".to_owned()));
    } else if let Some(product) = products::by_pci(pci.vendor_id, pci.device_id) {
        set("name", Some(product.name.to_owned()));
        set("name_found_by", Some("table by PCI id".to_owned()));
    }
    set("vbios_version", file("vbios_version"));
    set("uuid", file("unique_id").map(|id| format!("GPU-{}", id.trim_start_matches("0x"))));
    set("serial", file("serial_number"));
    set("compute_partition", file("current_compute_partition"));
    set("memory_partition", file("current_memory_partition"));
    count("memory_total", file("mem_info_vram_total").and_then(|text| text.parse().ok()));
    count("memory_used", file("mem_info_vram_used").and_then(|text| text.parse().ok()));
}

/// Records ROCm's and the kernel driver's versions, and what the variables select among `first..first + devices`.
pub(super) fn driver(cx: &Context, out: &Sink, first: usize, uuids: &[Option<String>]) {
    out.set_opt("amd.driver_version", cx.host.maybe("/sys/module/amdgpu/version"));
    out.set_opt("amd.rocm_version", cx.host.maybe("/opt/rocm/.info/version"));
    let rocr = cx.host.env("ROCR_VISIBLE_DEVICES");
    // HIP takes CUDA's variable where its own is not set (ROCm documentation, "GPU isolation techniques").
    let hip = cx.host.env("HIP_VISIBLE_DEVICES").or_else(|| cx.host.env("CUDA_VISIBLE_DEVICES"));
    let all: Vec<usize> = (0..uuids.len()).collect();
    let below = rocr.map_or_else(|| all.clone(), |list| choose(&all, uuids, &list));
    let chosen = hip.map_or_else(|| below.clone(), |list| choose(&below, uuids, &list));
    out.set("amd.visible", chosen.iter().map(|i| (first + i).to_string()).collect::<Vec<_>>());
}

/// The devices of `from` that a list of indices into it, or of UUIDs, names; the first entry that fits none ends it.
fn choose(from: &[usize], uuids: &[Option<String>], list: &str) -> Vec<usize> {
    let find = |entry: &str| {
        if let Ok(index) = entry.parse::<usize>() {
            return from.get(index).copied();
        }
        let named = |i: &&usize| {
            uuids.get(**i).and_then(Option::as_deref).is_some_and(|u| u.eq_ignore_ascii_case(entry))
        };
        from.iter().find(named).copied()
    };
    let mut chosen = Vec::new();
    for device in list.split(',').map_while(|entry| find(entry.trim())) {
        if !chosen.contains(&device) {
            chosen.push(device);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_as_compilers_name_them() {
        let names = [90010, 90402, 110000, 100300, 90006, 0].map(gfx_name);
        let expected =
            [Some("gfx90a"), Some("gfx942"), Some("gfx1100"), Some("gfx1030"), Some("gfx906"), None];
        assert_eq!(names.each_ref().map(Option::as_deref), expected);
    }

    #[test]
    fn rocr_and_hip_lists() {
        let uuids = vec![Some("GPU-18f68e602b8a790f".to_owned()), Some("GPU-aa".to_owned()), None];
        let all = [0, 1, 2];
        assert_eq!(choose(&all, &uuids, "2,0"), [2, 0]);
        assert_eq!(choose(&all, &uuids, "1,9,0"), [1]);
        assert_eq!(choose(&all, &uuids, "GPU-18F68E602B8A790F,2"), [0, 2]);
        assert_eq!(choose(&[2, 0], &uuids, "1"), [0]);
        assert_eq!(choose(&all, &uuids, ""), [] as [usize; 0]);
        assert_eq!(choose(&all, &uuids, "-1"), [] as [usize; 0]);
    }
}
