//! Conditions over one or two snapshots, in three-valued logic: a statement on an unknown fact is undecided.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use regex::Regex;

use super::pattern::Pattern;
use super::rule::{Condition, Is, Operator, Part, Predicate, Scalar, Side, Values};
use crate::diff::{compare, how, version};
use crate::facts::Compare;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// True, false, or `None`: undecided.
pub type Truth = Option<bool>;

/// What a condition looks at: both sides of a pair, or one snapshot as both.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The first side.
    pub a: &'a Snapshot,
    /// The second; the same as the first for a condition on one snapshot.
    pub b: &'a Snapshot,
    /// The rule's own defaults and spellings.
    pub values: &'a [(&'a Pattern, &'a Values)],
    /// What `{fact}` stands for.
    pub fact: Option<&'a FactPath>,
    /// What `{1}` stands for: the segment of that fact where the rule's pattern has its first `*`.
    pub star: Option<&'a str>,
}

/// A fact of one side as a rule sees it.
#[derive(Clone, Debug, PartialEq)]
enum Seen<'a> {
    Value(Cow<'a, Value>),
    Absent,
    Unknown,
}

impl<'a> View<'a> {
    /// Whether the condition holds.
    pub fn holds(&self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(list) => and(list.iter().map(|c| self.holds(c))),
            Condition::Any(list) => or(list.iter().map(|c| self.holds(c))),
            Condition::Not(inner) => self.holds(inner).map(|t| !t),
            Condition::Fact(predicate) => self.predicate(predicate),
        }
    }

    /// Whether a fact differs once the rule's defaults and spellings are put in.
    pub fn changed(&self, path: &FactPath) -> Truth {
        match (self.seen(self.a, path), self.seen(self.b, path)) {
            (Seen::Unknown, _) | (_, Seen::Unknown) => None,
            (Seen::Value(x), Seen::Value(y)) => Some(!self.same(path, &x, &y)),
            (x, y) => Some(x != y),
        }
    }

    fn same(&self, path: &FactPath, x: &Value, y: &Value) -> bool {
        let spelled = |set: &Vec<Scalar>| [x, y].iter().all(|v| set.iter().any(|s| equals(v, s)));
        compare::same(how(path), x, y) || self.values_of(path).is_some_and(|v| v.same.iter().any(spelled))
    }

    fn values_of(&self, path: &FactPath) -> Option<&Values> {
        self.values.iter().find(|(p, _)| p.matches(path)).map(|(_, v)| *v)
    }

    fn seen(&self, side: &'a Snapshot, path: &FactPath) -> Seen<'a> {
        match side.look(path) {
            Looked::Value(value) => Seen::Value(Cow::Borrowed(value)),
            Looked::Unknown(_) => Seen::Unknown,
            Looked::Absent => match self.values_of(path).and_then(|v| v.absent.as_ref()) {
                Some(default) => Seen::Value(Cow::Owned(value_of(default))),
                None => Seen::Absent,
            },
        }
    }

    fn predicate(&self, predicate: &Predicate) -> Truth {
        match self.star {
            // Quoted where the name needs it, as a part of a path.
            Some(star) if predicate.fact.contains("{1}") => {
                let star = FactPath::new([star]).to_string();
                self.on_named(&Named::new(&predicate.fact.replace("{1}", &star)), predicate)
            }
            _ => self.on_named(&named(&predicate.fact), predicate),
        }
    }

    fn on_named(&self, named: &Named, predicate: &Predicate) -> Truth {
        match named {
            Named::One(path) => self.on(path, predicate),
            Named::Any(pattern) => self.on_any(pattern, predicate),
        }
    }

    /// A pattern holds where it holds for any fact that it names; where it names none, the statement is about
    /// something absent, or unknown if that part of a snapshot could not be looked at.
    fn on_any(&self, pattern: &Pattern, predicate: &Predicate) -> Truth {
        let mut paths = BTreeSet::new();
        let sides: &[&Snapshot] = if std::ptr::eq(self.a, self.b) { &[self.a] } else { &[self.a, self.b] };
        for side in sides {
            for facts in [&side.facts, &side.private, &side.volatile, &side.meta] {
                paths.extend(pattern.within(facts).filter(|p| pattern.matches(p)));
            }
        }
        if paths.is_empty() {
            let hidden = |side: &Snapshot| {
                side.unknown.keys().any(|p| pattern.reaches_into(p))
                    || pattern.section().is_some_and(|s| !side.sections.contains(s) && s != "meta")
            };
            return match predicate.operator {
                _ if hidden(self.a) || hidden(self.b) => match predicate.operator {
                    Operator::Is(Is::Unknown) => Some(true),
                    _ => None,
                },
                Operator::Is(is) => Some(is == Is::Absent),
                Operator::Changed(changed) => Some(!changed),
                _ => Some(false),
            };
        }
        match &predicate.operator {
            Operator::Several => Some([self.a, self.b].into_iter().any(|side| {
                let values = paths.iter().filter_map(|p| match self.seen(side, p) {
                    Seen::Value(value) => Some(value.plain()),
                    _ => None,
                });
                values.collect::<BTreeSet<_>>().len() > 1
            })),
            // `changed = false` and `is = "absent"` speak of all that the pattern names.
            Operator::Changed(false) | Operator::Is(Is::Absent) => {
                and(paths.into_iter().map(|p| self.on(p, predicate)))
            }
            _ => or(paths.into_iter().map(|p| self.on(p, predicate))),
        }
    }

    fn on(&self, path: &FactPath, predicate: &Predicate) -> Truth {
        match &predicate.operator {
            Operator::Changed(wanted) => self.changed(path).map(|c| c == *wanted),
            Operator::ChangedBy(part) => self.pair(path, |x, y| changed_by(path, *part, x, y)),
            Operator::Crosses(at) => self.pair(path, |x, y| {
                let (x, y) = (at_least(path, x, at)?, at_least(path, y, at)?);
                Some(x != y)
            }),
            operator => {
                let on = |side| match operator {
                    Operator::Above { fact, unit } => self.above(side, path, fact, *unit),
                    operator => self.value(path, self.seen(side, path), operator),
                };
                match predicate.side {
                    Side::A => on(self.a),
                    Side::B => on(self.b),
                    Side::Either => or([on(self.a), on(self.b)].into_iter()),
                    Side::Both => and([on(self.a), on(self.b)].into_iter()),
                }
            }
        }
    }

    /// Whether a number is above another fact's; false where either is absent.
    fn above(&self, side: &'a Snapshot, path: &FactPath, other: &str, unit: i64) -> Truth {
        let number = |path: &FactPath| match self.seen(side, path) {
            Seen::Value(value) => Some(value.plain().trim().parse::<i64>().ok()),
            Seen::Absent => Some(None),
            Seen::Unknown => None,
        };
        let other: FactPath = other.parse().unwrap_or_else(|_| FactPath::new(other.split('.')));
        match (number(path)?, number(&other)?) {
            (Some(x), Some(y)) => Some(x > y.saturating_add(unit - 1).div_euclid(unit)),
            _ => Some(false),
        }
    }

    /// A statement on two values; false where a side has none.
    fn pair(&self, path: &FactPath, judge: impl Fn(&Value, &Value) -> Truth) -> Truth {
        match (self.seen(self.a, path), self.seen(self.b, path)) {
            (Seen::Value(x), Seen::Value(y)) => judge(&x, &y),
            (Seen::Unknown, _) | (_, Seen::Unknown) => None,
            _ => Some(false),
        }
    }

    fn value(&self, path: &FactPath, seen: Seen<'_>, operator: &Operator) -> Truth {
        if let Operator::Is(is) = operator {
            return Some(match seen {
                Seen::Value(_) => *is == Is::Present,
                Seen::Absent => *is == Is::Absent,
                Seen::Unknown => *is == Is::Unknown,
            });
        }
        let value = match seen {
            Seen::Value(value) => value,
            Seen::Absent => return Some(false),
            Seen::Unknown => return None,
        };
        match operator {
            Operator::Equals(wanted) => Some(self.equal(path, &value, wanted)),
            Operator::OneOf(wanted) => Some(wanted.iter().any(|w| self.equal(path, &value, w))),
            Operator::AtLeast(at) => at_least(path, &value, at),
            Operator::Below(at) => at_least(path, &value, at).map(|t| !t),
            Operator::Matches(pattern) => with_regex(pattern, |regex| match &*value {
                Value::List(items) => items.iter().any(|i| regex.is_match(&i.plain())),
                other => regex.is_match(&other.plain()),
            }),
            Operator::Contains(wanted) => {
                let wanted = match (wanted, self.fact, self.star) {
                    (Scalar::Str(text), Some(fact), _) if text == "{fact}" => Scalar::Str(fact.to_string()),
                    (Scalar::Str(text), _, Some(star)) if text == "{1}" => Scalar::Str(star.to_owned()),
                    (other, _, _) => other.clone(),
                };
                Some(match &*value {
                    Value::List(items) => items.iter().any(|i| equals(i, &wanted)),
                    other => other.plain().contains(&wanted.plain()),
                })
            }
            Operator::Several => Some(match &*value {
                Value::List(items) => items.iter().map(Value::plain).collect::<BTreeSet<_>>().len() > 1,
                _ => false,
            }),
            _ => Some(false),
        }
    }

    /// Equality with a rule's value: its spellings count.
    fn equal(&self, path: &FactPath, value: &Value, wanted: &Scalar) -> bool {
        equals(value, wanted)
            || self.values_of(path).is_some_and(|v| {
                v.same.iter().any(|set| set.contains(wanted) && set.iter().any(|s| equals(value, s)))
            })
    }
}

