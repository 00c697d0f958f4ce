//! What `lscpu` (util-linux) prints, in any language.

use std::collections::BTreeSet;

use super::{Draft, text};
use crate::host::System;
use crate::host::recorded::Recorded;
use crate::probes::{Sink, cpu};

/// The block in the fields of `/proc/cpuinfo` that it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lscpu {
    /// `uname -m`.
    pub architecture: String,
    /// `GenuineIntel`, `AuthenticAMD`, `ARM`, …
    pub vendor: String,
    /// The model's name.
    pub model_name: String,
    /// x86: decimal.
    pub family: Option<u32>,
    /// x86: decimal.
    pub model: Option<u32>,
    /// x86 a number, Arm `r0p1`.
    pub stepping: String,
    /// In the kernel's spelling.
    pub flags: String,
    /// CPUs, offline ones too.
    pub cpus: Option<u32>,
    /// Online CPUs.
    pub online: Option<u32>,
    /// Hardware threads of a core.
    pub threads: Option<u32>,
    /// Cores of a socket.
    pub cores: Option<u32>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// NUMA nodes that have CPUs.
    pub numa_nodes: Option<u32>,
    /// `KVM`, `Microsoft`, …
    pub hypervisor: Option<String>,
}

/// Reads the block. Labels are English, or are told by their values and their order.
pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Lscpu {
    let mut cpu = Lscpu::default();
    let mut numa_with_cpus = 0;
    let mut numa_total = None;
    let mut in_flags = false;
    let mut values = Vec::new();
    for line in lines {
        let Some((key, value)) = text::pair(line) else {
            // A line of flags that was broken by whoever pasted it.
            if in_flags && !line.trim().is_empty() && line.trim().split(' ').all(is_flag) {
                cpu.flags.push(' ');
                cpu.flags.push_str(line.trim());
            }
            continue;
        };
        in_flags = false;
        values.push(value);
        let number = || value.split_whitespace().next().and_then(|n| n.parse::<u32>().ok());
        match key {
            "Architecture" => cpu.architecture = value.to_owned(),
            "Vendor ID" => cpu.vendor = value.to_owned(),
            "Model name" => cpu.model_name = value.to_owned(),
            "CPU family" => cpu.family = number(),
            "Model" => cpu.model = number(),
            "Stepping" => cpu.stepping = value.to_owned(),
            "Flags" => {
                cpu.flags = value.to_owned();
                in_flags = true;
            }
            "CPU(s)" => cpu.cpus = number(),
            "On-line CPU(s) list" => cpu.online = count(value),
            "Thread(s) per core" => cpu.threads = number(),
            "Core(s) per socket" | "Core(s) per cluster" => cpu.cores = number(),
            "Socket(s)" | "Cluster(s)" => cpu.sockets = cpu.sockets.or_else(number),
            "NUMA node(s)" => numa_total = number(),
            "Hypervisor vendor" => cpu.hypervisor = Some(value.to_owned()),
            key if key.starts_with("NUMA node") && key.ends_with(" CPU(s)") => {
                numa_with_cpus += u32::from(!value.is_empty());
            }
            _ => {}
        }
    }
    cpu.numa_nodes = if numa_with_cpus > 0 { Some(numa_with_cpus) } else { numa_total };
    if cpu.vendor.is_empty() && cpu.flags.is_empty() {
        translated(&mut cpu, &values);
    }
    cpu
}

