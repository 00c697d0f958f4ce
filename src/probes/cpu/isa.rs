//! Which instructions the processor has, in the words of `/proc/cpuinfo`.

use std::collections::BTreeSet;

use super::cpuinfo::CpuInfo;
use crate::host::Host;
use crate::probes::{Context, Sink};

/// The processor as the code paths of libraries see it.
pub(super) struct Machine<'a> {
    /// Where environment variables come from.
    pub(super) host: &'a dyn Host,
    /// `uname -m`.
    pub(super) arch: &'a str,
    /// x86: `GenuineIntel`, `AuthenticAMD`, …
    pub(super) vendor: &'a str,
    /// x86: family and model as CPUID leaf 1 gives them, extended parts added.
    pub(super) family: Option<u32>,
    /// See `family`.
    pub(super) model: Option<u32>,
    /// The flags that every CPU has, as the kernel spells them.
    flags: BTreeSet<&'a str>,
    /// Numeric flags that some CPUs have and others lack.
    some: BTreeSet<&'a str>,
    /// aarch64: implementer and part of every kind of core.
    pub(super) parts: BTreeSet<(u32, u32)>,
    /// aarch64: bits of an SVE vector in a new process.
    pub(super) sve_bits: Option<u32>,
    /// Versions of installed libraries.
    pub(super) versions: Versions,
}

/// Versions of libraries whose rules changed over time, as (major, minor); `None` where not installed or not looked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Versions {
    /// The `torch` distribution.
    pub(super) torch: Option<(u32, u32)>,
    /// The `numpy` distribution.
    pub(super) numpy: Option<(u32, u32)>,
    /// The interpreter.
    pub(super) python: Option<(u32, u32)>,
}

impl Versions {
    /// Of versions that are known otherwise.
    pub(super) fn given(torch: Option<&str>, numpy: Option<&str>) -> Self {
        Self { torch: torch.and_then(major_minor), numpy: numpy.and_then(major_minor), python: None }
    }

    /// From the interpreter that the capture looks at.
    pub(super) fn of(cx: &Context) -> Self {
        let Ok(Some(python)) = cx.interpreter() else {
            return Self::default();
        };
        let of = |name| python.distribution(cx.host.as_ref(), name).and_then(|d| major_minor(&d.version));
        Self {
            torch: of("torch"),
            numpy: of("numpy"),
            python: python.version.as_deref().and_then(major_minor),
        }
    }
}

/// `2.11.0+cu130` as `(2, 11)`.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '+', 'a', 'b', 'r', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl<'a> Machine<'a> {
    /// Of what `/proc/cpuinfo` says, and the vector length that the kernel hands to new processes.
    pub(super) fn new(host: &'a dyn Host, arch: &'a str, info: &CpuInfo<'a>) -> Self {
        let mut sets =
            info.distinct(|cpu| cpu.flags).into_iter().map(|flags| flags.split_ascii_whitespace().collect());
        let first: BTreeSet<&str> = sets.next().unwrap_or_default();
        let (mut every, mut any) = (first.clone(), first);
        for set in sets {
            let set: BTreeSet<&str> = set;
            every.retain(|flag| set.contains(flag));
            any.extend(set);
        }
        let some =
            any.difference(&every).copied().filter(|flag| is_numeric(flag, arch == "aarch64")).collect();
        let cpu = info.first();
        // Bytes (Documentation/arch/arm64/sve.rst, "System runtime configuration").
        let sve = host.maybe("/proc/sys/abi/sve_default_vector_length").filter(|_| every.contains("sve"));
        Self {
            host,
            arch,
            vendor: cpu.vendor,
            family: cpu.family.parse().ok(),
            model: cpu.model.parse().ok(),
            flags: every,
            some,
            parts: info.cpus.iter().filter_map(|c| Some((hex(c.implementer)?, hex(c.part)?))).collect(),
            sve_bits: sve.and_then(|bytes| bytes.parse::<u32>().ok()?.checked_mul(8)),
            versions: Versions::default(),
        }
    }

    /// Whether the file said anything about instructions.
    pub(super) fn known(&self) -> bool {
        !self.flags.is_empty()
    }

    /// Whether every CPU has all of these, in the kernel's spelling.
    pub(super) fn has<const N: usize>(&self, flags: [&str; N]) -> bool {
        flags.iter().all(|flag| self.flags.contains(flag))
    }

    /// Whether this is a 64-bit x86 processor in 64-bit mode.
    pub(super) fn is_x86_64(&self) -> bool {
        self.arch == "x86_64"
    }

    /// Whether this is a 64-bit Arm processor in 64-bit mode.
    pub(super) fn is_aarch64(&self) -> bool {
        self.arch == "aarch64"
    }

    /// An environment variable that is set and not empty.
    pub(super) fn env(&self, name: &str) -> Option<String> {
        self.host.env(name).filter(|value| !value.is_empty())
    }

    /// Writes the facts.
    pub(super) fn record(&self, out: &Sink) {
        let names = |flags: &BTreeSet<&str>| -> Vec<String> {
            let shown: BTreeSet<&str> =
                flags.iter().filter(|f| is_numeric(f, self.is_aarch64())).map(|f| spelled(f)).collect();
            shown.into_iter().map(str::to_owned).collect()
        };
        out.set("isa", names(&self.flags));
        if !self.some.is_empty() {
            out.set("isa_on_some", names(&self.some));
        }
        if self.is_x86_64() {
            out.set("x86_64_level", self.level());
        }
        out.set_opt("sve_bits", self.sve_bits);
    }

    /// The microarchitecture level of the x86-64 psABI ("Micro-Architecture Levels", table 3.1); its `OSXSAVE` is
    /// implied by `xsave` in `/proc/cpuinfo`, which the kernel takes away where it does not save the state.
    fn level(&self) -> &'static str {
        let v2 = self.has(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"]);
        let v3 = v2 && self.has(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]);
        let v4 = v3 && self.has(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]);
        match (v2, v3, v4) {
            (_, _, true) => "v4",
            (_, true, _) => "v3",
            (true, ..) => "v2",
            _ => "v1",
        }
    }
}

/// `0xd4f` as a number.
pub(super) fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Whether numeric code is written for this flag: vector units, fused multiply-add, reduced precision, and the bit
/// counting and byte swapping that the x86-64 levels need. One word can mean two things: `sme` is a matrix unit on
/// aarch64 and memory encryption on x86.
fn is_numeric(flag: &str, arm: bool) -> bool {
    const X86: [&str; 5] = ["sse", "ssse", "avx", "amx", "fma"];
    const X86_NAMES: [&str; 14] = [
        "abm",
        "bmi1",
        "bmi2",
        "cx16",
        "f16c",
        "gfni",
        "lahf_lm",
        "movbe",
        "pclmulqdq",
        "pni",
        "popcnt",
        "vaes",
        "vpclmulqdq",
        "xop",
    ];
    const ARM: [&str; 8] = ["asimd", "sve", "sme", "bf16", "ebf16", "i8mm", "f8", "lut"];
    const ARM_NAMES: [&str; 5] = ["fphp", "fcma", "frint", "jscvt", "neon"];
    let (prefixes, names): (&[&str], &[&str]) = if arm { (&ARM, &ARM_NAMES) } else { (&X86, &X86_NAMES) };
    prefixes.iter().any(|prefix| flag.starts_with(prefix)) || names.contains(&flag)
}

/// Two kernel names that nobody else uses, as everybody else writes them.
fn spelled(flag: &str) -> &str {
    match flag {
        "pni" => "sse3",
        "abm" => "lzcnt",
        other => other,
    }
}
