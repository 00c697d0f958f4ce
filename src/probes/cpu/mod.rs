//! The `cpu` section: what the processor is, how much of it this process may use, which code path each numeric
//! library would take on it and how many threads each thread runtime would start. `docs/concepts/cpu-dispatch.md`
//! says how the last two are derived.

mod cpuinfo;
mod dispatch;
mod isa;
mod limits;
mod list;
mod names;
#[cfg(test)]
mod tests;
mod threads;
mod topology;

use std::path::Path;

use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;
use cpuinfo::CpuInfo;

/// See the module.
pub struct Cpu;

impl Probe for Cpu {
    fn section(&self) -> &'static str {
        "cpu"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let system = host.system();
        out.set_opt("architecture", Some(system.machine.clone()).filter(|m| !m.is_empty()));
        let text = match host.text(Path::new("/proc/cpuinfo")) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => {
                let reason = format!("/proc/cpuinfo: {e}");
                for path in ["vendor", "model", "microcode", "isa", "dispatch"] {
                    out.unknown(path, &reason);
                }
                String::new()
            }
        };
        let info = CpuInfo::parse(&text);
        let mut machine = isa::Machine::new(host, &system.machine, &info);
        if machine.known() {
            names::record(&machine, &info, out);
            machine.record(out);
        } else {
            out.set_opt("model", system.cpu_brand.clone());
        }
        let counts = topology::Counts::of(host, &system, &info);
        counts.record(host, &info, out);
        let limits = limits::Limits::of(host, &system);
        limits.record(out);
        // The versions of installed libraries come last: finding the interpreter may take longer than all of this.
        machine.versions = isa::Versions::of(cx);
        if machine.known() {
            dispatch::record(&machine, out);
        }
        threads::record(&machine, &counts, &limits, out);
        Ok(())
    }
}

/// Records what follows from `/proc/cpuinfo` alone, for a machine that is known by a dump: names, instructions and, on
/// x86-64, the code paths that libraries of these versions select where no environment variable chooses another.
/// `host` holds that file, the architecture and the C library.
pub(crate) fn derive(host: &dyn Host, torch: Option<&str>, numpy: Option<&str>, out: &Sink) {
    let system = host.system();
    let text = host.maybe("/proc/cpuinfo").unwrap_or_default();
    let info = CpuInfo::parse(&text);
    let mut machine = isa::Machine::new(host, &system.machine, &info);
    if !machine.known() {
        return;
    }
    names::record(&machine, &info, out);
    machine.record(out);
    machine.versions = isa::Versions::given(torch, numpy);
    // Elsewhere they depend on the core's number and the length of vectors, too.
    if machine.is_x86_64() {
        dispatch::record(&machine, out);
    }
}
