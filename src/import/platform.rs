//! What Python's `platform` and `sys` modules and distributions write, as facts.

use super::Draft;
use crate::probes::os::wsl;

/// The release that `sys.version` begins with, and the implementation that its brackets tell:
/// `3.10.14 | packaged by conda-forge | (main, Mar 20 2024, 12:45:18) [GCC 12.3.0]`. Programs that write only the
/// first two numbers give those.
pub fn python(draft: &mut Draft, version: &str) {
    let release: String =
        version.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+')).collect();
    if release.starts_with(|c: char| c.is_ascii_digit()) && release.contains('.') {
        draft.set("python.version", release);
    }
    // `sys.version` of PyPy and GraalPy names them in the place of the compiler.
    if version.contains("[PyPy") {
        draft.set("python.implementation", "pypy");
    } else if version.contains("GraalVM") || version.contains("GraalPy") {
        draft.set("python.implementation", "graalpy");
    } else if version.contains('[') {
        draft.set("python.implementation", "cpython");
    }
}

/// Whether Python asks the C library for its version, as it does from 3.8 on (bpo-35389); before, and still for
/// `platform.platform()` of 3.8, `libc_ver` gives the highest version that the executable needs, which says little.
pub fn asks_libc(draft: &Draft, since_minor: u32) -> bool {
    let version = draft.get("python.version").and_then(|v| v.as_str()).unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse::<u32>());
    match (parts.next(), parts.next()) {
        (Some(Ok(3)), Some(Ok(minor))) => minor >= since_minor,
        _ => false,
    }
}

/// `platform.platform()`: `Linux-5.15.0-113-generic-x86_64-with-glibc2.35`, `macOS-13.0-arm64-arm-64bit`,
/// `Windows-10-10.0.22621-SP0`.
pub fn platform(draft: &mut Draft, text: &str) {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("Linux-") {
        draft.set("os.family", "linux");
        let (kernel, with) = rest.rsplit_once("-with-").unwrap_or((rest, ""));
        // `uname -p`, where it says anything else than `uname -m`, stands behind it.
        if let Some((release, machine)) = kernel.rsplit_once('-').filter(|(_, machine)| is_machine(machine)) {
            let (release, machine) =
                release.rsplit_once('-').filter(|(_, m)| is_machine(m)).unwrap_or((release, machine));
            draft.set("os.kernel", release);
            arch(draft, machine);
            if let Some(kind) = wsl(release) {
                draft.set("os.emulation", kind);
            }
        }
        let libc = with.strip_prefix("glibc").filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(version) = libc {
            draft.set("os.libc", "glibc");
            if asks_libc(draft, 9) {
                draft.set("os.libc_version", version);
            }
        } else if with.starts_with("musl") || with.is_empty() && rest.contains("-with-musl") {
            draft.set("os.libc", "musl");
        }
    } else if let Some(rest) = text.strip_prefix("macOS-") {
        mac(draft, rest.split('-').next().unwrap_or_default());
        rest.split('-').nth(1).into_iter().for_each(|machine| arch(draft, machine));
    } else if let Some(rest) = text.strip_prefix("Darwin-") {
        draft.set("os.family", "darwin");
        draft.set("os.distribution", "macos");
        let mut parts = rest.split('-');
        draft.set_opt("os.kernel", parts.next().filter(|p| !p.is_empty()));
        parts.next().into_iter().for_each(|machine| arch(draft, machine));
    } else if text.starts_with("Windows") {
        draft.set("os.family", "windows");
    }
}

/// `os.arch` and `cpu.architecture`, by Linux's names: `AMD64` is Windows' for `x86_64`.
pub fn arch(draft: &mut Draft, machine: &str) {
    let machine = match machine.trim() {
        "AMD64" | "amd64" | "x64" => "x86_64",
        "ARM64" => "arm64",
        other => other,
    };
    if is_machine(machine) {
        draft.set("os.arch", machine);
    }
}

/// Whether this is a name that `uname -m` gives.
fn is_machine(text: &str) -> bool {
    matches!(
        text,
        "x86_64"
            | "aarch64"
            | "arm64"
            | "i386"
            | "i686"
            | "ppc64le"
            | "ppc64"
            | "s390x"
            | "riscv64"
            | "loongarch64"
    ) || text.starts_with("armv")
}

fn mac(draft: &mut Draft, version: &str) {
    draft.set("os.family", "darwin");
    draft.set("os.distribution", "macos");
    draft.set_opt("os.distribution_version", Some(version.trim()).filter(|v| !v.is_empty()));
}

