//! Cores, sockets, SMT and NUMA nodes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::cpuinfo::{CpuInfo, Processor};
use super::{list, names};
use crate::host::{Host, System};
use crate::probes::Sink;

const CPUS: &str = "/sys/devices/system/cpu";

/// How many there are of each; `None` where neither `/proc/cpuinfo` nor `/sys` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Online CPUs, hardware threads counted.
    pub(super) logical: Option<u32>,
    /// Cores with at least one online CPU.
    pub(super) physical: Option<u32>,
    /// The road by which `physical` was found.
    found_by: &'static str,
    /// Processor packages.
    sockets: Option<u32>,
    /// NUMA nodes that have CPUs.
    numa_nodes: Option<u32>,
}

impl Counts {
    /// One read of `/proc/cpuinfo` on x86; elsewhere that file has no topology, and `/sys` is asked.
    pub(super) fn of(host: &dyn Host, system: &System, info: &CpuInfo<'_>) -> Self {
        let count = |n: usize| u32::try_from(n).ok().filter(|n| *n > 0);
        let online = || list::parse(&host.maybe(format!("{CPUS}/online"))?);
        let logical = count(info.cpus.len()).or_else(|| count(online()?.len()));
        let mut counts = Self { logical, numa_nodes: numa_nodes(host), ..Self::default() };
        let cores: BTreeSet<_> = info.cpus.iter().map(|cpu| (cpu.package, cpu.core)).collect();
        if !info.first().core.is_empty() {
            counts.physical = count(cores.len());
            counts.sockets = count(info.distinct(|cpu| cpu.package).len());
            counts.found_by = "/proc/cpuinfo";
        } else if let Some(cpus) = online() {
            let smt = host.maybe(format!("{CPUS}/smt/active"));
            let topology = |cpu: u32, file: &str| host.maybe(format!("{CPUS}/cpu{cpu}/topology/{file}"));
            if smt.as_deref() == Some("0") {
                counts.physical = count(cpus.len());
                counts.found_by = "smt/active";
            } else {
                let siblings: Option<BTreeSet<String>> =
                    cpus.iter().map(|cpu| topology(*cpu, "thread_siblings_list")).collect();
                counts.physical = siblings.and_then(|siblings| count(siblings.len()));
                counts.found_by = "topology/thread_siblings_list";
            }
            let packages: Option<BTreeSet<String>> =
                firsts(host, &cpus).iter().map(|cpu| topology(*cpu, "physical_package_id")).collect();
            counts.sockets = packages.and_then(|packages| count(packages.len()));
        }
        if counts.logical.is_none() {
            counts.logical = system.logical_cores.and_then(|n| u32::try_from(n).ok());
        }
        if counts.physical.is_none() {
            counts.physical = system.physical_cores.and_then(|n| u32::try_from(n).ok());
            counts.found_by = "sysinfo";
        }
        counts
    }

    /// Whether some core runs more than one hardware thread.
    pub(super) fn smt(&self) -> Option<bool> {
        Some(self.logical? > self.physical?)
    }

    /// Writes the facts.
    pub(super) fn record(&self, host: &dyn Host, info: &CpuInfo<'_>, out: &Sink) {
        out.set_opt("logical_cpus", self.logical);
        out.set_opt("physical_cores", self.physical);
        out.set_opt("physical_cores_found_by", self.physical.map(|_| self.found_by));
        out.set_opt("sockets", self.sockets);
        out.set_opt("numa_nodes", self.numa_nodes);
        out.set_opt("smt", self.smt());
        let kinds = core_types(host, info);
        if !info.cpus.is_empty() {
            out.set("heterogeneous", kinds.len() > 1);
        }
        if kinds.len() > 1 {
            out.set("core_types", kinds);
        }
    }
}

/// One CPU of every NUMA node: a node lies within a package, so that its first CPU's package stands for all of them,
/// and 144 files need not be read. All CPUs where there are no nodes.
fn firsts(host: &dyn Host, cpus: &[u32]) -> Vec<u32> {
    let nodes = host.maybe("/sys/devices/system/node/has_cpu").and_then(|nodes| list::parse(&nodes));
    let first = |node: &u32| {
        list::parse(&host.maybe(format!("/sys/devices/system/node/node{node}/cpulist"))?)?.first().copied()
    };
    let firsts: Option<Vec<u32>> = nodes.and_then(|nodes| nodes.iter().map(first).collect());
    firsts.filter(|firsts| !firsts.is_empty()).unwrap_or_else(|| cpus.to_vec())
}

/// Nodes that have CPUs; those that only hold memory (CXL, the GPUs of a Grace Hopper) are left out.
fn numa_nodes(host: &dyn Host) -> Option<u32> {
    let nodes = list::parse(&host.maybe("/sys/devices/system/node/has_cpu")?)?;
    u32::try_from(nodes.len()).ok().filter(|n| *n > 0)
}

/// The kinds of cores with their numbers, sorted, for example `Cortex-A55 x4`. CPUs that differ in model, stepping or
/// flags are of different kinds; Intel's hybrid processors say by their performance counters which core is which.
fn core_types(host: &dyn Host, info: &CpuInfo<'_>) -> Vec<String> {
    let hybrid: Vec<String> = ["atom", "core", "lowpower"]
        .iter()
        .filter_map(|kind| {
            let path = PathBuf::from(format!("/sys/devices/cpu_{kind}/cpus"));
            let cpus = list::parse(&host.maybe(path)?)?;
            (!cpus.is_empty()).then(|| format!("{kind} x{}", cpus.len()))
        })
        .collect();
    if hybrid.len() > 1 {
        return hybrid;
    }
    // A handful of kinds at most, so that a search per CPU is cheaper than a map of keys this long.
    let mut kinds: Vec<(&Processor<'_>, u32)> = Vec::new();
    for cpu in &info.cpus {
        match kinds.iter_mut().find(|(known, _)| same_kind(known, cpu)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((cpu, 1)),
        }
    }
    let mut kinds: Vec<String> =
        kinds.into_iter().map(|(cpu, count)| format!("{} x{count}", names::of_cpu(cpu))).collect();
    kinds.sort();
    kinds
}

fn same_kind(a: &Processor<'_>, b: &Processor<'_>) -> bool {
    (a.family, a.model, a.stepping) == (b.family, b.model, b.stepping)
        && (a.implementer, a.part) == (b.implementer, b.part)
        && a.flags == b.flags
}
