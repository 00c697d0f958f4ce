//! YAML as Python training programs read it.
//!
//! Plain scalars get the type that PyYAML's `SafeLoader` gives them, so `yes` is a truth value and `010` is eight,
//! with OmegaConf's and Hydra's wider notion of a float, so `1e-3` is a number and not a text.
//! The parser is driven event by event: its own loader recurses, and a stranger's file may nest a million brackets.

use std::collections::BTreeMap;
use std::rc::Rc;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use super::node::{DEPTH, Node, ParseError, VALUES};
use crate::snapshot::Value;

/// The documents of a YAML text.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, ParseError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    loop {
        let (event, mark) = parser.next_token().map_err(|e| ParseError::new(e.marker().line(), e.info()))?;
        let line = mark.line();
        match event {
            Event::StreamEnd => return Ok(builder.documents),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == TScalarStyle::Plain;
                let merge = plain && tag.is_none() && text == "<<";
                let node = scalar(&text, plain, tag.as_ref());
                let key = if merge { Key::Merge } else { Key::Text(text) };
                builder.finish(Built { node: Rc::new(node), depth: 0, size: 1 }, anchor, Some(key), line)?;
            }
            Event::Alias(anchor) => {
                let built = builder.anchors.get(&anchor).cloned();
                let built =
                    built.ok_or_else(|| ParseError::new(line, "an alias inside what it stands for"))?;
                let key = match built.node.as_ref() {
                    Node::Leaf(value) => Some(Key::Text(value.plain())),
                    _ => None,
                };
                builder.finish(built, 0, key, line)?;
            }
            Event::SequenceStart(anchor, tag) => builder.open(Frame::new(anchor, tag, false), line)?,
            Event::MappingStart(anchor, tag) => builder.open(Frame::new(anchor, tag, true), line)?,
            Event::SequenceEnd | Event::MappingEnd => builder.close(line)?,
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => {}
        }
    }
}

/// A finished node, how deep it is and how many values it holds with its aliases written out.
#[derive(Clone)]
struct Built {
    node: Rc<Node>,
    depth: usize,
    size: usize,
}

enum Key {
    Text(String),
    /// `<<`: the entries of the table, or of the tables in the list, that follows.
    Merge,
}

/// A list or table that has begun and not ended.
struct Frame {
    anchor: usize,
    tag: Option<Tag>,
    is_table: bool,
    key: Option<Key>,
    list: Vec<Rc<Node>>,
    table: BTreeMap<String, Rc<Node>>,
    merged: Vec<Rc<Node>>,
    depth: usize,
    size: usize,
}

impl Frame {
    fn new(anchor: usize, tag: Option<Tag>, is_table: bool) -> Self {
        let (list, table, merged) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { anchor, tag, is_table, key: None, list, table, merged, depth: 0, size: 1 }
    }
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Built>,
    /// Entries copied by merge keys so far.
    copied: usize,
}

impl Builder {
    fn open(&mut self, frame: Frame, line: usize) -> Result<(), ParseError> {
        if self.open.len() >= DEPTH {
            return Err(ParseError::too_deep(line));
        }
        self.open.push(frame);
        Ok(())
    }

    /// Puts a finished node where it belongs. `key` is what it would be as a key, where it can be one.
    fn finish(
        &mut self,
        built: Built,
        anchor: usize,
        key: Option<Key>,
        line: usize,
    ) -> Result<(), ParseError> {
        if anchor > 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(frame) = self.open.last_mut() else {
            self.documents.push(Rc::unwrap_or_clone(built.node));
            return Ok(());
        };
        if frame.is_table && frame.key.is_none() {
            let key = key.ok_or_else(|| ParseError::new(line, "a key that is a list or a table"))?;
            frame.key = Some(key);
            return Ok(());
        }
        // An alias can be deeper and larger than its own line, each building on the one before.
        frame.depth = frame.depth.max(built.depth + 1);
        frame.size = frame.size.saturating_add(built.size);
        if frame.depth > DEPTH {
            return Err(ParseError::too_deep(line));
        }
        if frame.size > VALUES {
            return Err(ParseError::too_many(line));
        }
        match frame.key.take() {
            Some(Key::Text(key)) => {
                frame.table.insert(key, built.node);
            }
            Some(Key::Merge) => match built.node.as_ref() {
                Node::List(tables) => frame.merged.extend(tables.iter().cloned()),
                _ => frame.merged.push(built.node),
            },
            None => frame.list.push(built.node),
        }
        Ok(())
    }

