//! The time zone as it acts: tzset(3).

use std::path::{Component, Path, PathBuf};

use crate::host::Host;
use crate::probes::Sink;

pub(super) fn collect(host: &dyn Host, out: &Sink) {
    match find(host) {
        Ok((zone, road, missing)) => {
            out.set("timezone", canonical(&zone));
            out.set("timezone_found_by", road);
            out.set_opt("timezone_missing", missing);
        }
        Err(reason) => out.unknown("timezone", reason),
    }
}

/// The zone, the road to it, and the name that was asked for where there is no such zone.
type Zone = (String, &'static str, Option<String>);

fn find(host: &dyn Host) -> Result<Zone, String> {
    let Some(tz) = host.env("TZ") else {
        return local_time(host);
    };
    let name = tz.strip_prefix(':').unwrap_or(&tz);
    if name.is_empty() {
        return Ok(("UTC".to_owned(), "TZ", None));
    }
    if name.starts_with('/') {
        let path = PathBuf::from(name);
        let zone = zone_of(&path).or_else(|| zone_of(&host.canonicalize(&path).ok()?));
        return Ok((zone.unwrap_or_else(|| name.to_owned()), "TZ", None));
    }
    // `EST5EDT,M3.2.0,M11.1.0` describes a zone; a name without digits must be looked up.
    let describes = name.bytes().any(|b| b.is_ascii_digit()) && !name.contains('/');
    let root = host.env("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".to_owned());
    let known = describes
        || is_utc(name)
        || host.system().sysname != "Linux"
        || host.exists(&Path::new(&root).join(name));
    Ok(if known { (name.to_owned(), "TZ", None) } else { ("UTC".to_owned(), "TZ", Some(name.to_owned())) })
}

/// Without `TZ`: `/etc/localtime`, by the name of what it links to; a copy of a zone by the name in `/etc/timezone`,
/// else by the rule at its end; UTC where there is none.
fn local_time(host: &dyn Host) -> Result<Zone, String> {
    let path = Path::new("/etc/localtime");
    let linked = host.read_link(path).ok().map(|target| Path::new("/etc").join(target));
    let named = linked.as_deref().and_then(zone_of).or_else(|| zone_of(&host.canonicalize(path).ok()?));
    if let Some(zone) = named {
        return Ok((zone, "/etc/localtime", None));
    }
    let bytes = match host.read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(("UTC".to_owned(), "default", None)),
        Err(e) => return Err(format!("/etc/localtime: {e}")),
    };
    let named = host.maybe("/etc/timezone").and_then(|text| text.lines().next().map(|l| l.trim().to_owned()));
    match (named.filter(|name| !name.is_empty()), parse_footer(&bytes)) {
        (Some(zone), _) => Ok((zone, "/etc/timezone", None)),
        (None, Some(rule)) => Ok((rule, "/etc/localtime", None)),
        (None, None) => Err("/etc/localtime is no time zone file of version 2 or later".to_owned()),
    }
}

/// The zone's name in a path below a `zoneinfo` folder.
fn zone_of(path: &Path) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut inside = false;
    for component in path.components() {
        match component {
            Component::Normal(name) if inside => names.push(name.to_str()?),
            Component::Normal(name) => inside = name.to_str().is_some_and(|n| n.starts_with("zoneinfo")),
            _ => {}
        }
    }
    // `posix/` and `right/` hold the same zones again; `right` counts leap seconds.
    if names.first() == Some(&"posix") {
        names.remove(0);
    }
    Some(names.join("/")).filter(|name| !name.is_empty())
}

/// The rule in the last line of a TZif file (RFC 8536, section 3.3): `CET-1CEST,M3.5.0,M10.5.0/3`.
fn parse_footer(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(b"TZif") {
        return None;
    }
    let body = bytes.strip_suffix(b"\n")?;
    let start = body.iter().rposition(|b| *b == b'\n')?;
    String::from_utf8(body[start + 1..].to_vec()).ok().filter(|rule| !rule.is_empty() && rule.is_ascii())
}

fn is_utc(name: &str) -> bool {
    matches!(
        name,
        "UTC"
            | "UTC0"
            | "UCT"
            | "Zulu"
            | "Universal"
            | "Etc/UTC"
            | "Etc/UCT"
            | "Etc/Zulu"
            | "Etc/Universal"
            | "<UTC>0"
    )
}

/// UTC by its one name; every other zone as it is called.
fn canonical(zone: &str) -> &str {
    if is_utc(zone) { "UTC" } else { zone }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{linux, probe, text};
    use super::*;

    #[test]
    fn tz_is_above_the_system() {
        let mut host = linux();
        host.links.insert("/etc/localtime".into(), "../usr/share/zoneinfo/Asia/Tokyo".into());
        host.bytes.insert("/usr/share/zoneinfo/Europe/Berlin".into(), String::new());
        let zone = |tz: Option<&str>| {
            let mut host = host.clone();
            host.env.extend(tz.map(|tz| ("TZ".to_owned(), tz.to_owned())));
            let collected = probe(host);
            let fact = |name| text(&collected, name).unwrap_or_default();
            [fact("timezone"), fact("timezone_found_by"), fact("timezone_missing")].join(" ")
        };
        assert_eq!(zone(None), "Asia/Tokyo /etc/localtime ");
        assert_eq!(zone(Some("")), "UTC TZ ");
        assert_eq!(zone(Some("Europe/Berlin")), "Europe/Berlin TZ ");
        assert_eq!(zone(Some(":Europe/Berlin")), "Europe/Berlin TZ ");
        assert_eq!(zone(Some("/usr/share/zoneinfo/Europe/Berlin")), "Europe/Berlin TZ ");
        assert_eq!(zone(Some("EST5EDT")), "EST5EDT TZ ");
        assert_eq!(zone(Some("Etc/UTC")), "UTC TZ ");
        assert_eq!(zone(Some("Mars/Olympus")), "UTC TZ Mars/Olympus");
    }

    #[test]
    fn a_copied_zone_is_told_by_its_rule() {
        let file = b"TZif2\0\0\nbody\n\xff\nCET-1CEST,M3.5.0,M10.5.0/3\n";
        assert_eq!(parse_footer(file).as_deref(), Some("CET-1CEST,M3.5.0,M10.5.0/3"));
        for broken in [&b"TZif"[..], b"", b"TZif2\n\n", b"\nUTC0\n"] {
            assert_eq!(parse_footer(broken), None);
        }
        let mut host = linux();
        let hex: String = file.iter().map(|b| format!("{b:02x}")).collect();
        host.bytes.insert("/etc/localtime".into(), hex);
        assert_eq!(text(&probe(host.clone()), "timezone").as_deref(), Some("CET-1CEST,M3.5.0,M10.5.0/3"));
        host.files.insert("/etc/timezone".into(), "Europe/Paris\n".to_owned());
        assert_eq!(text(&probe(host), "timezone").as_deref(), Some("Europe/Paris"));
    }

    #[test]
    fn no_zone_is_utc_and_an_unreadable_one_is_unknown() {
        assert_eq!(text(&probe(linux()), "timezone").as_deref(), Some("UTC"));
        let mut host = linux();
        host.denied.insert("/etc/localtime".into());
        assert!(probe(host).unknown.keys().any(|path| path.to_string() == "os.timezone"));
    }
}