/// What a predicate names.
enum Named {
    One(FactPath),
    Any(Pattern),
}

impl Named {
    fn new(text: &str) -> Self {
        let pattern = Pattern::new(text);
        pattern.literal().map_or_else(|| Self::Any(pattern), Self::One)
    }
}

/// What a text in a rule names, parsed once: the rules are few, and are asked for every change.
fn named(text: &str) -> Rc<Named> {
    thread_local! {
        static PARSED: RefCell<HashMap<String, Rc<Named>>> = RefCell::new(HashMap::new());
    }
    PARSED.with_borrow_mut(|parsed| match parsed.get(text) {
        Some(named) => Rc::clone(named),
        None => {
            let named = Rc::new(Named::new(text));
            parsed.insert(text.to_owned(), Rc::clone(&named));
            named
        }
    })
}

/// Applies a regular expression, compiled once; `None` where it is none.
fn with_regex(pattern: &str, judge: impl FnOnce(&Regex) -> bool) -> Truth {
    thread_local! {
        static COMPILED: RefCell<BTreeMap<String, Option<Regex>>> = const { RefCell::new(BTreeMap::new()) };
    }
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        compiled.get(pattern)?.as_ref().map(judge)
    })
}

fn changed_by(path: &FactPath, part: Part, x: &Value, y: &Value) -> Truth {
    let step = compare::step(how(path), x, y).or_else(|| version::step(&x.plain(), &y.plain()));
    Some(step.is_some_and(|s| s <= part))
}

