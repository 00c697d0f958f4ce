//! What stands between the process and the hardware: emulation, virtualisation; and the machine's model.

use std::path::Path;

use crate::host::{Command, Host};
use crate::probes::Sink;

pub(super) fn collect(host: &dyn Host, out: &Sink) {
    let cpuinfo = host.maybe("/proc/cpuinfo").unwrap_or_default();
    out.set("emulation", emulation(host, &cpuinfo));
    match virtualization(host, &cpuinfo) {
        Some((name, road)) => {
            out.set("virtualization", name);
            out.set("virtualization_found_by", road);
        }
        None => out.unknown("virtualization", "neither DMI nor the CPU nor the device tree says"),
    }
    out.set_opt("machine", machine(host));
}

/// Which translator runs this process's instructions or system calls, `none` where the hardware and its own kernel do.
fn emulation(host: &dyn Host, cpuinfo: &str) -> &'static str {
    let system = host.system();
    if system.sysname == "Darwin" {
        // "About the Rosetta translation environment" (Apple): 1 for a translated process.
        let translated = host.run(&Command::new("sysctl", ["-n", "sysctl.proc_translated"]));
        return if translated.is_ok_and(|o| o.stdout.trim() == "1") { "rosetta" } else { "none" };
    }
    let rosetta = field(cpuinfo, "vendor_id") == Some("VirtualApple")
        || host.exists(Path::new("/proc/sys/fs/binfmt_misc/rosetta"));
    // qemu-user answers uname(2) and opens of /proc/cpuinfo for the guest, but passes /sys through.
    let modalias = host.maybe("/sys/devices/system/cpu/modalias");
    let real = modalias.as_deref().and_then(parse_modalias).or_else(|| cpuinfo_architecture(cpuinfo));
    if real.is_some_and(|real| architecture(&system.machine).is_some_and(|seen| seen != real)) {
        return if rosetta { "rosetta" } else { "qemu-user" };
    }
    if field(cpuinfo, "vendor_id") == Some("VirtualApple") {
        return "rosetta";
    }
    wsl(&system.release).unwrap_or("none")
}

/// The Windows Subsystem for Linux, by the kernel's release: version 1 translates system calls
/// (`4.4.0-19041-Microsoft`), version 2 is a virtual machine (`5.15.90.1-microsoft-standard-WSL2`).
pub(crate) fn wsl(release: &str) -> Option<&'static str> {
    match release {
        r if r.contains("WSL2") || r.contains("-microsoft-") => Some("wsl2"),
        r if r.ends_with("-Microsoft") => Some("wsl1"),
        _ => None,
    }
}

/// The architecture that `uname -m` names, as far as it decides which instructions there are.
fn architecture(machine: &str) -> Option<&'static str> {
    match machine {
        "x86_64" | "i386" | "i486" | "i586" | "i686" => Some("x86"),
        "aarch64" | "arm64" | "armv6l" | "armv7l" | "armv8l" => Some("arm"),
        _ => None,
    }
}

/// `/sys/devices/system/cpu/modalias`: `cpu:type:x86,ven0000fam0006mod00CF:feature:…`, `cpu:type:aarch64:feature:…`.
fn parse_modalias(text: &str) -> Option<&'static str> {
    let kind = text.strip_prefix("cpu:type:")?.split([',', ':']).next()?;
    match kind {
        "x86" => Some("x86"),
        "aarch64" | "arm64" | "arm" => Some("arm"),
        _ => None,
    }
}

/// The architecture whose keys `/proc/cpuinfo` has.
fn cpuinfo_architecture(cpuinfo: &str) -> Option<&'static str> {
    if field(cpuinfo, "CPU implementer").is_some() {
        return Some("arm");
    }
    field(cpuinfo, "cpu family").map(|_| "x86")
}

/// The first value of a key in `/proc/cpuinfo`: `vendor_id\t: GenuineIntel`.
fn field<'a>(cpuinfo: &'a str, key: &str) -> Option<&'a str> {
    cpuinfo.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// DMI's names of hypervisors, as systemd-detect-virt(1) knows them (`src/basic/virt.c`, `dmi_vendor_table`).
const HYPERVISORS: [(&str, &str); 18] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Virtual Machine", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"),
    ("Alibaba Cloud", "kvm"),
];

/// The hypervisor under this machine and how it was told; `none` on bare metal; `None` where nothing says.
fn virtualization(host: &dyn Host, cpuinfo: &str) -> Option<(String, &'static str)> {
    if wsl(&host.system().release) == Some("wsl2") {
        return Some(("microsoft".to_owned(), "kernel release"));
    }
    let flags = field(cpuinfo, "flags");
    let flagged = flags.is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let dmi = dmi(host);
    let known = dmi.iter().find_map(|text| HYPERVISORS.iter().find(|(prefix, _)| text.starts_with(prefix)));
    // EC2's bare-metal instances bear Amazon's name too; on x86 the flag tells them apart, elsewhere their type.
    let metal = dmi.iter().any(|text| text.ends_with(".metal") || text.contains(".metal-"))
        || (flags.is_some() && !flagged);
    if let Some((_, name)) = known.filter(|_| !metal) {
        return Some(((*name).to_owned(), "DMI"));
    }
    if let Some(kind) = host.maybe("/sys/hypervisor/type").filter(|kind| !kind.is_empty()) {
        return Some((kind, "/sys/hypervisor"));
    }
    if let Some(compatible) = host.maybe("/proc/device-tree/hypervisor/compatible") {
        let name = if compatible.contains("xen") { "xen" } else { "kvm" };
        return Some((name.to_owned(), "device tree"));
    }
    if flags.is_some() {
        let name = if flagged { "other" } else { "none" };
        return Some((name.to_owned(), "CPU flag"));
    }
    let bare = !dmi.is_empty() || host.exists(Path::new("/proc/device-tree/compatible"));
    bare.then(|| ("none".to_owned(), if dmi.is_empty() { "device tree" } else { "DMI" }))
}

