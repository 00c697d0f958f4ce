//! What the processor is called: vendor, model, microarchitecture, microcode.

use super::cpuinfo::{CpuInfo, Processor};
use super::isa::{Machine, hex};
use crate::probes::Sink;

/// Writes the facts.
pub(super) fn record(machine: &Machine<'_>, info: &CpuInfo<'_>, out: &Sink) {
    let cpu = info.first();
    let all = |values: std::collections::BTreeSet<&str>| values.into_iter().collect::<Vec<_>>().join(", ");
    let set = |path: &str, value: String| out.set_opt(path, Some(value).filter(|v| !v.is_empty()));
    match machine.parts.is_empty() {
        true => set("vendor", all(info.distinct(|cpu| cpu.vendor))),
        false => {
            let vendors = machine.parts.iter().map(|(implementer, _)| arm_implementer(*implementer));
            let vendors: std::collections::BTreeSet<String> = vendors.collect();
            set("vendor", vendors.into_iter().collect::<Vec<_>>().join(", "));
            set("part", all(info.distinct(|cpu| cpu.part)));
            set("implementer", all(info.distinct(|cpu| cpu.implementer)));
            // As Arm writes them: r0p1 is variant 0, revision 1.
            if let Some(variant) = hex(cpu.variant).filter(|_| info.distinct(|cpu| cpu.part).len() == 1) {
                set("revision", format!("r{variant}p{}", cpu.revision));
            }
        }
    }
    let models: std::collections::BTreeSet<String> = info.cpus.iter().map(of_cpu).collect();
    set("model", models.into_iter().collect::<Vec<_>>().join(" + "));
    out.set_opt("family", machine.family);
    out.set_opt("model_number", machine.model);
    out.set_opt("stepping", cpu.stepping.parse::<u32>().ok());
    set("microcode", all(info.distinct(|cpu| cpu.microcode)));
    out.set_opt("microarchitecture", microarchitecture(machine, &cpu));
}

/// The name of one CPU's model: the kernel's, else (aarch64) the name of its part, runs of spaces made one.
pub(super) fn of_cpu(cpu: &Processor<'_>) -> String {
    let named = cpu.name.split_whitespace().collect::<Vec<_>>().join(" ");
    // 32-bit and older 64-bit Arm kernels write `ARMv8 Processor rev 1 (v8l)` there, which names no model.
    let generic = named.is_empty() || named.starts_with("ARMv") || named.starts_with("AArch64 Processor");
    let part = hex(cpu.implementer).zip(hex(cpu.part)).filter(|_| generic);
    part.map_or(named, |(implementer, part)| arm_part(implementer, part))
}

/// The microarchitecture where family, model and stepping decide it; `None` for the others.
fn microarchitecture(machine: &Machine<'_>, cpu: &Processor<'_>) -> Option<&'static str> {
    let (family, model) = (machine.family?, machine.model?);
    let stepping: u32 = cpu.stepping.parse().ok()?;
    match machine.vendor {
        "GenuineIntel" if family == 6 => intel(model, stepping),
        "AuthenticAMD" => amd(family, model),
        _ => None,
    }
}

/// Intel family 6 (Linux `arch/x86/include/asm/intel-family.h`; steppings of model 55h: GCC
/// `common/config/i386/cpuinfo.h`).
fn intel(model: u32, stepping: u32) -> Option<&'static str> {
    Some(match model {
        0x1a | 0x1e | 0x1f | 0x2e => "nehalem",
        0x25 | 0x2c | 0x2f => "westmere",
        0x2a | 0x2d => "sandybridge",
        0x3a | 0x3e => "ivybridge",
        0x3c | 0x3f | 0x45 | 0x46 => "haswell",
        0x3d | 0x47 | 0x4f | 0x56 => "broadwell",
        0x4e | 0x5e => "skylake",
        0x55 if stepping >= 10 => "cooperlake",
        0x55 if stepping >= 5 => "cascadelake",
        0x55 => "skylake-avx512",
        0x57 => "knights-landing",
        0x85 => "knights-mill",
        0x66 => "cannonlake",
        0x6a | 0x6c => "icelake-server",
        0x7d | 0x7e => "icelake-client",
        0x8c | 0x8d => "tigerlake",
        0x8e | 0x9e => "kabylake",
        0x8f => "sapphirerapids",
        0x97 | 0x9a => "alderlake",
        0xa5 | 0xa6 => "cometlake",
        0xa7 => "rocketlake",
        0xaa | 0xac => "meteorlake",
        0xad | 0xae => "graniterapids",
        0xaf => "sierraforest",
        0xb7 | 0xba | 0xbf => "raptorlake",
        0xb5 | 0xc5 | 0xc6 => "arrowlake",
        0xb6 => "grandridge",
        0xbd => "lunarlake",
        0xcf => "emeraldrapids",
        _ => return None,
    })
}