/// Three-valued "and".
fn and(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut all = Some(true);
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            None => all = None,
            Some(true) => {}
        }
    }
    all
}

/// Three-valued "or".
fn or(truths: impl Iterator<Item = Truth>) -> Truth {
    and(truths.map(|t| t.map(|t| !t))).map(|t| !t)
}

/// A rule's value as a fact's.
pub fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Str(text) => Value::Str(text.clone()),
        Scalar::Int(number) => Value::Int(*number),
        Scalar::Float(number) => Value::Float(*number),
        Scalar::Bool(truth) => Value::Bool(*truth),
        Scalar::List(items) => Value::List(items.iter().map(value_of).collect()),
    }
}

/// Equality without regard to case and to whether a number is written as text: variables are text, and `"1"` of a
/// variable is `1` of a rule.
fn equals(value: &Value, scalar: &Scalar) -> bool {
    match (value, scalar) {
        (Value::List(a), Scalar::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equals(a, b)),
        _ => value.plain().trim().eq_ignore_ascii_case(scalar.plain().trim()),
    }
}

fn at_least(path: &FactPath, value: &Value, at: &Scalar) -> Truth {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let (x, y) = (value.plain(), at.plain());
    match how(path) {
        Compare::Version => {
            version::is_version(&x).then(|| version::compare_public(&x, &y) != Ordering::Less)
        }
        _ => match (number(&x), number(&y)) {
            (Some(x), Some(y)) => Some(x >= y),
            _ => version::is_version(&x).then(|| version::compare_public(&x, &y) != Ordering::Less),
        },
    }
}