/// Names by which distributions call themselves, with their os-release(5) `ID`; the first that fits.
const DISTRIBUTIONS: [(&str, &str); 36] = [
    ("Ubuntu", "ubuntu"),
    ("Debian", "debian"),
    ("CentOS", "centos"),
    ("Fedora", "fedora"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
    ("Amazon Linux", "amzn"),
    ("Arch Linux", "arch"),
    ("Manjaro", "manjaro"),
    ("EndeavourOS", "endeavouros"),
    ("Linux Mint", "linuxmint"),
    ("Pop!_OS", "pop"),
    ("Zorin OS", "zorin"),
    ("elementary OS", "elementary"),
    ("KDE neon", "neon"),
    ("openSUSE Leap", "opensuse-leap"),
    ("openSUSE Tumbleweed", "opensuse-tumbleweed"),
    ("SUSE Linux Enterprise Server", "sles"),
    ("Oracle Linux", "ol"),
    ("Scientific Linux", "scientific"),
    ("Alpine Linux", "alpine"),
    ("Gentoo", "gentoo"),
    ("NixOS", "nixos"),
    ("Kali", "kali"),
    ("Raspbian", "raspbian"),
    ("Deepin", "deepin"),
    ("openEuler", "openEuler"),
    ("Alibaba Cloud Linux", "alinux"),
    ("TencentOS", "tencentos"),
    ("Anolis OS", "anolis"),
    ("UnionTech OS", "uos"),
    ("Kylin", "kylin"),
    ("VMware Photon", "photon"),
    ("Common Base Linux Mariner", "mariner"),
    ("Void", "void"),
];

/// A distribution by the name that it gives itself, as `lsb_release -d` or `PRETTY_NAME` has it, with the machine
/// behind it where the program adds it: `Ubuntu 22.04.3 LTS (x86_64)`, `CentOS Linux release 7.5.1804 (Core)`,
/// `macOS 13.0 (arm64)`, `Microsoft Windows 10 Pro`.
pub fn system(draft: &mut Draft, text: &str) {
    let text = text.trim();
    let machine = text.strip_suffix(')').and_then(|t| t.rsplit_once('(')).filter(|(_, m)| is_machine(m));
    let name = machine.map_or(text, |(name, _)| name.trim_end());
    if let Some((_, machine)) = machine {
        arch(draft, machine);
    }
    if let Some(version) = ["macOS ", "Mac OSX ", "Mac OS X "].iter().find_map(|mark| name.strip_prefix(mark))
    {
        mac(draft, version);
        draft.set("os.distribution_name", name);
        return;
    }
    if name.contains("Windows") {
        draft.set("os.family", "windows");
        draft.set("os.distribution_name", name);
        return;
    }
    match name {
        "" => return,
        // What programs write that find no name: Python's `sys.platform`.
        "linux" => return draft.set("os.family", "linux"),
        "darwin" => return draft.set("os.family", "darwin"),
        "win32" | "cygwin" => return draft.set("os.family", "windows"),
        _ => {}
    }
    draft.set("os.family", "linux");
    draft.set("os.distribution_name", name);
    let known = DISTRIBUTIONS.iter().find(|(prefix, _)| starts_with(name, prefix));
    if let Some((_, id)) = known {
        draft.set("os.distribution", *id);
        draft.set_opt("os.distribution_version", version_id(id, name));
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `VERSION_ID` of os-release(5) out of the name: Ubuntu's has no point release, CentOS' only the major one.
fn version_id(id: &str, name: &str) -> Option<String> {
    let number = name
        .split([' ', 'v'])
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_digit()))?;
    let parts = match id {
        "ubuntu" | "pop" | "neon" => 2,
        "centos" | "scientific" => 1,
        _ => usize::MAX,
    };
    Some(number.split('.').take(parts).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(fill: impl Fn(&mut Draft)) -> Vec<String> {
        let mut draft = Draft::new("test");
        fill(&mut draft);
        draft.finish("").facts.into_iter().map(|(path, value)| format!("{path}={}", value.plain())).collect()
    }

    #[test]
    fn platforms() {
        let linux = |text: &str| {
            facts(|d| {
                python(d, "3.10.4 (main) [GCC 9]");
                platform(d, text);
            })
            .into_iter()
            .filter(|line| line.starts_with("os."))
            .collect::<Vec<_>>()
        };
        assert_eq!(
            linux("Linux-5.14.0-427.70.1.el9_4.x86_64-x86_64-with-glibc2.34"),
            [
                "os.arch=x86_64",
                "os.family=linux",
                "os.kernel=5.14.0-427.70.1.el9_4.x86_64",
                "os.libc=glibc",
                "os.libc_version=2.34"
            ]
        );
        assert_eq!(linux("Linux-4.14.83-x86_64-with-glibc2.35")[2], "os.kernel=4.14.83");
        assert!(
            linux("Linux-5.15.167.4-microsoft-standard-WSL2-x86_64-with-glibc2.35")
                .contains(&"os.emulation=wsl2".to_owned())
        );
        assert_eq!(
            linux("macOS-13.0-arm64-arm-64bit"),
            ["os.arch=arm64", "os.distribution=macos", "os.distribution_version=13.0", "os.family=darwin"]
        );
        assert_eq!(linux("Windows-10-10.0.22621-SP0"), ["os.family=windows"]);
        for odd in ["", "Linux-", "Linux--with-", "macOS-", "-with-", "Darwin-"] {
            linux(odd);
        }
    }

    #[test]
    fn distributions() {
        let of = |text: &str| {
            let facts = facts(|d| system(d, text));
            let get = |key: &str| {
                facts.iter().find_map(|f| f.strip_prefix(&format!("os.{key}="))).unwrap_or("-").to_owned()
            };
            [get("distribution"), get("distribution_version"), get("arch")].join(" ")
        };
        let cases = [
            ("Ubuntu 22.04.3 LTS (x86_64)", "ubuntu 22.04 x86_64"),
            ("Ubuntu 24.10", "ubuntu 24.10 -"),
            ("Debian GNU/Linux 12 (bookworm) (x86_64)", "debian 12 x86_64"),
            ("CentOS Linux release 7.5.1804 (Core) ", "centos 7 -"),
            ("Fedora release 34 (Thirty Four) (x86_64)", "fedora 34 x86_64"),
            ("Red Hat Enterprise Linux 9.5 (Plow) (aarch64)", "rhel 9.5 aarch64"),
            ("Alpine Linux v3.18", "alpine 3.18 -"),
            ("Arch Linux (x86_64)", "arch - x86_64"),
            ("macOS 13.0 (arm64)", "macos 13.0 arm64"),
            ("Mac OSX 10.13.3", "macos 10.13.3 -"),
            ("Microsoft Windows 10 Pro", "- - -"),
            ("Something Else 3", "- - -"),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
