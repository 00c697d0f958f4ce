//! The `os` section.

mod libraries;
mod locale;
mod platform;
mod timezone;

use std::collections::BTreeMap;
use std::path::Path;

use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;
pub(crate) use platform::wsl;

/// See the module.
pub struct Os;

impl Probe for Os {
    fn section(&self) -> &'static str {
        "os"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let system = host.system();
        let family = system.sysname.to_ascii_lowercase();
        out.set_opt("family", Some(family.as_str()).filter(|f| !f.is_empty()));
        out.set_opt("kernel", Some(system.release.as_str()).filter(|r| !r.is_empty()));
        out.set_opt("kernel_build", Some(system.version.as_str()).filter(|v| !v.is_empty()));
        out.set_opt("arch", Some(system.machine.as_str()).filter(|m| !m.is_empty()));
        out.set_opt("page_size", system.page_size);
        distribution(host, out);
        libraries::collect(host, out);
        platform::collect(host, out);
        aslr(host, system.aslr_disabled, out);
        out.set_result("kernel_options", kernel_options(host));
        locale::collect(host, out);
        timezone::collect(host, out);
        Ok(())
    }
}

fn distribution(host: &dyn Host, out: &Sink) {
    let system = host.system();
    if system.sysname == "Darwin" {
        out.set("distribution", "macos");
        out.set_opt("distribution_name", system.os_name);
        out.set_opt("distribution_version", system.os_version);
        return;
    }
    // os-release(5): the second is read only where the first does not exist.
    let text = ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(|path| {
        match host.text(Path::new(path)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other),
        }
    });
    match text {
        Some(Ok(text)) => {
            let fields = parse_os_release(&text);
            out.set_opt("distribution", fields.get("ID").cloned());
            out.set_opt("distribution_version", fields.get("VERSION_ID").cloned());
            out.set_opt("distribution_name", fields.get("PRETTY_NAME").cloned());
            out.set_opt(
                "distribution_build",
                fields.get("BUILD_ID").or_else(|| fields.get("IMAGE_VERSION")).cloned(),
            );
        }
        Some(Err(e)) => out.unknown("distribution", format!("/etc/os-release: {e}")),
        None => {}
    }
}

/// os-release(5): shell assignments, values bare or in either quotes, for example
///
/// ```text
/// PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
/// VERSION_ID="12"
/// ID=debian
/// ```
fn parse_os_release(text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = quote.map_or(value, |quote| value.trim_matches(quote));
        let mut plain = String::with_capacity(value.len());
        let mut escaped = false;
        for c in value.chars() {
            escaped = c == '\\' && !escaped && quote != Some('\'');
            if !escaped {
                plain.push(c);
            }
        }
        if !plain.is_empty() {
            fields.insert(name.to_owned(), plain);
        }
    }
    fields
}

