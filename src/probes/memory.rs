//! The `memory` section.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::cgroup::{Cgroup, Version};
use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;

/// See the module.
pub struct Memory;

/// What `memory.total` is rounded to, in bytes.
const STEP: u64 = 64 << 20;

impl Probe for Memory {
    fn section(&self) -> &'static str {
        "memory"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let system = host.system();
        let meminfo = match host.text(Path::new("/proc/meminfo")) {
            Ok(text) => parse_meminfo(&text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => {
                out.unknown("", format!("/proc/meminfo: {e}"));
                BTreeMap::new()
            }
        };
        let get = |name: &str| meminfo.get(name).copied();
        let total = get("MemTotal").or(system.memory_total);
        out.set_opt("total", total.map(|bytes| bytes.saturating_add(STEP / 2) / STEP * STEP));
        out.set_opt("swap_total", get("SwapTotal"));
        out.set_opt("huge_pages", get("HugePages_Total"));
        out.set_opt("huge_page_size", get("Hugepagesize"));
        out.set_opt("free", get("MemFree"));
        out.set_opt("available", get("MemAvailable").or(system.memory_available));
        out.set_opt("swap_free", get("SwapFree"));
        out.set_opt("huge_pages_free", get("HugePages_Free"));
        out.set_opt("transparent_huge_pages", host.maybe(THP).as_deref().and_then(parse_choice));
        match limit(host, total) {
            Ok(Some((bytes, version))) => {
                out.set("limit", bytes);
                out.set("limit_found_by", format!("cgroup {}", version.as_str()));
            }
            Ok(None) => {}
            Err(reason) => out.unknown("limit", reason),
        }
        out.set_opt(
            "address_space_limit",
            host.maybe("/proc/self/limits").as_deref().and_then(parse_address_space),
        );
        Ok(())
    }
}

const THP: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// The smallest limit of this process's control groups, where it is below what the machine has.
fn limit(host: &dyn Host, total: Option<u64>) -> Result<Option<(u64, Version)>, String> {
    let Some(branch) = Cgroup::of(host)?.controller(host, "memory") else {
        return Ok(None);
    };
    let file = match branch.version {
        Version::V1 => "memory.limit_in_bytes",
        Version::V2 => "memory.max",
    };
    // Version 1 writes no limit as the largest page-aligned number, version 2 as `max`.
    let limits = branch.texts(host, file)?.into_iter().filter_map(|text| text.trim().parse::<u64>().ok());
    let acting = limits.min().filter(|bytes| *bytes < total.unwrap_or(u64::MAX >> 1));
    Ok(acting.map(|bytes| (bytes, branch.version)))
}

/// `/proc/meminfo` (proc_meminfo(5)) in bytes, and counts where it has no unit:
///
/// ```text
/// MemTotal:       24684092 kB
/// HugePages_Total:       0
/// ```
fn parse_meminfo(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let mut words = value.split_ascii_whitespace();
        let number: u64 = words.next()?.parse().ok()?;
        let unit = if words.next() == Some("kB") { 1024 } else { 1 };
        Some((name.to_owned(), number.saturating_mul(unit)))
    };
    text.lines().filter_map(line).collect()
}

/// The word in brackets: `always [madvise] never`.
fn parse_choice(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(choice, _)| choice)
}

/// The soft limit of the address space in `/proc/self/limits` (getrlimit(2), `RLIMIT_AS`), `None` without one:
/// `Max address space         unlimited            unlimited            bytes`.
fn parse_address_space(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::host::recorded::Recorded;
    use crate::probes::Options;
    use crate::snapshot::Value;

    const MEMINFO: &str = "MemTotal:       24684092 kB\nMemFree:        23780840 kB\nMemAvailable:   24216336 kB\n\
                           SwapTotal:             0 kB\nHugePages_Total:       7\nHugepagesize:       2048 kB\n";

    fn facts(host: Recorded) -> BTreeMap<String, Value> {
        let out = Sink::new("memory");
        Memory.collect(&Context::new(Arc::new(host), Options::default()), &out).unwrap();
        let collected = out.snapshot(None);
        let unknown = collected
            .unknown
            .into_iter()
            .map(|(path, reason)| (path, Value::from(format!("unknown: {reason}"))));
        collected.facts.into_iter().chain(unknown).map(|(path, value)| (path.to_string(), value)).collect()
    }

    fn host(files: &[(&str, &str)]) -> Recorded {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.files.insert("/proc/meminfo".into(), MEMINFO.to_owned());
        host.files.extend(files.iter().map(|(path, text)| (path.into(), (*text).to_owned())));
        host
    }

    #[test]
    fn totals_and_huge_pages() {
        let facts = facts(host(&[(THP, "always [madvise] never\n")]));
        assert_eq!(facts.get("memory.total"), Some(&Value::Int(377 * (64 << 20))));
        assert_eq!(facts.get("memory.available"), Some(&Value::Int(24_216_336 * 1024)));
        assert_eq!(facts.get("memory.swap_total"), Some(&Value::Int(0)));
        assert_eq!(facts.get("memory.huge_pages"), Some(&Value::Int(7)));
        assert_eq!(facts.get("memory.huge_page_size"), Some(&Value::Int(2 << 20)));
        assert_eq!(facts.get("memory.transparent_huge_pages"), Some(&Value::from("madvise")));
        assert_eq!(facts.get("memory.limit"), None);
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_acts() {
        let v2 = [
            ("/proc/self/cgroup", "0::/a/b\n"),
            ("/proc/self/mountinfo", "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "1073741824\n"),
        ];
        assert_eq!(facts(host(&v2)).get("memory.limit"), Some(&Value::Int(1 << 30)));
        let v1 = [
            ("/proc/self/cgroup", "4:memory:/docker/x\n"),
            (
                "/proc/self/mountinfo",
                "40 33 0:34 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            ),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(facts(host(&v1)).get("memory.limit"), None);
        let v1 = [v1[0], v1[1], (v1[2].0, "536870912\n")];
        let found = facts(host(&v1));
        assert_eq!(found.get("memory.limit"), Some(&Value::Int(512 << 20)));
        assert_eq!(found.get("memory.limit_found_by"), Some(&Value::from("cgroup v1")));
    }

    #[test]
    fn unreadable_is_unknown() {
        let mut denied = host(&[("/proc/self/cgroup", "0::/\n")]);
        denied.denied.insert("/proc/self/mountinfo".into());
        assert!(facts(denied).get("memory.limit").is_some_and(|v| v.plain().starts_with("unknown")));
    }

    #[test]
    fn hostile_text() {
        assert!(parse_meminfo(":\nMemTotal: x kB\nA: 99999999999999999999 kB\n").is_empty());
        assert_eq!(parse_meminfo("A: 18446744073709551615 kB").get("A"), Some(&u64::MAX));
        assert_eq!((parse_choice("]["), parse_choice("a [b"), parse_choice("")), (None, None, None));
        assert_eq!(parse_address_space("Max address space  8388608  unlimited  bytes\n"), Some(8_388_608));
        assert_eq!(parse_address_space("Max address space  unlimited  unlimited  bytes\n"), None);
    }
}
