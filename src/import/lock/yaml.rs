//! YAML with every plain scalar as its text: in a lock, `version: 1.10` is a version and not a number.
//!
//! The parser is driven event by event, as in `probes::config::yaml`: its own loader recurses and copies aliases out.

use std::collections::BTreeMap;
use std::rc::Rc;

use yaml_rust2::parser::{Event, Parser};

use crate::error::Error;
use crate::import::Input;

/// How deep lists and tables may be nested.
const DEPTH: usize = 64;
/// How many values a file may hold.
const VALUES: usize = 4_000_000;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) enum Yaml {
    /// A scalar as written.
    Text(String),
    /// A list.
    List(Vec<Rc<Yaml>>),
    /// A table; of a key that is there twice, the last counts.
    Table(BTreeMap<String, Rc<Yaml>>),
}

impl Yaml {
    /// The value at a key.
    pub(in crate::import) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Table(table) => table.get(key).map(Rc::as_ref),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(in crate::import) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text at a key, where it is there and not nothing.
    pub(in crate::import) fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.text().filter(|text| !matches!(*text, "" | "~" | "null"))
    }

    /// The items of a list; none of anything else.
    pub(in crate::import) fn items(&self) -> impl Iterator<Item = &Self> {
        let items: &[Rc<Self>] = match self {
            Self::List(items) => items,
            _ => &[],
        };
        items.iter().map(Rc::as_ref)
    }

    /// The entries of a table, by key; none of anything else.
    pub(in crate::import) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let table = match self {
            Self::Table(table) => Some(table),
            _ => None,
        };
        table.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_ref()))
    }
}

/// A list or table that has begun, with its anchor.
struct Frame {
    anchor: usize,
    key: Option<String>,
    value: Yaml,
    /// How deep what is in it goes: an alias brings its own depth.
    depth: usize,
}

/// The first document of a YAML dump.
///
/// # Errors
/// The line that is not YAML, or goes too deep.
pub(in crate::import) fn parse(input: &Input<'_>) -> Result<Yaml, Error> {
    read(input.text).map_err(|(line, what)| super::fault(input, Some(line), what))
}

/// The first document of a text, or the line and what is wrong there.
pub(in crate::import) fn read(text: &str) -> Result<Yaml, (usize, String)> {
    let mut parser = Parser::new_from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Frame> = Vec::new();
    let mut anchors: BTreeMap<usize, (Rc<Yaml>, usize)> = BTreeMap::new();
    let mut values = 0_usize;
    loop {
        let (event, mark) =
            parser.next_token().map_err(|e| (e.marker().line(), format!("not YAML: {}", e.info())))?;
        let at = |what: &str| (mark.line(), what.to_owned());
        values += 1;
        if values > VALUES {
            return Err(at("holds too many values"));
        }
        let (value, depth, anchor) = match event {
            Event::StreamEnd => return Ok(Yaml::Table(BTreeMap::new())),
            Event::Scalar(text, _, anchor, _) => (Rc::new(Yaml::Text(text)), 0, anchor),
            Event::Alias(anchor) => {
                let known = anchors.get(&anchor).cloned();
                let (value, depth) = known.ok_or_else(|| at("an alias inside what it stands for"))?;
                (value, depth, 0)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH => {
                return Err(at("nested too deeply"));
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Frame { anchor, key: None, value: Yaml::List(Vec::new()), depth: 0 });
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Frame { anchor, key: None, value: Yaml::Table(BTreeMap::new()), depth: 0 });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(frame) => (Rc::new(frame.value), frame.depth + 1, frame.anchor),
                None => continue,
            },
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, (Rc::clone(&value), depth));
        }
        if depth > DEPTH {
            return Err(at("nested too deeply"));
        }
        match open.last_mut() {
            None => return Ok(Rc::unwrap_or_clone(value)),
            Some(frame) => {
                frame.depth = frame.depth.max(depth);
                match (&mut frame.value, frame.key.take()) {
                    (Yaml::List(items), _) => items.push(value),
                    (Yaml::Table(table), Some(key)) => {
                        table.insert(key, value);
                    }
                    (Yaml::Table(_), None) => {
                        let key = value.text().ok_or_else(|| at("a key that is a list or a table"))?;
                        frame.key = Some(key.to_owned());
                    }
                    (Yaml::Text(_), _) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_stay_as_they_are_written() {
        let yaml = read("version: 1.10\nlist:\n- a: yes\n- &x b\n- *x\nempty:\n").expect("YAML");
        assert_eq!(yaml.str("version"), Some("1.10"));
        assert_eq!(yaml.str("empty"), None);
        let list = yaml.get("list").expect("a list");
        let items: Vec<&Yaml> = list.items().collect();
        assert_eq!((items.len(), items[0].str("a"), items[2].text()), (3, Some("yes"), Some("b")));
    }

    #[test]
    fn hostile_texts_are_refused() {
        let bomb: String = (0..40).map(|i| format!("a{}: &a{} [*a{i}, *a{i}]\n", i + 1, i + 1)).collect();
        assert!(read(&format!("a0: &a0 x\n{bomb}")).is_ok(), "shared, not copied");
        let chain: String = (0..100_000).map(|i| format!("a{}: &a{} [*a{i}]\n", i + 1, i + 1)).collect();
        assert!(read(&format!("a0: &a0 x\n{chain}")).is_err(), "as deep as the chain is long");
        for text in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            "a: &x [*x]".into(),
            "{a: [}".into(),
            "? [a]\n: b".into(),
        ] {
            assert!(read(&text).is_err(), "{}", &text[..8]);
        }
    }
}
