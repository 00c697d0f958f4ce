//! A configuration file as a tree, whatever its format, and the tree as flat facts.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::snapshot::Value;

/// How deep tables and lists may be nested.
pub(super) const DEPTH: usize = 64;

/// How many values one file may hold, aliases written out.
pub(super) const VALUES: usize = 100_000;

/// Why a text is not a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseError {
    /// The line, from 1, where it can be named.
    pub(super) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
}

impl ParseError {
    pub(super) fn new(line: impl Into<Option<usize>>, what: impl ToString) -> Self {
        Self { line: line.into(), what: what.to_string() }
    }

    pub(super) fn too_deep(line: impl Into<Option<usize>>) -> Self {
        Self::new(line, format!("nested deeper than {DEPTH} levels"))
    }

    pub(super) fn too_many(line: impl Into<Option<usize>>) -> Self {
        Self::new(line, format!("holds more than {VALUES} values"))
    }
}

/// A value of a configuration file. YAML's anchors share nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Rc<Node>>),
    Table(BTreeMap<String, Rc<Node>>),
}

/// Stands for a value that is given as nothing, which is not the same as not given.
const NULL: &str = "null";
/// Stands for a table without keys, which is not the same as no table.
const EMPTY: &str = "{}";
/// Stands for the float that is not a number: TOML's `nan` compares unequal to itself.
const NAN: &str = "nan";

impl Node {
    pub(super) fn null() -> Self {
        Self::Leaf(NULL.into())
    }

    /// A text. One that reads as a stand-in is kept with quotes around it, so that the two differ.
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Leaf(Value::Str(if [NULL, EMPTY, NAN].contains(&text.as_str()) {
            format!("\"{text}\"")
        } else {
            text
        }))
    }

    pub(super) fn float(number: f64) -> Self {
        Self::Leaf(if number.is_nan() { NAN.into() } else { Value::Float(number) })
    }

    /// The value as one fact: a leaf, or a list of such. `None` where there is a table in it.
    fn value(&self) -> Option<Value> {
        match self {
            Self::Leaf(value) => Some(value.clone()),
            Self::List(items) => {
                items.iter().map(|item| item.value()).collect::<Option<_>>().map(Value::List)
            }
            Self::Table(_) => None,
        }
    }
}

/// The values of a file by their keys: lists of plain values whole, lists with tables in them by index.
pub(super) fn flatten(root: &Node) -> Result<Vec<(Vec<String>, Value)>, ParseError> {
    let mut out = Vec::new();
    match root {
        Node::Leaf(value) if value.as_str() == Some(NULL) => {}
        Node::Leaf(_) => return Err(ParseError::new(None, "holds a single value and no keys")),
        other => below(other, &mut Vec::new(), &mut out)?,
    }
    Ok(out)
}

fn below(node: &Node, at: &mut Vec<String>, out: &mut Vec<(Vec<String>, Value)>) -> Result<(), ParseError> {
    if at.len() > DEPTH {
        return Err(ParseError::too_deep(None));
    }
    let entries: Vec<(String, &Rc<Node>)> = match node {
        Node::Table(entries) => entries.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Node::List(items) => items.iter().enumerate().map(|(i, child)| (i.to_string(), child)).collect(),
        Node::Leaf(_) => Vec::new(),
    };
    for (key, child) in entries {
        at.push(key);
        let whole = match child.as_ref() {
            Node::Table(entries) if entries.is_empty() => Some(EMPTY.into()),
            other => other.value(),
        };
        match whole {
            Some(value) => out.push((at.clone(), value)),
            None => below(child, at, out)?,
        }
        at.pop();
        if out.len() > VALUES {
            return Err(ParseError::too_many(None));
        }
    }
    Ok(())
}
