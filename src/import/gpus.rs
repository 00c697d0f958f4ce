//! GPUs as programs list them: by name.

use std::collections::BTreeMap;

use super::Draft;
use crate::host::nvml::{NvmlDevice, NvmlMig};
use crate::probes::{Sink, gpu};

/// Records NVIDIA devices in their order, with what follows from their names (compute capability, SM count), as the
/// probe would. Where the list is whole, `gpu.count` is its length.
pub fn nvidia(draft: &mut Draft, devices: &[NvmlDevice], whole: bool) {
    let sink = Sink::new("gpu");
    gpu::record_described(devices, &sink);
    draft.take(&sink);
    if whole {
        draft.set("gpu.count", devices.len());
    }
}

/// The devices of `nvidia-smi -L`, whose UUIDs may be taken out, and whose lines may have been run together:
///
/// ```text
/// GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)
///   MIG 3g.20gb     Device  0: (UUID: MIG-…)
/// ```
///
/// A number that stands before several (`GPU 0,1: NVIDIA L4`) counts for each.
pub fn listed<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<u32, NvmlDevice> {
    let mut devices: BTreeMap<u32, NvmlDevice> = BTreeMap::new();
    let mut last = Vec::new();
    for line in lines.flat_map(split) {
        if let Some((numbers, name)) = device(line) {
            last = numbers;
            for number in &last {
                let name = Some(name.trim()).filter(|n| !n.is_empty()).map(str::to_owned);
                devices.insert(*number, NvmlDevice { name, ..NvmlDevice::default() });
            }
        } else if let (Some(mig), [number]) = (mig(line), last.as_slice())
            && let Some(device) = devices.get_mut(number)
        {
            device.mig_mode = Some(true);
            device.mig.push(mig);
        }
    }
    devices
}

/// A line cut before every ` GPU <number>: ` in it.
fn split(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in line.match_indices(" GPU ") {
        // Long enough for a few numbers, and no scan to the end of the line.
        let head = &line[at..line.floor_char_boundary(at + 64)];
        if device(head).is_some() {
            parts.push(&line[start..at]);
            start = at;
        }
    }
    parts.push(&line[start..]);
    parts
}

/// `GPU 0: NAME (UUID: …)`, `GPU 0,1: NAME`: the numbers (at most 1,024) and the name.
fn device(line: &str) -> Option<(Vec<u32>, &str)> {
    let rest = line.trim_start().strip_prefix("GPU ")?;
    // The numbers are short; looking no further keeps the search linear over a long line.
    let head = &rest[..rest.floor_char_boundary(8_192)];
    let (numbers, _) = head.split_once(':')?;
    let numbers: Option<Vec<u32>> =
        numbers.split(',').take(1_024).map(|n| n.trim().parse().ok().filter(|n| *n < 4_096)).collect();
    let name = &rest[head.find(':')? + 1..];
    let name = name.split(" (UUID:").next().unwrap_or_default();
    Some((numbers?, name))
}

/// `MIG 1g.5gb     Device  0: (UUID: …)`.
fn mig(line: &str) -> Option<NvmlMig> {
    let mut words = line.trim_start().strip_prefix("MIG ")?.split_whitespace();
    let profile = words.next()?.to_owned();
    let index = (words.next()? == "Device").then(|| words.next()?.trim_end_matches(':').parse().ok())??;
    Some(NvmlMig { index, profile: Some(profile), ..NvmlMig::default() })
}

/// Records the one AMD device that HIP builds of torch name, with its target and features:
/// `AMD Instinct MI300X (gfx942:sramecc+:xnack-)`.
pub fn amd(draft: &mut Draft, n: u32, text: &str) {
    let text = text.trim();
    let (name, target) = match text.strip_suffix(')').and_then(|t| t.rsplit_once("(gfx")) {
        Some((name, target)) => (name.trim_end(), target.split(':').next()),
        // torch before 1.11 has no target to tell (collect_env's own words).
        None => (text.strip_suffix("NoGCNArchNameOnOldPyTorch").unwrap_or(text).trim_end(), None),
    };
    draft.set(&format!("gpu.{n}.vendor"), "amd");
    draft.set_opt(&format!("gpu.{n}.name"), Some(name).filter(|n| !n.is_empty()));
    draft.set_opt(&format!("gpu.{n}.architecture"), target.map(|target| format!("gfx{target}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_devices() {
        let text = "GPU 0: Tesla T4 (UUID: GPU-1)\n  GPU 1: NVIDIA A100-SXM4-40GB\n  MIG 3g.20gb     Device  0: \n  \
                    MIG 1c.1g.5gb     Device  3: (UUID: MIG-2)\nGPU 4,5: NVIDIA L4 GPU 7: NVIDIA L40\nGPU x: y\nGPU 8";
        let devices = listed(text.lines());
        let names: Vec<_> = devices.iter().map(|(n, d)| (*n, d.name.as_deref().unwrap_or("-"))).collect();
        let l4 = "NVIDIA L4";
        let expected = [(0, "Tesla T4"), (1, "NVIDIA A100-SXM4-40GB"), (4, l4), (5, l4), (7, "NVIDIA L40")];
        assert_eq!(names, expected);
        let mig: Vec<_> = devices[&1].mig.iter().map(|m| (m.index, m.profile.as_deref())).collect();
        assert_eq!(mig, [(0, Some("3g.20gb")), (3, Some("1c.1g.5gb"))]);
        assert!(listed(["GPU "; 3].into_iter()).is_empty());
    }
}
