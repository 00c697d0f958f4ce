//! JSON, with the constants that Python's `json` adds.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value as Json;

use super::node::{Node, ParseError};

/// What Python's `json` writes for the floats that JSON lacks; the longer word first.
const CONSTANTS: [(&str, f64); 3] =
    [("-Infinity", f64::NEG_INFINITY), ("Infinity", f64::INFINITY), ("NaN", f64::NAN)];

/// Before such a word, in a text that stands for the constant. No configuration holds it.
const MARK: char = '\u{1}';

/// Parses a JSON text; of a key that is there twice, the last one counts, as in Python.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    if text.trim().is_empty() {
        return Ok(Node::null());
    }
    let value: Json = serde_json::from_str(&constants(text)).map_err(|e| {
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        ParseError::new(e.line(), what)
    })?;
    Ok(node(value))
}

/// The recursion is bounded by the parser, which refuses more than 128 levels.
fn node(value: Json) -> Node {
    match value {
        Json::Null => Node::null(),
        Json::Bool(truth) => Node::Leaf(truth.into()),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Node::Leaf(number.into()),
            (None, Some(number)) => Node::Leaf(number.into()),
            (None, None) => number.as_f64().map_or_else(|| Node::text(number.to_string()), Node::float),
        },
        Json::String(text) => {
            let word = text.strip_prefix(MARK);
            match CONSTANTS.iter().find(|(constant, _)| word == Some(constant)) {
                Some((_, number)) => Node::float(*number),
                None => Node::text(text),
            }
        }
        Json::Array(items) => Node::List(items.into_iter().map(|item| Rc::new(node(item))).collect()),
        Json::Object(entries) => {
            Node::Table(entries.into_iter().map(|(key, v)| (key, Rc::new(node(v)))).collect())
        }
    }
}

/// The text with `NaN`, `Infinity` and `-Infinity` outside strings as texts that stand for them.
fn constants(text: &str) -> Cow<'_, str> {
    if !["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(first) = rest.chars().next() {
        let constant = CONSTANTS.iter().find(|(word, _)| !quoted && rest.starts_with(word));
        let taken = match constant {
            Some((word, _)) => {
                out.push_str(&format!("\"\\u{:04x}{word}\"", MARK as u32));
                word.len()
            }
            None => {
                quoted ^= first == '"';
                // An escape inside a string is two characters, and the second may be a quote.
                let escape =
                    if quoted && first == '\\' { rest.chars().nth(1).map_or(0, char::len_utf8) } else { 0 };
                let len = first.len_utf8() + escape;
                out.push_str(rest.get(..len).unwrap_or_default());
                len
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    #[test]
    fn constants_of_python_are_numbers_only_outside_text() {
        let parsed = parse(r#"{"a": [NaN, -Infinity], "b": "NaN \" Infinity"}"#);
        let Ok(Node::Table(table)) = parsed else { panic!("{parsed:?}") };
        assert_eq!(*table["b"], Node::text("NaN \" Infinity"));
        let list = vec![Rc::new(Node::float(f64::NAN)), Rc::new(Node::Leaf(Value::Float(f64::NEG_INFINITY)))];
        assert_eq!(*table["a"], Node::List(list));
    }
}
