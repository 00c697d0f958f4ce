//! Whether two values of a fact are the same, by the comparison that the fact declares.

use std::cmp::Ordering;

use super::version;
use crate::explain::rule::Part;
use crate::facts::Compare;
use crate::snapshot::Value;

/// Whether two values are the same.
pub fn same(how: Compare, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    match (how, a, b) {
        (Compare::Set, Value::List(a), Value::List(b)) => sorted(a) == sorted(b),
        (Compare::Version, Value::Str(a), Value::Str(b)) => version::compare(a, b) == Ordering::Equal,
        (Compare::Number, _, _) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        (Compare::Text, Value::Str(a), Value::Str(b)) => a.lines().eq(b.lines()),
        _ => false,
    }
}

/// How far a version moved; `None` for anything that is no version.
pub fn step(how: Compare, a: &Value, b: &Value) -> Option<Part> {
    match (how, a, b) {
        (Compare::Version, Value::Str(a), Value::Str(b)) => version::step(a, b),
        _ => None,
    }
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    texts
}

fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}