/// `/proc/sys/kernel/randomize_va_space` (`admin-guide/sysctl/kernel.rst`) under this process's personality.
fn aslr(host: &dyn Host, disabled: Option<bool>, out: &Sink) {
    if disabled == Some(true) {
        out.set("aslr", "off");
        out.set("aslr_found_by", "personality");
        return;
    }
    match host.text(Path::new("/proc/sys/kernel/randomize_va_space")) {
        Ok(text) => {
            let mode = match text.trim() {
                "0" => "off",
                "1" => "conservative",
                "2" => "full",
                other => return out.unknown("aslr", format!("randomize_va_space is {other:?}")),
            };
            out.set("aslr", mode);
            out.set("aslr_found_by", "sysctl");
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => out.unknown("aslr", format!("randomize_va_space: {e}")),
    }
}

/// The options of the kernel's command line that change which CPUs, CPU features and pages a process gets
/// (`admin-guide/kernel-parameters.rst`). The rest names disks and consoles.
const KERNEL_OPTIONS: [&str; 21] = [
    "clearcpuid",
    "default_hugepagesz",
    "hugepages",
    "hugepagesz",
    "isolcpus",
    "maxcpus",
    "mem",
    "mitigations",
    "nohz_full",
    "norandmaps",
    "nosmt",
    "noxsave",
    "noxsaveopt",
    "noxsaves",
    "nr_cpus",
    "nosmp",
    "numa",
    "numa_balancing",
    "possible_cpus",
    "smt",
    "transparent_hugepage",
];

fn kernel_options(host: &dyn Host) -> Result<Option<Vec<String>>, String> {
    match host.text(Path::new("/proc/cmdline")) {
        Ok(text) => Ok(Some(parse_kernel_options(&text)).filter(|options| !options.is_empty())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("/proc/cmdline: {e}")),
    }
}

/// `/proc/cmdline`, for example `BOOT_IMAGE=/vmlinuz root=UUID=… ro quiet isolcpus=2-7 mitigations=off`; what follows
/// ` -- ` is for init.
fn parse_kernel_options(text: &str) -> Vec<String> {
    let kernel = text.split(" -- ").next().unwrap_or_default();
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let mut options: Vec<String> = kernel
        .split_ascii_whitespace()
        .filter(|option| KERNEL_OPTIONS.contains(&name(option).as_str()))
        .map(str::to_owned)
        .collect();
    options.sort();
    options.dedup();
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::host::recorded::Recorded;
    use crate::probes::Options;
    use crate::probes::sink::Collected;

    pub(super) fn probe(host: Recorded) -> Collected {
        let out = Sink::new("os");
        Os.collect(&Context::new(Arc::new(host), Options::default()), &out).unwrap();
        out.snapshot(None)
    }

    pub(super) fn linux() -> Recorded {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.system.sysname = "Linux".to_owned();
        host.system.machine = "x86_64".to_owned();
        host
    }

    pub(super) fn text(collected: &Collected, path: &str) -> Option<String> {
        collected.facts.get(&format!("os.{path}").parse().unwrap()).map(crate::snapshot::Value::plain)
    }

    #[test]
    fn os_release() {
        let fields = parse_os_release(
            "# c\nID=debian\nVERSION_ID=\"12\"\nNAME='O''s'\nPRETTY_NAME=\"a \\\"b\\\" $\"\nX=\n",
        );
        assert_eq!(fields.get("ID").map(String::as_str), Some("debian"));
        assert_eq!(fields.get("VERSION_ID").map(String::as_str), Some("12"));
        assert_eq!(fields.get("PRETTY_NAME").map(String::as_str), Some("a \"b\" $"));
        assert_eq!(fields.get("X"), None);
        assert!(parse_os_release("\"\n=\nA='\n\\").len() <= 2);
    }

    #[test]
    fn kernel_options_that_matter() {
        let line = "BOOT_IMAGE=/vmlinuz root=UUID=1 isolcpus=2-7 quiet mitigations=off nosmt -- isolcpus=9";
        assert_eq!(parse_kernel_options(line), ["isolcpus=2-7", "mitigations=off", "nosmt"]);
        assert_eq!(parse_kernel_options(""), Vec::<String>::new());
    }

    #[test]
    fn personality_is_above_the_sysctl() {
        let mut host = linux();
        host.files.insert("/proc/sys/kernel/randomize_va_space".into(), "2\n".to_owned());
        assert_eq!(text(&probe(host.clone()), "aslr").as_deref(), Some("full"));
        host.system.aslr_disabled = Some(true);
        assert_eq!(text(&probe(host), "aslr").as_deref(), Some("off"));
    }

    #[test]
    fn unreadable_is_unknown_and_missing_is_absent() {
        let mut host = linux();
        host.denied.insert("/etc/os-release".into());
        let collected = probe(host);
        assert!(collected.unknown.contains_key(&"os.distribution".parse().unwrap()));
        let mut host = linux();
        host.files.insert("/proc/cpuinfo".into(), "flags\t: fpu\n".to_owned());
        let collected = probe(host);
        assert!(collected.unknown.is_empty() && text(&collected, "distribution").is_none(), "{collected:?}");
    }
}