/// DMI's names of the machine and its makers; those that anyone may read.
fn dmi(host: &dyn Host) -> Vec<String> {
    let files = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"];
    let read = |file: &&str| host.maybe(Path::new("/sys/class/dmi/id").join(file));
    files.iter().filter_map(read).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Maker and model: `Dell Inc. PowerEdge XE9680`, `Amazon EC2 p4d.24xlarge`, `NVIDIA Jetson AGX Orin`.
fn machine(host: &dyn Host) -> Option<String> {
    let read = |path: &str| {
        host.maybe(path).map(|t| t.trim_matches(['\0', ' ']).to_owned()).filter(|t| !t.is_empty())
    };
    let (vendor, product) = (read("/sys/class/dmi/id/sys_vendor"), read("/sys/class/dmi/id/product_name"));
    match (vendor, product) {
        (Some(vendor), Some(product)) if product.starts_with(&vendor) => Some(product),
        (Some(vendor), Some(product)) => Some(format!("{vendor} {product}")),
        (one, other) => one.or(other).or_else(|| read("/proc/device-tree/model")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{linux, probe, text};

    const INTEL: &str = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t\t: fpu avx2\n";
    const INTEL_GUEST: &str = "vendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t\t: fpu hypervisor avx2\n";
    const ARM: &str = "processor\t: 0\nCPU implementer\t: 0x41\n";

    /// Emulation, virtualisation and machine of a host with these files.
    fn told(machine: &str, release: &str, files: &[(&str, &str)]) -> [Option<String>; 3] {
        let mut host = linux();
        host.system.machine = machine.to_owned();
        host.system.release = release.to_owned();
        host.files.extend(files.iter().map(|(path, text)| (path.into(), (*text).to_owned())));
        let collected = probe(host);
        ["emulation", "virtualization", "machine"].map(|fact| text(&collected, fact))
    }

    fn some(values: [&str; 3]) -> [Option<String>; 3] {
        values.map(|v| Some(v.to_owned()).filter(|v| !v.is_empty()))
    }

    #[test]
    fn bare_metal_and_guests() {
        let (vendor, product) = ("/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name");
        let dell = [("/proc/cpuinfo", INTEL), (vendor, "Dell Inc.\n"), (product, "PowerEdge XE9680\n")];
        assert_eq!(told("x86_64", "6.1.0", &dell), some(["none", "none", "Dell Inc. PowerEdge XE9680"]));
        let ec2 = [("/proc/cpuinfo", INTEL_GUEST), (vendor, "Amazon EC2\n"), (product, "p4d.24xlarge\n")];
        assert_eq!(told("x86_64", "6.1.0", &ec2), some(["none", "amazon", "Amazon EC2 p4d.24xlarge"]));
        let metal = [("/proc/cpuinfo", ARM), (vendor, "Amazon EC2\n"), (product, "c7g.metal\n")];
        assert_eq!(told("aarch64", "6.1.0", &metal), some(["none", "none", "Amazon EC2 c7g.metal"]));
        assert_eq!(told("x86_64", "6.1.0", &[("/proc/cpuinfo", INTEL_GUEST)]), some(["none", "other", ""]));
        let jetson = [
            ("/proc/cpuinfo", ARM),
            ("/proc/device-tree/compatible", "nvidia,p3737-0000+p3701-0000\0"),
            ("/proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit\0"),
        ];
        assert_eq!(
            told("aarch64", "5.15", &jetson),
            some(["none", "none", "NVIDIA Jetson AGX Orin Developer Kit"])
        );
        assert_eq!(told("aarch64", "6.1.0", &[("/proc/cpuinfo", ARM)]), some(["none", "", ""]));
    }

    #[test]
    fn translators() {
        assert_eq!(
            told("x86_64", "5.15.90.1-microsoft-standard-WSL2", &[("/proc/cpuinfo", INTEL_GUEST)]),
            some(["wsl2", "microsoft", ""])
        );
        assert_eq!(
            told("x86_64", "4.4.0-19041-Microsoft", &[("/proc/cpuinfo", INTEL)]),
            some(["wsl1", "none", ""])
        );
        let under_qemu = [
            ("/proc/cpuinfo", ARM),
            ("/sys/devices/system/cpu/modalias", "cpu:type:x86,ven0000fam0006:feature:,0000\n"),
        ];
        assert_eq!(told("aarch64", "6.1.0", &under_qemu)[0].as_deref(), Some("qemu-user"));
        assert_eq!(told("aarch64", "6.1.0", &[("/proc/cpuinfo", INTEL)])[0].as_deref(), Some("qemu-user"));
        let apple = "vendor_id\t: VirtualApple\ncpu family\t: 6\nflags\t: fpu\n";
        assert_eq!(told("x86_64", "6.1.0", &[("/proc/cpuinfo", apple)])[0].as_deref(), Some("rosetta"));
    }

    #[test]
    fn rosetta_on_darwin() {
        let mut host = linux();
        host.system.sysname = "Darwin".to_owned();
        assert_eq!(text(&probe(host.clone()), "emulation").as_deref(), Some("none"));
        host.command.push(crate::host::recorded::RecordedCommand {
            program: "sysctl".to_owned(),
            args: vec!["-n".to_owned(), "sysctl.proc_translated".to_owned()],
            output: crate::host::Output { stdout: "1\n".to_owned(), ..Default::default() },
            hangs: false,
        });
        assert_eq!(text(&probe(host), "emulation").as_deref(), Some("rosetta"));
    }
}
