//! Facts that must be so, whatever the lock says: `git.dirty = false`, `gpu.count = 8`.

use crate::diff::compare;
use crate::explain::pattern::Pattern;
use crate::facts::{self, Compare};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// One of them.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The facts, as they are written.
    pub name: String,
    /// The same.
    pub facts: Pattern,
    /// What must be so.
    pub must: Must,
    /// The line of the policy.
    pub line: usize,
}

/// What must be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Must {
    /// This value.
    Be(Value),
    /// One of these.
    BeOneOf(Vec<Value>),
    /// A number from the first to the second, both included.
    BeWithin(Option<f64>, Option<f64>),
    /// Any value.
    BeThere,
    /// No value.
    BeAbsent,
}

/// A fact that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The fact.
    pub path: FactPath,
    /// What it is; `None` is absent.
    pub found: Option<Value>,
    /// Why it could not be looked at, where that is so.
    pub unknown: Option<String>,
}

impl Requirement {
    /// The facts that are not as they must be, in order.
    pub fn broken(&self, snapshot: &Snapshot) -> Vec<Broken> {
        let paths = match self.facts.literal() {
            Some(path) => vec![path],
            None => {
                let all = [&snapshot.facts, &snapshot.private, &snapshot.volatile];
                let mut paths: Vec<FactPath> = all
                    .into_iter()
                    .flat_map(|facts| self.facts.within(facts))
                    .filter(|p| self.facts.matches(p))
                    .cloned()
                    .collect();
                paths.sort();
                // With nothing to look at, a condition on every GPU is one on none.
                if paths.is_empty() {
                    paths.extend(self.name.parse::<FactPath>().ok());
                }
                paths
            }
        };
        paths.into_iter().filter_map(|path| self.check(path, snapshot)).collect()
    }

    fn check(&self, path: FactPath, snapshot: &Snapshot) -> Option<Broken> {
        let (found, unknown) = match snapshot.look(&path) {
            Looked::Value(value) => (Some(value.clone()), None),
            Looked::Absent => (None, None),
            Looked::Unknown(why) => (None, Some(why.to_owned())),
        };
        let fits = match (&self.must, &found) {
            (_, None) if unknown.is_some() => false,
            (Must::BeAbsent, found) => found.is_none(),
            (Must::BeThere, found) => found.is_some(),
            (_, None) => false,
            (Must::Be(wanted), Some(found)) => same(&path, wanted, found),
            (Must::BeOneOf(list), Some(found)) => list.iter().any(|wanted| same(&path, wanted, found)),
            (Must::BeWithin(low, high), Some(found)) => number(found)
                .is_some_and(|n| low.is_none_or(|low| n >= low) && high.is_none_or(|high| n <= high)),
        };
        (!fits).then_some(Broken { path, found, unknown })
    }

    /// In words: `8`, `one of a, b`, `at least 4`.
    pub fn words(&self) -> String {
        match &self.must {
            Must::Be(value) => value.plain(),
            Must::BeOneOf(list) => {
                format!("one of {}", list.iter().map(Value::plain).collect::<Vec<_>>().join(", "))
            }
            Must::BeWithin(Some(low), Some(high)) => format!("from {low} to {high}"),
            Must::BeWithin(Some(low), None) => format!("at least {low}"),
            Must::BeWithin(None, Some(high)) => format!("at most {high}"),
            Must::BeWithin(None, None) | Must::BeThere => "there".to_owned(),
            Must::BeAbsent => "absent".to_owned(),
        }
    }
}

/// Whether two values are the same as the fact compares them; text fits a pattern with `*`.
fn same(path: &FactPath, wanted: &Value, found: &Value) -> bool {
    let how = facts::find(path).map_or(Compare::Exact, |fact| fact.compare);
    match (wanted, found) {
        (Value::Str(pattern), Value::Str(text)) if pattern.contains('*') => {
            crate::explain::pattern::glob(pattern, text)
        }
        (Value::Str(_), Value::Str(_)) => compare::same(how, wanted, found),
        // `OMP_NUM_THREADS = 8`: a variable is text, and nobody writes it so.
        (_, Value::Str(text)) => wanted.plain() == *text,
        _ => compare::same(how, wanted, found) || number(wanted).is_some_and(|n| number(found) == Some(n)),
    }
}

/// The number that a value is.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "sizes below 2^53 bytes, and a tolerance is no exact thing"
        )]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}
