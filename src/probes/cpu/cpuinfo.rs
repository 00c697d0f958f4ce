//! `/proc/cpuinfo`: one block per online CPU (x86: `arch/x86/kernel/cpu/proc.c`; aarch64:
//! `arch/arm64/kernel/cpuinfo.c` of Linux). `cpu MHz` and `bogomips` jitter and are never read.

use std::collections::BTreeSet;

/// One online CPU, in the file's own words; empty where a field is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Processor<'a> {
    /// The number of this CPU.
    pub(super) number: Option<u32>,
    /// x86: `vendor_id`.
    pub(super) vendor: &'a str,
    /// x86: `cpu family`.
    pub(super) family: &'a str,
    /// x86: `model`, a number.
    pub(super) model: &'a str,
    /// `model name`.
    pub(super) name: &'a str,
    /// x86: `stepping`.
    pub(super) stepping: &'a str,
    /// x86: `microcode`.
    pub(super) microcode: &'a str,
    /// x86: `physical id`, the socket.
    pub(super) package: &'a str,
    /// x86: `core id`, unique in its socket.
    pub(super) core: &'a str,
    /// x86: `flags`; aarch64: `Features`.
    pub(super) flags: &'a str,
    /// aarch64: `CPU implementer`.
    pub(super) implementer: &'a str,
    /// aarch64: `CPU part`.
    pub(super) part: &'a str,
    /// aarch64: `CPU variant`.
    pub(super) variant: &'a str,
    /// aarch64: `CPU revision`.
    pub(super) revision: &'a str,
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuInfo<'a> {
    /// Every online CPU, in the order of the file.
    pub(super) cpus: Vec<Processor<'a>>,
}

impl<'a> CpuInfo<'a> {
    /// Parses the file, for example
    ///
    /// ```text
    /// processor   : 0
    /// vendor_id : GenuineIntel
    /// cpu family : 6
    /// flags  : fpu vme de pse
    ///
    /// processor : 1
    /// ```
    ///
    /// aarch64 kernels before 3.18 and some vendors' write `Features` and `CPU part` once, after all CPUs: what a
    /// CPU lacks is then taken from the last block that has it.
    pub(super) fn parse(text: &'a str) -> Self {
        let mut cpus: Vec<Processor<'a>> = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let (key, value) = (key.trim_end(), value.trim());
            if key == "processor" {
                cpus.push(Processor { number: value.parse().ok(), ..Processor::default() });
                continue;
            }
            let Some(cpu) = cpus.last_mut() else { continue };
            let field = match key {
                "vendor_id" => &mut cpu.vendor,
                "cpu family" => &mut cpu.family,
                "model" => &mut cpu.model,
                "model name" => &mut cpu.name,
                "stepping" => &mut cpu.stepping,
                "microcode" => &mut cpu.microcode,
                "physical id" => &mut cpu.package,
                "core id" => &mut cpu.core,
                "flags" | "Features" => &mut cpu.flags,
                "CPU implementer" => &mut cpu.implementer,
                "CPU part" => &mut cpu.part,
                "CPU variant" => &mut cpu.variant,
                "CPU revision" => &mut cpu.revision,
                _ => continue,
            };
            *field = value;
        }
        let shared = cpus.last().copied().unwrap_or_default();
        for cpu in cpus.iter_mut().filter(|cpu| cpu.flags.is_empty()) {
            let Processor { number, package, core, .. } = *cpu;
            *cpu = Processor { number, package, core, ..shared };
        }
        Self { cpus }
    }

    /// The distinct values of a field over all CPUs, sorted, without empty ones.
    pub(super) fn distinct(&self, field: impl Fn(&Processor<'a>) -> &'a str) -> BTreeSet<&'a str> {
        self.cpus.iter().map(field).filter(|value| !value.is_empty()).collect()
    }

    /// The first CPU's.
    pub(super) fn first(&self) -> Processor<'a> {
        self.cpus.first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_x86_and_of_an_old_arm_kernel() {
        let x86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\ncpu MHz\t\t: 2450.000\nflags\t\t: fpu sse\n\n\
                   processor\t: 1\nflags\t\t: fpu\npower management:\n";
        let info = CpuInfo::parse(x86);
        assert_eq!((info.cpus.len(), info.first().vendor, info.first().family), (2, "AuthenticAMD", "25"));
        assert_eq!(info.distinct(|c| c.flags), BTreeSet::from(["fpu", "fpu sse"]));
        let arm =
            CpuInfo::parse("processor : 0\nprocessor : 1\n\nFeatures : asimd crc32\nCPU part : 0xd03\n");
        assert!(arm.cpus.iter().all(|c| c.part == "0xd03" && c.flags == "asimd crc32"));
        assert_eq!(arm.cpus.iter().map(|c| c.number).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert_eq!(CpuInfo::parse("nonsense\n:::\nflags: a\n"), CpuInfo::default());
    }
}
