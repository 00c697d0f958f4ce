//! `RECORD`: the files of an installed distribution and their digests (Binary distribution format, "The .dist-info
//! directory"; Recording installed projects, "The RECORD file").

use std::borrow::Cow;
use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::host::Host;
use crate::snapshot::digest;

/// One line of a RECORD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The path, relative to the site folder, as written.
    pub path: Cow<'a, str>,
    /// `sha256=…`, where the line has a digest.
    pub hash: Option<&'a str>,
    /// The length in bytes, where the line has one.
    pub size: Option<u64>,
}

/// Parses a RECORD: CSV with the columns path, hash, size. Lines that do not fit are left out.
///
/// ```text
/// torch/version.py,sha256=JTbl0X9FcDlgY5cLRGzI7DXxZHwbBvPZeVoHkUAIMSA,280
/// "torch/a,b.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
/// torch/__pycache__/version.cpython-311.pyc,,
/// ```
pub(super) fn parse(text: &str) -> Vec<Line<'_>> {
    // A large wheel's RECORD has 20,000 lines, so the ends of lines and fields are looked for many bytes at a time.
    let mut lines = Vec::with_capacity(text.len() / 128);
    let mut start = 0;
    for end in memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let whole = &text[start..end];
        lines.extend(line(whole.strip_suffix('\r').unwrap_or(whole)));
        start = (end + 1).min(text.len());
    }
    lines
}

/// [`str::split_once`] at a comma.
fn split(text: &str) -> Option<(&str, &str)> {
    memchr(b',', text.as_bytes()).map(|at| (&text[..at], &text[at + 1..]))
}

fn line(text: &str) -> Option<Line<'_>> {
    let (path, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let end = closing_quote(quoted)?;
            let path = quoted.get(..end)?;
            let path =
                if path.contains('"') { Cow::Owned(path.replace("\"\"", "\"")) } else { Cow::Borrowed(path) };
            (path, quoted.get(end + 1..)?.strip_prefix(',').unwrap_or_default())
        }
        None => {
            let (path, rest) = split(text).unwrap_or((text, ""));
            (Cow::Borrowed(path), rest)
        }
    };
    let (hash, size) = split(rest).unwrap_or((rest, ""));
    let hash = Some(hash).filter(|hash| !hash.is_empty());
    (!path.is_empty()).then(|| Line { path, hash, size: size.trim().parse().ok() })
}

/// The index of the quote that ends a CSV field; a doubled one stands for itself.
fn closing_quote(field: &str) -> Option<usize> {
    let mut quotes = field.bytes().enumerate().filter(|(_, byte)| *byte == b'"').map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        if quotes.peek() != Some(&(at + 1)) {
            return Some(at);
        }
        quotes.next();
    }
    None
}

/// The digest of what the wheel brought: equal for the same wheel whichever installer unpacked it, wherever.
///
/// It is the SHA-256 of one line `PATH,HASH` with a line feed for each line of the RECORD that has a hash, in the
/// byte order of the paths, but for what installers write themselves: byte code, scripts (which name the
/// interpreter's path), and the notes in the `*.dist-info` folder. `None` where no line is left.
pub(super) fn content(lines: &[Line<'_>]) -> Option<String> {
    let mut kept: Vec<(&str, &str)> = lines
        .iter()
        .filter(|line| is_content(&line.path))
        .filter_map(|l| Some((&*l.path, l.hash?)))
        .collect();
    kept.sort_unstable();
    kept.dedup();
    let length = kept.iter().map(|(path, hash)| path.len() + hash.len() + 2).sum();
    let text = kept.iter().fold(String::with_capacity(length), |mut text, (path, hash)| {
        for part in [path, ",", hash, "\n"] {
            text.push_str(part);
        }
        text
    });
    (!text.is_empty()).then(|| digest::sha256(text.as_bytes()))
}

/// What installers write into a `*.dist-info` folder (pip and uv).
const NOTES: [&str; 8] = [
    "INSTALLER",
    "RECORD",
    "RECORD.jws",
    "RECORD.p7s",
    "REQUESTED",
    "direct_url.json",
    "uv_build.json",
    "uv_cache.json",
];

/// Whether a path is the wheel's own content.
fn is_content(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_note = folder.ends_with(".dist-info") && !folder.contains('/') && NOTES.contains(&name);
    let outside = path.starts_with('/') || path.starts_with("../");
    let is_script = outside && folder.rsplit('/').next() == Some("bin");
    !is_note && !is_script && !path.starts_with('/') && !name.ends_with(".pyc")
}

/// How many of about two hundred files, taken from all over a RECORD, are not there with the length that it says.
pub(super) fn misfits(host: &dyn Host, site: &Path, text: &str) -> usize {
    let lines = parse(text);
    let sized = lines.iter().filter_map(|line| Some((&*line.path, line.size?)));
    let inside = sized.filter(|(path, _)| !path.starts_with("../") && !path.contains(".dist-info/"));
    let fits = |path: &str, size: u64| host.stat(&site.join(path)).is_ok_and(|stat| stat.len == size);
    inside.step_by(lines.len().div_ceil(200).max(1)).filter(|(path, size)| !fits(path, *size)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_csv() {
        let lines = parse("a.py,sha256=x,12\r\n\"b,\"\"c\"\".py\",sha256=y,3\nd.pyc,,\n\"open\nplain\n");
        let shown: Vec<(&str, Option<&str>, Option<u64>)> =
            lines.iter().map(|line| (&*line.path, line.hash, line.size)).collect();
        assert_eq!(
            shown,
            [
                ("a.py", Some("sha256=x"), Some(12)),
                ("b,\"c\".py", Some("sha256=y"), Some(3)),
                ("d.pyc", None, None),
                ("plain", None, None),
            ]
        );
    }

    #[test]
    fn what_installers_write_does_not_count() {
        let pip = "../../../bin/tool,sha256=p,1\nx/__init__.py,sha256=a,1\nx/__pycache__/__init__.cpython-311.pyc,,\n\
                   x-1.dist-info/INSTALLER,sha256=b,4\nx-1.dist-info/RECORD,,\nx-1.dist-info/METADATA,sha256=m,9\n";
        let uv = "../../../bin/tool,sha256=u,1\nx-1.dist-info/METADATA,sha256=m,9\nx-1.dist-info/INSTALLER,sha256=c,2\n\
                  x-1.dist-info/REQUESTED,sha256=d,0\nx/__init__.py,sha256=a,1\n";
        assert_eq!(content(&parse(pip)), content(&parse(uv)));
        assert_eq!(
            content(&parse(pip)).unwrap_or_default(),
            digest::sha256(b"x-1.dist-info/METADATA,sha256=m\nx/__init__.py,sha256=a\n")
        );
        assert_ne!(content(&parse(pip)), content(&parse(&pip.replace("sha256=a", "sha256=z"))));
        assert_eq!(content(&parse("x-1.dist-info/RECORD,,\n")), None);
    }
}