    fn close(&mut self, line: usize) -> Result<(), ParseError> {
        let Some(mut frame) = self.open.pop() else {
            return Ok(());
        };
        // Keys of the table itself win, then earlier tables over later ones (yaml.org/type/merge.html).
        for merged in std::mem::take(&mut frame.merged) {
            let Node::Table(entries) = merged.as_ref() else {
                return Err(ParseError::new(line, "`<<` takes a table or a list of tables"));
            };
            self.copied = self.copied.saturating_add(entries.len());
            if self.copied > VALUES {
                return Err(ParseError::too_many(line));
            }
            for (key, node) in entries {
                frame.table.entry(key.clone()).or_insert_with(|| Rc::clone(node));
            }
        }
        let tag = frame.tag.as_ref().and_then(foreign);
        let node = match tag {
            None if frame.is_table => Node::Table(frame.table),
            None => Node::List(frame.list),
            Some(tag) => {
                let items = frame.list.into_iter().enumerate().map(|(i, item)| (i.to_string(), item));
                let tag = ("!".to_owned(), Rc::new(Node::text(tag)));
                Node::Table(frame.table.into_iter().chain(items).chain([tag]).collect())
            }
        };
        self.finish(
            Built { node: Rc::new(node), depth: frame.depth, size: frame.size },
            frame.anchor,
            None,
            line,
        )
    }
}

const CORE: &str = "tag:yaml.org,2002:";

/// A tag that says more than the value's own kind.
fn foreign(tag: &Tag) -> Option<String> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    match full.strip_prefix(CORE) {
        Some("map" | "seq" | "str" | "python/tuple" | "python/list" | "python/dict") => None,
        Some(other) => Some(format!("!!{other}")),
        None if full == "!" => None,
        None => Some(full),
    }
}

fn scalar(text: &str, plain: bool, tag: Option<&Tag>) -> Node {
    let Some(tag) = tag else {
        return if plain { resolve(text) } else { Node::text(text) };
    };
    match tag.handle.strip_prefix(CORE).map(|rest| format!("{rest}{}", tag.suffix)).as_deref() {
        Some("str" | "python/str") => Node::text(text),
        Some("int" | "bool" | "null") => resolve(text),
        Some("float") => match resolve(text) {
            Node::Leaf(Value::Int(number)) => Node::float(number as f64),
            other => other,
        },
        _ => match foreign(tag) {
            Some(tag) => Node::text(format!("{tag} {text}").trim_end()),
            None => Node::text(text),
        },
    }
}

/// The value of a plain scalar.
fn resolve(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::null(),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Node::Leaf(true.into()),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Node::Leaf(false.into()),
        ".nan" | ".NaN" | ".NAN" => Node::float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Node::float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Node::float(f64::NEG_INFINITY),
        _ => integer(text).or_else(|| float(text)).unwrap_or_else(|| Node::text(text)),
    }
}

/// `-12`, `1_000`, `0x1F`, `0b101`, `017`; base 60 (`1:30`) stays text, since nobody means it.
fn integer(text: &str) -> Option<Node> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0'] => (10, digits),
        [b'0', b'x', ..] => (16, digits.get(2..)?),
        [b'0', b'b', ..] => (2, digits.get(2..)?),
        [b'0', ..] => (8, digits.get(1..)?),
        [b'1'..=b'9', ..] => (10, digits),
        _ => return None,
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix).map(Value::Int);
    // A seed above 2^63 keeps its digits.
    Some(Node::Leaf(number.unwrap_or_else(|_| text.trim_start_matches('+').replace('_', "").into())))
}

/// `0.1`, `1.`, `.5`, `1e-3`, `1_0.5E+3`.
fn float(text: &str) -> Option<Node> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let number = mantissa.contains('.') || exponent.is_some();
    let some = whole.bytes().chain(fraction.bytes()).any(|b| b.is_ascii_digit());
    let power = exponent.is_none_or(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()));
    if !(number && some && power && digits(whole) && digits(fraction)) {
        return None;
    }
    text.replace('_', "").parse().ok().map(Node::float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Value {
        match resolve(text) {
            Node::Leaf(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_scalars_have_the_type_that_python_gives_them() {
        // What OmegaConf.create of omegaconf 2.4.0 gives, and but for 1e-3 yaml.safe_load of PyYAML 6.0.3.
        for (text, value) in [
            ("1e-3", Value::Float(0.001)),
            ("0.001", Value::Float(0.001)),
            ("1.e+3", Value::Float(1000.0)),
            (".5", Value::Float(0.5)),
            ("1", Value::Int(1)),
            ("1.0", Value::Float(1.0)),
            ("1_000", Value::Int(1000)),
            ("010", Value::Int(8)),
            ("0x1F", Value::Int(31)),
            ("-0b11", Value::Int(-3)),
            ("0", Value::Int(0)),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("18446744073709551615", "18446744073709551615".into()),
            ("yes", true.into()),
            ("~", "null".into()),
            (".nan", "nan".into()),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
        ] {
            assert_eq!(one(text), value, "{text}");
        }
        for text in [
            "08",
            "1:30",
            "e5",
            "_1",
            ".",
            "-",
            "+",
            "1e",
            "1e-",
            "1.2.3",
            "2024-01-02",
            "0o17",
            "0x",
            "y",
            "inf",
        ] {
            assert_eq!(one(text), text.into());
        }
    }
}