/// Tells labels in other languages by their values: a list of CPUs, a vendor's name, flags; and the numbers by their
/// order. From util-linux 2.34 on that is vendor, name, family, model, threads, cores, sockets, stepping
/// (`sys-utils/lscpu.c`, `print_summary`). Of older ones the numbers before the vendor are not told apart surely.
fn translated(cpu: &mut Lscpu, values: &[&str]) {
    let known = |v: &str| matches!(v, "x86_64" | "aarch64" | "ppc64le" | "s390x" | "riscv64" | "loongarch64");
    if let Some(value) = values.iter().find(|v| known(v)) {
        cpu.architecture = (*value).to_owned();
    }
    if let Some(value) = values.iter().find(|v| v.split(' ').take(3).eq(["fpu", "vme", "de"])) {
        cpu.flags = (*value).to_owned();
    }
    let list =
        |v: &&&str| v.contains('-') && v.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b','));
    cpu.online = values.iter().find(list).and_then(|v| count(v));
    let vendors = ["GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls", "ARM"];
    let Some(at) = values.iter().position(|v| vendors.contains(v)) else { return };
    cpu.vendor = values[at].to_owned();
    let rest = &values[at + 1..];
    let number = |i: usize| rest.get(i).and_then(|v| v.parse::<u32>().ok());
    let named = rest.first().is_some_and(|v| v.parse::<u32>().is_err() && v.contains(' '));
    let numbers: Vec<Option<u32>> = (1..=6).map(number).collect();
    if let (true, [Some(family), Some(model), Some(threads), Some(cores), Some(sockets), Some(stepping)]) =
        (named, numbers.as_slice())
    {
        cpu.model_name = rest[0].to_owned();
        (cpu.family, cpu.model) = (Some(*family), Some(*model));
        (cpu.threads, cpu.cores, cpu.sockets) = (Some(*threads), Some(*cores), Some(*sockets));
        cpu.stepping = stepping.to_string();
    } else if let (Some(family), Some(model)) = (number(0), number(1)) {
        // Before 2.34: family, model, name, stepping behind the vendor.
        (cpu.family, cpu.model) = (Some(family), Some(model));
        cpu.model_name = rest.get(2).map(|v| (*v).to_owned()).unwrap_or_default();
        cpu.stepping = number(3).map(|n| n.to_string()).unwrap_or_default();
    }
}

