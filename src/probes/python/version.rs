//! The interpreter's full version from files.

use std::path::Path;

use super::layout::Layout;
use crate::host::Host;

/// The version of the interpreter that would start and the road by which it was found. What belongs to the base
/// interpreter is asked before what the virtual environment noted when it was made: the base may have been upgraded
/// since.
pub(super) fn find(host: &dyn Host, layout: &Layout) -> Option<(String, &'static str)> {
    let series = layout.series.as_deref();
    let fits = |version: &String| {
        let rest = series.map(|series| version.strip_prefix(series));
        rest.is_none_or(|rest| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    let roads: [(&'static str, &dyn Fn() -> Option<String>); 6] = [
        ("patchlevel.h", &|| header(host, layout)),
        ("conda-meta", &|| conda(host, &layout.base_prefix)),
        ("dpkg", &|| dpkg(host, layout)),
        ("folder", &|| folder(&layout.base_prefix)),
        ("pyvenv.cfg", &|| layout.venv.as_ref()?.version.clone()),
        ("library", &|| library(host, layout)),
    ];
    let found = roads.into_iter().find_map(|(road, read)| Some((read().filter(fits)?, road)));
    found.or_else(|| Some((series?.to_owned(), "lib")))
}

/// `PY_VERSION` of `include/pythonX.Y/patchlevel.h`, or of `include/patchlevel.h` (older PyPy).
fn header(host: &dyn Host, layout: &Layout) -> Option<String> {
    let include = layout.base_prefix.join("include");
    let folder = layout.folder.as_deref()?;
    // Python 3.6 and 3.7 put an `m` behind the version.
    let folders = [folder.to_owned(), format!("{folder}m"), ".".to_owned()];
    let text = folders.iter().find_map(|folder| host.maybe(include.join(folder).join("patchlevel.h")))?;
    parse_header(&text)
}

/// ```text
/// /* Version as a string */
/// #define PY_VERSION              "3.11.7"
/// ```
fn parse_header(text: &str) -> Option<String> {
    let value =
        text.lines().find_map(|line| line.strip_prefix("#define PY_VERSION")?.trim().strip_prefix('"'))?;
    release(value.split('"').next()?)
}

/// The `python` package of a conda environment: `conda-meta/python-3.11.7-hab00c5b_1_cpython.json`.
fn conda(host: &dyn Host, prefix: &Path) -> Option<String> {
    let names = host.names(prefix.join("conda-meta"));
    let rest = names.iter().find_map(|name| {
        let rest = name.strip_prefix("python-")?;
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
    })?;
    release(rest.split('-').next()?)
}

/// The version of the package that owns Debian's and Ubuntu's interpreter.
fn dpkg(host: &dyn Host, layout: &Layout) -> Option<String> {
    if layout.base_prefix != Path::new("/usr") {
        return None;
    }
    let status = host.read(Path::new("/var/lib/dpkg/status")).ok()?;
    parse_dpkg(&status, layout.series.as_deref()?)
}

/// ```text
/// Package: libpython3.11-minimal
/// Status: install ok installed
/// …
/// Version: 3.11.2-6+deb12u6
/// ```
fn parse_dpkg(status: &[u8], series: &str) -> Option<String> {
    let needle = format!("Package: libpython{series}-minimal\n");
    let starts = memchr::memmem::find_iter(status, needle.as_bytes());
    let start = starts.into_iter().find(|at| *at == 0 || status.get(at - 1) == Some(&b'\n'))?;
    let stanza = status.get(start..)?;
    let stanza = stanza.get(..memchr::memmem::find(stanza, b"\n\n").unwrap_or(stanza.len()))?;
    let text = String::from_utf8_lossy(stanza);
    let version = text.lines().find_map(|line| line.strip_prefix("Version: "))?;
    let upstream = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
    release(upstream.rsplit_once('-').map_or(upstream, |(upstream, _revision)| upstream))
}

/// A prefix that is named after its version: pyenv's `versions/3.11.7`, uv's `cpython-3.11.7-linux-x86_64-gnu`.
fn folder(prefix: &Path) -> Option<String> {
    let name = prefix.file_name()?.to_str()?;
    let number = name.strip_prefix("cpython-").unwrap_or(name).split('-').next()?;
    release(number).filter(|version| version.matches('.').count() == 2)
}

/// The version string in the interpreter's own code: `Py_GetVersion` formats it from a literal. The last road,
/// because the whole file is read; it is what remains for a system's Python without its headers.
fn library(host: &dyn Host, layout: &Layout) -> Option<String> {
    let series = layout.series.as_deref()?;
    let shared = format!("libpython{series}.so.1.0");
    let mut files: Vec<_> = ["lib64", "lib"]
        .iter()
        .map(|lib| layout.base_prefix.join(lib).join(&shared))
        .filter(|p| host.exists(p))
        .collect();
    files.push(layout.real_executable.clone());
    files.iter().find_map(|path| literal(&host.read(path).ok()?, series))
}

/// The first NUL-terminated string in `bytes` that is a version of this series, for example `\03.11.7\0`.
fn literal(bytes: &[u8], series: &str) -> Option<String> {
    let needle = format!("\0{series}.");
    memchr::memmem::find_iter(bytes, needle.as_bytes()).find_map(|at| {
        let text = bytes.get(at + 1..)?;
        let text = text.get(..text.iter().take(24).position(|b| *b == 0)?)?;
        let text = std::str::from_utf8(text).ok()?;
        release(text).filter(|version| version == text)
    })
}

/// The release and pre-release part of a version: `3.11.7` of `3.11.7.final.0`, `3.13.0rc2`, `3.11.7+`.
pub(super) fn release(text: &str) -> Option<String> {
    let text = text.trim();
    let mut parts = text.split('.');
    let (major, minor) = (number(parts.next())?, parts.next()?);
    let Some(micro) = parts.next() else {
        return number(Some(minor)).map(|minor| format!("{major}.{minor}"));
    };
    let minor = number(Some(minor))?;
    let digits = micro.find(|c: char| !c.is_ascii_digit()).unwrap_or(micro.len());
    let (micro, pre) = micro.split_at_checked(digits)?;
    let pre = match (parts.next(), parts.next()) {
        // virtualenv writes `sys.version_info`: 3.13.0.candidate.2.
        (Some(level), Some(serial)) => match level {
            "alpha" => format!("a{serial}"),
            "beta" => format!("b{serial}"),
            "candidate" => format!("rc{serial}"),
            _ => String::new(),
        },
        _ => pre.trim_end_matches('+').to_owned(),
    };
    let is_pre = |pre: &str| {
        let number = ["a", "b", "rc"].iter().find_map(|level| pre.strip_prefix(level));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let pre = if is_pre(&pre) { pre } else { String::new() };
    (!micro.is_empty()).then(|| format!("{major}.{minor}.{micro}{pre}"))
}

/// A part of a version that is a number.
fn number(part: Option<&str>) -> Option<&str> {
    part.filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (text, version) in [
            ("3.11.7", Some("3.11.7")),
            ("3.11.7.final.0", Some("3.11.7")),
            ("3.13.0.candidate.2", Some("3.13.0rc2")),
            ("3.13.0rc2", Some("3.13.0rc2")),
            ("3.12.1+", Some("3.12.1")),
            ("3.10", Some("3.10")),
            ("3", None),
            ("", None),
            ("a.b.c", None),
        ] {
            assert_eq!(release(text).as_deref(), version, "{text}");
        }
    }

    #[test]
    fn header_and_dpkg() {
        let header =
            "#define PY_MINOR_VERSION 11\n/* Version as a string */\n#define PY_VERSION \t\"3.11.7+\"\n";
        assert_eq!(parse_header(header).as_deref(), Some("3.11.7"));
        let status = "Package: a\nVersion: 1\n\nPackage: libpython3.11-minimal\nStatus: install ok installed\n\
                      Version: 3.11.2-6+deb12u6\n\nPackage: z\nVersion: 9\n";
        assert_eq!(parse_dpkg(status.as_bytes(), "3.11").as_deref(), Some("3.11.2"));
        assert_eq!(parse_dpkg(status.as_bytes(), "3.1"), None);
    }

    #[test]
    fn the_literal_is_a_whole_string() {
        let bytes = b"x\x003.11.html\x00junk 3.11.9\x003.11.7\x00";
        assert_eq!(literal(bytes, "3.11").as_deref(), Some("3.11.7"));
        assert_eq!(literal(b"\x003.11.", "3.11"), None);
    }

    #[test]
    fn prefixes_named_after_their_version() {
        assert_eq!(folder(Path::new("/h/.pyenv/versions/3.11.7")).as_deref(), Some("3.11.7"));
        assert_eq!(
            folder(Path::new("/h/uv/python/cpython-3.12.1-linux-x86_64-gnu")).as_deref(),
            Some("3.12.1")
        );
        assert_eq!(folder(Path::new("/usr")), None);
    }
}
