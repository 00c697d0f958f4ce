//! The C and C++ libraries of the system.

use std::io;
use std::path::Path;

use crate::host::Host;
use crate::probes::Sink;

pub(super) fn collect(host: &dyn Host, out: &Sink) {
    let system = host.system();
    if system.sysname != "Linux" {
        return;
    }
    match libc(host) {
        Ok(Some((name, version, road))) => {
            out.set("libc", name);
            out.set_opt("libc_version", version);
            out.set("libc_found_by", road);
        }
        Ok(None) => {}
        Err(reason) => out.unknown("libc", reason),
    }
    out.set_opt("libstdcxx", folders(&system.machine).iter().find_map(|dir| libstdcxx(host, Path::new(dir))));
}

/// Where the system's libraries are, in the order of ld.so(8): Debian's multiarch folder, then the folders of the
/// other distributions.
fn folders(machine: &str) -> Vec<String> {
    let multiarch = match machine {
        "armv7l" => "arm-linux-gnueabihf".to_owned(),
        "i686" => "i386-linux-gnu".to_owned(),
        "ppc64le" => "powerpc64le-linux-gnu".to_owned(),
        machine => format!("{machine}-linux-gnu"),
    };
    let fixed = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned);
    [format!("/lib/{multiarch}"), format!("/usr/lib/{multiarch}")].into_iter().chain(fixed).collect()
}

type Libc = (&'static str, Option<String>, &'static str);

/// The C library that programs of this system are linked to.
fn libc(host: &dyn Host) -> Result<Option<Libc>, String> {
    if let Some((name, version)) = host.system().libc {
        let name = if name == "musl" { "musl" } else { "glibc" };
        return Ok(Some((name, Some(version), "gnu_get_libc_version")));
    }
    // A driftlock linked to musl runs on every system, and asks the files.
    let machine = host.system().machine;
    if host.names("/lib").iter().any(|name| name.starts_with("ld-musl-")) {
        let version = host.maybe("/lib/apk/db/installed").and_then(|text| parse_apk_version(&text, "musl"));
        return Ok(Some(("musl", version, "/lib/ld-musl-*.so.1")));
    }
    for dir in folders(&machine) {
        let path = Path::new(&dir).join("libc.so.6");
        match host.read(&path) {
            Ok(bytes) => return Ok(Some(("glibc", parse_glibc_banner(&bytes), "libc.so.6"))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("libc.so.6: {e}")),
        }
    }
    Ok(None)
}

/// The version in the banner that `libc.so.6` prints when it is run: `GNU C Library (Debian GLIBC 2.36-9+deb12u10)
/// stable release version 2.36.`
fn parse_glibc_banner(bytes: &[u8]) -> Option<String> {
    let banner = memchr::memmem::find(bytes, b"GNU C Library (")
        .and_then(|at| bytes.get(at..(at + 200).min(bytes.len())))?;
    let line = banner.split(|b| *b == b'\n' || *b == 0).next()?;
    let text = String::from_utf8_lossy(line).into_owned();
    let version = text.split("release version ").nth(1)?;
    let version = version.trim_end_matches(|c: char| !c.is_ascii_digit());
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    Some(version[..end].trim_end_matches('.').to_owned()).filter(|v| !v.is_empty())
}

/// The version of an installed package in Alpine's database: `P:` names it, `V:` gives the version, an empty line
/// ends the record.
fn parse_apk_version(text: &str, package: &str) -> Option<String> {
    let record = text.split("\n\n").find(|r| r.lines().any(|l| l.strip_prefix("P:") == Some(package)))?;
    record.lines().find_map(|l| l.strip_prefix("V:")).map(str::to_owned)
}

/// `libstdc++.so.6` is a link to the file that bears the version: `libstdc++.so.6.0.30`.
fn libstdcxx(host: &dyn Host, dir: &Path) -> Option<String> {
    let path = host.canonicalize(&dir.join("libstdc++.so.6")).ok()?;
    path.file_name()?.to_str()?.strip_prefix("libstdc++.so.").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{linux, probe, text};
    use super::*;

    #[test]
    fn banners() {
        let banner =
            b"\0x\0GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\nCopyright\0";
        assert_eq!(parse_glibc_banner(banner).as_deref(), Some("2.36"));
        let old = b"GNU C Library (GNU libc) stable release version 2.17, by Roland McGrath et al.\n";
        assert_eq!(parse_glibc_banner(old).as_deref(), Some("2.17"));
        assert_eq!(parse_glibc_banner(b"GNU C Library ("), None);
        assert_eq!(parse_glibc_banner(b""), None);
    }

    #[test]
    fn musl_is_found_by_its_loader() {
        let mut host = linux();
        host.files.insert("/lib/ld-musl-x86_64.so.1".into(), String::new());
        host.files.insert(
            "/lib/apk/db/installed".into(),
            "P:busybox\nV:1.36\n\nC:x\nP:musl\nV:1.2.4-r2\nA:x86_64\n".to_owned(),
        );
        let collected = probe(host);
        assert_eq!(text(&collected, "libc").as_deref(), Some("musl"));
        assert_eq!(text(&collected, "libc_version").as_deref(), Some("1.2.4-r2"));
    }

    #[test]
    fn libstdcxx_by_its_link() {
        let mut host = linux();
        host.system.libc = Some(("glibc".to_owned(), "2.36".to_owned()));
        host.links.insert("/usr/lib64/libstdc++.so.6".into(), "libstdc++.so.6.0.30".into());
        host.files.insert("/usr/lib64/libstdc++.so.6.0.30".into(), String::new());
        let collected = probe(host);
        assert_eq!(text(&collected, "libstdcxx").as_deref(), Some("6.0.30"));
        assert_eq!(text(&collected, "libc_version").as_deref(), Some("2.36"));
        assert_eq!(text(&probe(linux()), "libstdcxx"), None);
    }
}