fn is_flag(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// How many CPUs a list of ranges names: `0-31,64-95`.
fn count(list: &str) -> Option<u32> {
    list.split(',').try_fold(0_u32, |sum, range| {
        let (from, to) = range.trim().split_once('-').unwrap_or((range.trim(), range.trim()));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        sum.checked_add(to.checked_sub(from)?.checked_add(1)?)
    })
}

/// What driftlock assumes of the environment to say which code paths libraries take.
const ASSUMED: &str = "no environment variable chooses the code paths of libraries (cpu.dispatch)";

/// Records the section `cpu`. The versions of torch and NumPy and the C library decide some code paths; they are
/// taken from the draft.
pub fn record(draft: &mut Draft, cpu: &Lscpu) {
    let text = |value: &str| Some(value.to_owned()).filter(|v| !v.is_empty() && v != "-");
    draft.set_opt("cpu.architecture", text(&cpu.architecture));
    super::platform::arch(draft, &cpu.architecture);
    if cpu.flags.is_empty() {
        draft.set_opt("cpu.vendor", text(&cpu.vendor));
        draft.set_opt("cpu.model", text(&cpu.model_name));
    } else {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let lines = [
            ("processor", "0".to_owned()),
            ("vendor_id", cpu.vendor.clone()),
            ("cpu family", number(cpu.family.filter(|_| cpu.vendor != "ARM"))),
            ("model", number(cpu.model.filter(|_| cpu.vendor != "ARM"))),
            ("model name", cpu.model_name.clone()),
            ("stepping", cpu.stepping.clone()),
            ("flags", cpu.flags.clone()),
        ];
        let cpuinfo =
            lines.iter().fold(String::new(), |text, (key, value)| text + &format!("{key}\t: {value}\n"));
        let fact = |path: &str| draft.get(path).map(crate::snapshot::Value::plain);
        let libc = fact("os.libc").zip(fact("os.libc_version"));
        let system = System { machine: cpu.architecture.clone(), libc, ..System::default() };
        let host =
            Recorded { system, files: [("/proc/cpuinfo".into(), cpuinfo)].into(), ..Recorded::default() };
        let sink = Sink::new("cpu");
        let (torch, numpy) = (fact("torch.version"), fact("python.packages.numpy.version"));
        cpu::derive(&host, torch.as_deref(), numpy.as_deref(), &sink);
        draft.take(&sink);
        if cpu.architecture == "x86_64" {
            draft.meta("imported_assumes", vec![ASSUMED]);
        }
    }
    draft.set_opt("cpu.revision", text(&cpu.stepping).filter(|s| s.starts_with('r')));
    let all_online = cpu.online.is_none() || cpu.online == cpu.cpus || cpu.cpus.is_none();
    let physical = cpu.cores.zip(cpu.sockets).and_then(|(cores, sockets)| cores.checked_mul(sockets));
    draft.set_opt("cpu.logical_cpus", cpu.online.or(cpu.cpus));
    // With CPUs offline, whole cores may be.
    draft.set_opt("cpu.physical_cores", physical.filter(|_| all_online));
    draft.set_opt("cpu.sockets", cpu.sockets);
    draft.set_opt("cpu.numa_nodes", cpu.numa_nodes);
    if let Some((logical, physical)) = cpu.online.or(cpu.cpus).zip(physical).filter(|_| all_online) {
        draft.set("cpu.smt", logical > physical);
    }
    virtualization(draft, cpu);
}

/// The hypervisor, where lscpu's name is driftlock's: several clouds build on KVM and Xen and are told by their DMI.
fn virtualization(draft: &mut Draft, cpu: &Lscpu) {
    let flags: BTreeSet<&str> = cpu.flags.split(' ').collect();
    let name = match cpu.hypervisor.as_deref() {
        Some("Microsoft" | "Windows Subsystem for Linux") => "microsoft",
        Some("VMware") => "vmware",
        Some("Oracle") => "oracle",
        Some("Parallels") => "parallels",
        None if flags.contains("fpu") && !flags.contains("hypervisor") => "none",
        _ => return,
    };
    draft.set("os.virtualization", name);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "Architecture:             x86_64\nCPU(s):                   8\nOn-line CPU(s) list:    0-6\nOff-line CPU(s) list: 7\n\
        Vendor ID:                GenuineIntel\nModel name: Intel(R) Xeon(R) Gold 6430\nCPU family: 6\nModel: 143\n\
        Thread(s) per core:       2\nCore(s) per socket: 4\nSocket(s): 1\nStepping: 8\nFlags: fpu vme de avx2 fma\nNUMA node(s): 3\n\
        NUMA node0 CPU(s): 0-3\nNUMA node1 CPU(s): 4-7\nNUMA node2 CPU(s):\n";

    #[test]
    fn english() {
        let cpu = parse(NEW.lines());
        assert_eq!((cpu.family, cpu.model, cpu.stepping.as_str()), (Some(6), Some(143), "8"));
        assert_eq!((cpu.online, cpu.cpus, cpu.numa_nodes), (Some(7), Some(8), Some(2)));
        let broken = parse(NEW.replace("avx2 fma", "avx2\n      fma").lines());
        assert_eq!(broken.flags, "fpu vme de avx2 fma");
    }

    #[test]
    fn other_languages_are_read_by_values_and_order() {
        let german = "Architektur:   x86_64\nCPU Operationsmodus: 32-bit, 64-bit\nAdressgrößen: 46 bits\nCPU(s): 4\n\
            Liste der Online-CPU(s): 0-3\nAnbieterkennung: AuthenticAMD\nModellname: AMD EPYC 7763 64-Core Processor\n\
            Prozessorfamilie: 25\nModell: 1\nThread(s) pro Kern: 2\nKern(e) pro Sockel: 2\nSockel: 1\nStepping: 1\n\
            BogoMIPS: 4890\nMarkierungen: fpu vme de avx2\n";
        let cpu = parse(german.lines());
        assert_eq!((cpu.vendor.as_str(), cpu.family, cpu.model), ("AuthenticAMD", Some(25), Some(1)));
        assert_eq!((cpu.threads, cpu.cores, cpu.sockets, cpu.online), (Some(2), Some(2), Some(1), Some(4)));
        assert_eq!((cpu.flags.as_str(), cpu.architecture.as_str()), ("fpu vme de avx2", "x86_64"));
    }

    #[test]
    fn lists_of_cpus() {
        assert_eq!(count("0-31,64-95"), Some(64));
        assert_eq!(count("3"), Some(1));
        assert_eq!((count("5-3"), count(""), count("0-4294967295")), (None, None, None));
    }
}
