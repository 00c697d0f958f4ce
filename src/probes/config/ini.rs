//! INI as Python's `configparser` reads it: every value is text, names of options are lower case.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::node::{Node, ParseError};

/// Parses an INI text. Options before the first section are kept at the top, `%(name)s` is kept as it stands, and the
/// options of `[DEFAULT]` are not copied into the other sections.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let lines = lines(text)?;
    let mut top = BTreeMap::new();
    let mut sections: BTreeMap<String, BTreeMap<String, Rc<Node>>> =
        lines.sections.into_iter().map(|(name, _)| (name, BTreeMap::new())).collect();
    for ((key, _), value) in lines.options.iter().zip(&lines.values) {
        let value = Rc::new(Node::text(value.trim_end()));
        match key.as_slice() {
            [section, name] => drop(sections.entry(section.clone()).or_default().insert(name.clone(), value)),
            _ => drop(top.insert(key.concat(), value)),
        }
    }
    for (name, options) in sections {
        if top.insert(name.clone(), Rc::new(Node::Table(options))).is_some() {
            return Err(ParseError::new(None, format!("`{name}` is both an option and a section")));
        }
    }
    Ok(Node::Table(top))
}

/// What stands where in an INI text.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Section and option, or the option alone before the first section; the bytes of its lines.
    pub(crate) options: Vec<(Vec<String>, Range<usize>)>,
    /// Their values: every line of one without the white space around it.
    values: Vec<String>,
    /// The sections, and where the line after each header begins.
    pub(crate) sections: Vec<(String, usize)>,
}

/// Reads an INI text line by line.
///
/// # Errors
///
/// It is none, or names something twice.
pub(crate) fn lines(text: &str) -> Result<Lines, ParseError> {
    let (mut out, mut seen) = (Lines::default(), BTreeSet::new());
    // How far the option is indented that an indented line continues.
    let mut option: Option<usize> = None;
    let mut end = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let (line_number, trimmed) = (i + 1, line.trim());
        let start = end;
        end += line.len();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if option.is_some_and(|at| trimmed.is_empty() || indent > at) {
            if let (Some(value), Some((_, range))) = (out.values.last_mut(), out.options.last_mut()) {
                value.push('\n');
                value.push_str(trimmed);
                // Empty lines behind a value are none of it.
                range.end = if trimmed.is_empty() { range.end } else { end };
            }
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.rsplit_once(']')).map(|(name, _)| name) {
            if !seen.insert(vec![name.to_owned(), String::new()]) {
                return Err(ParseError::new(line_number, format!("section `{name}` is there twice")));
            }
            out.sections.push((name.to_owned(), end));
            option = None;
            continue;
        }
        let (name, value) = trimmed
            .split_once(['=', ':'])
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| ParseError::new(line_number, "neither `[section]` nor `name = value`"))?;
        let name = name.trim().to_lowercase();
        let key: Vec<String> =
            out.sections.last().map(|(s, _)| s.clone()).into_iter().chain([name]).collect();
        if seen.insert(key.clone()) {
            out.options.push((key, start..end));
            out.values.push(value.trim().to_owned());
            option = Some(indent);
        } else {
            let name = key.last().map_or("", String::as_str);
            return Err(ParseError::new(line_number, format!("option `{name}` is there twice")));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::probes::config::node::flatten;

    #[test]
    fn sections_continued_lines_and_comments() {
        let text = "top = 1\n[train]\n; a comment\nLR = 0.1 ; not a comment\npath: /a\n\nnames =\n  a\n  # no\n  b\n\n[x.y]\n";
        let flat = flatten(&parse(text).unwrap()).unwrap();
        let flat: Vec<String> =
            flat.iter().map(|(path, value)| format!("{} {value}", path.join("/"))).collect();
        let expected = [
            "top \"1\"",
            "train/lr \"0.1 ; not a comment\"",
            "train/names \"\\na\\nb\"",
            "train/path \"/a\"",
            "x.y \"{}\"",
        ];
        assert_eq!(flat, expected);
        assert_eq!(parse("[a]\nb\n").unwrap_err().line, Some(2));
        assert_eq!(parse("[a]\nb=1\nB=2\n").unwrap_err().line, Some(3));
    }
}
