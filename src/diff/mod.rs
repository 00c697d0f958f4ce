//! Two snapshots to ordered changes. Nothing here prints or judges.

pub mod align;
pub mod compare;
pub mod version;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::explain::rule::Part;
use crate::facts::{self, Compare};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// What differs between two snapshots.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// Every fact that differs, in the order of sections and paths.
    pub changes: Vec<Change>,
    /// Facts that one side has and the other could not look at, in the same order.
    pub unreadable: Vec<Unreadable>,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The fact, by its path in the first snapshot.
    pub path: FactPath,
    /// The value in the first snapshot; `None` is absent.
    pub a: Option<Value>,
    /// The value in the second.
    pub b: Option<Value>,
    /// How far a version moved.
    pub step: Option<Part>,
}

/// How a fact differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only the second side has it.
    Added,
    /// Only the first side has it.
    Removed,
    /// Both have it, with other values.
    Changed,
}

/// A fact that can't be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The fact, or the part of a section that stands for all below it.
    pub path: FactPath,
    /// Why it could not be looked at, the first snapshot first.
    pub why: [Option<String>; 2],
}

impl Change {
    /// How it differs.
    pub fn kind(&self) -> Kind {
        match (&self.a, &self.b) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        }
    }
}

/// How a fact compares: as its catalogue says, exactly where it is not in it.
pub fn how(path: &FactPath) -> Compare {
    facts::find(path).map_or(Compare::Exact, |f| f.compare)
}

/// Compares identity and capacity facts, and those of `reads` whatever their class: the program itself uses them.
///
/// `b` must be [`align::align`]ed to `a`.
pub fn diff(a: &Snapshot, b: &Snapshot, reads: &BTreeSet<FactPath>) -> Diff {
    let mut out = Diff::default();
    // Both are in order, and most facts agree: one walk over both leaves only those that need a look.
    let mut paths: BTreeSet<&FactPath> = reads.iter().collect();
    let (mut left, mut right) = (a.facts.iter().peekable(), b.facts.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((x, _)), Some((y, _))) => x.cmp(y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let x = if order == Ordering::Greater { None } else { left.next() };
        let y = if order == Ordering::Less { None } else { right.next() };
        match (x, y) {
            (Some((_, x)), Some((_, y))) if x == y => {}
            (Some((path, _)), _) | (None, Some((path, _))) => {
                paths.insert(path);
            }
            (None, None) => {}
        }
    }
    for path in paths {
        match (a.look(path), b.look(path)) {
            (Looked::Value(x), Looked::Value(y)) if x == y => {}
            (Looked::Value(x), Looked::Value(y)) => {
                let how = how(path);
                if !compare::same(how, x, y) {
                    out.changes.push(Change {
                        path: path.clone(),
                        a: Some(x.clone()),
                        b: Some(y.clone()),
                        step: compare::step(how, x, y),
                    });
                }
            }
            (Looked::Value(x), Looked::Absent) => {
                out.changes.push(Change { path: path.clone(), a: Some(x.clone()), b: None, step: None });
            }
            (Looked::Absent, Looked::Value(y)) => {
                out.changes.push(Change { path: path.clone(), a: None, b: Some(y.clone()), step: None });
            }
            _ => {}
        }
    }
    out.changes.sort_by(|x, y| order(&x.path).cmp(&order(&y.path)));
    out.unreadable = unreadable(a, b);
    out
}

/// The order of changes: sections as in the file, then paths.
pub fn order(path: &FactPath) -> (usize, &FactPath) {
    let place = crate::snapshot::SECTION_ORDER.iter().position(|s| *s == path.section());
    (place.unwrap_or(usize::MAX), path)
}

/// What either side could not look at and the other could, or neither.
fn unreadable(a: &Snapshot, b: &Snapshot) -> Vec<Unreadable> {
    // Results are compared apart, and a program that was not watched or read is no doubt about its environment.
    let apart = |section: &str| crate::facts::is_result(section) || section == "run" || section == "workload";
    let sections = a.sections.union(&b.sections).filter(|s| !apart(s)).map(|s| FactPath::new([s.as_str()]));
    let missing = sections.filter(|s| !a.sections.contains(s.section()) || !b.sections.contains(s.section()));
    let paths: BTreeSet<FactPath> = a
        .unknown
        .keys()
        .chain(b.unknown.keys())
        .filter(|p| !crate::facts::is_result(p.section()))
        .cloned()
        .chain(missing)
        .collect();
    let why = |s: &Snapshot, path: &FactPath| match s.look(path) {
        Looked::Unknown(why) => Some(why.to_owned()),
        _ => None,
    };
    let mut out: Vec<Unreadable> = paths
        .into_iter()
        .map(|path| Unreadable { why: [why(a, &path), why(b, &path)], path })
        .filter(|u| u.why.iter().any(Option::is_some))
        .collect();
    out.sort_by(|x, y| order(&x.path).cmp(&order(&y.path)));
    out
}
