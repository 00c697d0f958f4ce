//! One requirement, as PEP 508 writes it: `name[extra] >= 1.0 ; marker`, `name @ URL ; marker`.

use std::borrow::Cow;

use crate::probes::python::names::is_name;

/// A requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement<'a> {
    /// The distribution's name as written.
    pub name: &'a str,
    /// What is asked of its version.
    pub spec: Spec<'a>,
    /// The environment marker behind the semicolon.
    pub marker: Option<&'a str>,
}

/// What a requirement asks of the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spec<'a> {
    /// One version: `==1.0`, `===1.0`.
    Exact(&'a str),
    /// A range, as written: `>=1.0,<2`, `==1.*`.
    Range(&'a str),
    /// A direct reference.
    Url(&'a str),
    /// Any version.
    Any,
}

/// Parses one requirement; `None` where the text is none.
pub(crate) fn parse(text: &str) -> Option<Requirement<'_>> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !is_name(name) {
        return None;
    }
    let mut rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        let (inside, behind) = extras.split_once(']')?;
        if !inside.split(',').all(|extra| extra.trim().is_empty() || is_name(extra.trim())) {
            return None;
        }
        rest = behind.trim_start();
    }
    if let Some(url) = rest.strip_prefix('@') {
        // A semicolon belongs to the URL unless a space stands before it (PEP 508).
        let (url, marker) = match url.find(" ;").or_else(|| url.find("\t;")) {
            Some(at) => (url.get(..at)?, url.get(at + 2..)),
            None => (url, None),
        };
        let url = url.trim();
        let marker = marker.map(str::trim).filter(|m| !m.is_empty());
        return (!url.is_empty()).then_some(Requirement { name, spec: Spec::Url(url), marker });
    }
    let (spec, marker) = match rest.split_once(';') {
        Some((spec, marker)) => (spec, Some(marker.trim()).filter(|m| !m.is_empty())),
        None => (rest, None),
    };
    let spec = spec.trim();
    let spec = spec.strip_prefix('(').and_then(|s| s.strip_suffix(')')).unwrap_or(spec).trim();
    Some(Requirement { name, spec: self::spec(spec)?, marker })
}

/// The specifiers of a version, joined by commas.
fn spec(text: &str) -> Option<Spec<'_>> {
    if text.is_empty() {
        return Some(Spec::Any);
    }
    let clauses = text.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    let mut count = 0;
    let mut exact = None;
    for clause in clauses {
        let operator =
            ["===", "==", "~=", "!=", "<=", ">=", "<", ">"].iter().find(|op| clause.starts_with(**op))?;
        let version = clause.get(operator.len()..)?.trim();
        let plausible = |c: char| c.is_alphanumeric() || ".+-_!*".contains(c);
        if version.is_empty() || !version.chars().all(plausible) {
            return None;
        }
        count += 1;
        exact = (operator.starts_with("==") && !version.ends_with(".*")).then_some(version);
    }
    match exact {
        Some(version) if count == 1 => Some(Spec::Exact(version)),
        _ => Some(Spec::Range(text)),
    }
}

/// The lines of a requirements file: comments gone, lines that end with a backslash joined with the next. With the
/// number of the first line of each.
pub(crate) fn lines(text: &str) -> Vec<(usize, Cow<'_, str>)> {
    let mut out: Vec<(usize, Cow<'_, str>)> = Vec::new();
    let mut open = false;
    for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        // A comment begins the line or follows a space (pip, req_file.COMMENT_RE).
        let comment = line
            .match_indices('#')
            .map(|(at, _)| at)
            .find(|at| *at == 0 || line.as_bytes().get(at - 1).is_some_and(u8::is_ascii_whitespace));
        let code = comment.and_then(|at| line.get(..at)).unwrap_or(line);
        let joined = code.trim_end().strip_suffix('\\').filter(|_| comment.is_none());
        let part = joined.unwrap_or(code).trim();
        match out.last_mut() {
            Some((_, last)) if open => {
                let last = last.to_mut();
                last.push(' ');
                last.push_str(part);
            }
            _ => out.push((i + 1, Cow::Borrowed(part))),
        }
        open = joined.is_some();
    }
    out.retain(|(_, line)| !line.is_empty());
    out
}

/// A requirement of a file without the options behind it: `--hash=sha256:…`, `--global-option`.
pub(crate) fn without_options(line: &str) -> &str {
    line.split(" --").next().unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_as_people_write_them() {
        for (text, name, spec, marker) in [
            ("numpy==1.26.4", "numpy", Spec::Exact("1.26.4"), None),
            ("torch == 2.1.0+cu118", "torch", Spec::Exact("2.1.0+cu118"), None),
            ("x===2020-08", "x", Spec::Exact("2020-08"), None),
            (
                "a.b_c[d, e]>=1,<2 ; python_version<'3.8'",
                "a.b_c",
                Spec::Range(">=1,<2"),
                Some("python_version<'3.8'"),
            ),
            ("x==1.*", "x", Spec::Range("==1.*"), None),
            ("x (>=1.0)", "x", Spec::Range(">=1.0"), None),
            ("x", "x", Spec::Any, None),
            ("x;python_version<'3'", "x", Spec::Any, Some("python_version<'3'")),
            (
                "p @ git+https://h/p.git@abc ; os_name=='nt'",
                "p",
                Spec::Url("git+https://h/p.git@abc"),
                Some("os_name=='nt'"),
            ),
            ("p @ https://h/p;x.whl", "p", Spec::Url("https://h/p;x.whl"), None),
        ] {
            assert_eq!(parse(text), Some(Requirement { name, spec, marker }), "{text}");
        }
        for none in ["", "-r x", "numpy 1.2", "a b", "x=1", "x==", "x>=1 2", "[x]", "x[", "~x==1", "x @"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[test]
    fn lines_are_joined_and_comments_go() {
        let found =
            lines("# c\na==1 \\\n  --hash=sha256:0 \\\n --hash=sha256:1\nb # why\nc @ https://h/x#egg=c\n\n");
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].0, without_options(&found[0].1)), (2, "a==1"));
        assert_eq!((found[1].0, found[1].1.as_ref()), (5, "b"));
        assert_eq!(found[2].1, "c @ https://h/x#egg=c");
    }
}
