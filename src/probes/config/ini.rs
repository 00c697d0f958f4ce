//! INI as Python's `configparser` reads it: every value is text, names of options are lower case.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::node::{Node, ParseError};

/// Parses an INI text. Options before the first section are kept at the top, `%(name)s` is kept as it stands, and the
/// options of `[DEFAULT]` are not copied into the other sections.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut top: BTreeMap<String, String> = BTreeMap::new();
    let mut section: Option<String> = None;
    // The option that an indented line continues, and how far it is indented itself.
    let mut option: Option<(String, usize)> = None;
    for (i, line) in text.lines().enumerate() {
        let (line_number, trimmed) = (i + 1, line.trim());
        let options = match &section {
            Some(name) => sections.entry(name.clone()).or_default(),
            None => &mut top,
        };
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if let Some(value) = option.as_ref().filter(|(_, at)| trimmed.is_empty() || indent > *at) {
            if let Some(value) = options.get_mut(&value.0) {
                value.push('\n');
                value.push_str(trimmed);
            }
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.rsplit_once(']')).map(|(name, _)| name) {
            if sections.insert(name.to_owned(), BTreeMap::new()).is_some() {
                return Err(ParseError::new(line_number, format!("section `{name}` is there twice")));
            }
            (section, option) = (Some(name.to_owned()), None);
            continue;
        }
        let (name, value) = trimmed
            .split_once(['=', ':'])
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| ParseError::new(line_number, "neither `[section]` nor `name = value`"))?;
        let name = name.trim().to_lowercase();
        if options.insert(name.clone(), value.trim().to_owned()).is_some() {
            return Err(ParseError::new(line_number, format!("option `{name}` is there twice")));
        }
        option = Some((name, indent));
    }
    let mut table = table(top);
    for (name, options) in sections {
        if table.insert(name.clone(), Rc::new(Node::Table(self::table(options)))).is_some() {
            return Err(ParseError::new(None, format!("`{name}` is both an option and a section")));
        }
    }
    Ok(Node::Table(table))
}

fn table(options: BTreeMap<String, String>) -> BTreeMap<String, Rc<Node>> {
    options.into_iter().map(|(name, value)| (name, Rc::new(Node::text(value.trim_end())))).collect()
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