/// AMD from Bulldozer on (GCC `common/config/i386/cpuinfo.h`, `get_amd_cpu`).
fn amd(family: u32, model: u32) -> Option<&'static str> {
    Some(match (family, model) {
        (0x17, 0x00..=0x2f) => "zen",
        (0x17, 0x30..) => "zen2",
        (0x19, 0x00..=0x0f | 0x20..=0x5f) => "zen3",
        (0x19, 0x10..=0x1f | 0x60..=0xaf) => "zen4",
        (0x1a, 0x00..=0x4f | 0x60..=0x77) => "zen5",
        _ => return None,
    })
}

/// The implementer of an Arm core (MIDR_EL1 bits 31 to 24; util-linux `sys-utils/lscpu-arm.c`).
fn arm_implementer(implementer: u32) -> String {
    match implementer {
        0x41 => "ARM",
        0x42 => "Broadcom",
        0x43 => "Cavium",
        0x46 => "FUJITSU",
        0x48 => "HiSilicon",
        0x4e => "NVIDIA",
        0x50 => "APM",
        0x51 => "Qualcomm",
        0x53 => "Samsung",
        0x56 => "Marvell",
        0x61 => "Apple",
        0x69 => "Intel",
        0x6d => "Microsoft",
        0x70 => "Phytium",
        0xc0 => "Ampere",
        other => return format!("0x{other:02x}"),
    }
    .to_owned()
}

/// The name of an Arm core (MIDR_EL1 bits 15 to 4; util-linux `sys-utils/lscpu-arm.c`), else both numbers.
fn arm_part(implementer: u32, part: u32) -> String {
    let name = match (implementer, part) {
        (0x41, 0xd03) => "Cortex-A53",
        (0x41, 0xd04) => "Cortex-A35",
        (0x41, 0xd05) => "Cortex-A55",
        (0x41, 0xd06) => "Cortex-A65",
        (0x41, 0xd07) => "Cortex-A57",
        (0x41, 0xd08) => "Cortex-A72",
        (0x41, 0xd09) => "Cortex-A73",
        (0x41, 0xd0a) => "Cortex-A75",
        (0x41, 0xd0b) => "Cortex-A76",
        (0x41, 0xd0c) => "Neoverse-N1",
        (0x41, 0xd0d) => "Cortex-A77",
        (0x41, 0xd0e) => "Cortex-A76AE",
        (0x41, 0xd40) => "Neoverse-V1",
        (0x41, 0xd41) => "Cortex-A78",
        (0x41, 0xd42) => "Cortex-A78AE",
        (0x41, 0xd44) => "Cortex-X1",
        (0x41, 0xd46) => "Cortex-A510",
        (0x41, 0xd47) => "Cortex-A710",
        (0x41, 0xd48) => "Cortex-X2",
        (0x41, 0xd49) => "Neoverse-N2",
        (0x41, 0xd4a) => "Neoverse-E1",
        (0x41, 0xd4b) => "Cortex-A78C",
        (0x41, 0xd4c) => "Cortex-X1C",
        (0x41, 0xd4d) => "Cortex-A715",
        (0x41, 0xd4e) => "Cortex-X3",
        (0x41, 0xd4f) => "Neoverse-V2",
        (0x41, 0xd80) => "Cortex-A520",
        (0x41, 0xd81) => "Cortex-A720",
        (0x41, 0xd82) => "Cortex-X4",
        (0x41, 0xd83) => "Neoverse-V3AE",
        (0x41, 0xd84) => "Neoverse-V3",
        (0x41, 0xd85) => "Cortex-X925",
        (0x41, 0xd87) => "Cortex-A725",
        (0x41, 0xd8e) => "Neoverse-N3",
        (0x43, 0x0a1) => "ThunderX",
        (0x43, 0x0af) => "ThunderX2",
        (0x46, 0x001) => "A64FX",
        (0x48, 0xd01) => "TaiShan-v110",
        (0x4e, 0x003) => "Denver 2",
        (0x4e, 0x004) => "Carmel",
        (0x61, 0x022) => "Icestorm-M1",
        (0x61, 0x023) => "Firestorm-M1",
        (0xc0, 0xac3) => "Ampere-1",
        (0xc0, 0xac4) => "Ampere-1a",
        _ => return format!("implementer 0x{implementer:02x} part 0x{part:03x}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models() {
        assert_eq!(
            (intel(0x55, 4), intel(0x55, 7), intel(0x55, 11)),
            (Some("skylake-avx512"), Some("cascadelake"), Some("cooperlake"))
        );
        assert_eq!(
            (amd(0x19, 1), amd(0x19, 0x11), amd(0x17, 0x31)),
            (Some("zen3"), Some("zen4"), Some("zen2"))
        );
        assert_eq!((intel(0x01, 0), amd(0x0f, 0)), (None, None));
        assert_eq!(arm_part(0x41, 0xd4f), "Neoverse-V2");
        assert_eq!(arm_part(0x99, 0x1), "implementer 0x99 part 0x001");
    }
}
