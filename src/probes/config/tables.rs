//! TOML.

use std::rc::Rc;

use super::node::{Node, ParseError};

/// Parses a TOML text; dates and times are kept as text.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let table: toml::Table = toml::from_str(text).map_err(|e| {
        let line =
            e.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        ParseError::new(line, e.message())
    })?;
    Ok(node(toml::Value::Table(table)))
}

/// The recursion is bounded by the parser, which refuses more than 80 levels.
fn node(value: toml::Value) -> Node {
    match value {
        toml::Value::String(text) => Node::text(text),
        toml::Value::Integer(number) => Node::Leaf(number.into()),
        toml::Value::Float(number) => Node::float(number),
        toml::Value::Boolean(truth) => Node::Leaf(truth.into()),
        toml::Value::Datetime(date) => Node::text(date.to_string()),
        toml::Value::Array(items) => Node::List(items.into_iter().map(|item| Rc::new(node(item))).collect()),
        toml::Value::Table(entries) => {
            Node::Table(entries.into_iter().map(|(key, v)| (key, Rc::new(node(v)))).collect())
        }
    }
}
