//! One rule over a pair, or over one side.

use std::collections::BTreeMap;

use super::Scope;
use super::catalogue::{Catalogue, Compiled};
use super::evaluate::View;
use super::rule::{Confidence, Effect, On};
use crate::diff::Diff;
use crate::snapshot::{FactPath, Snapshot};

/// What a rule says of the changes that it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is raised with this confidence; `None` where its condition stays undecided.
    Raised(Option<Confidence>),
    /// It would be, if this run used what the rule is about.
    OutOfScope,
    /// Its condition does not hold: for this rule the change has no effect.
    Harmless,
    /// A fact that it needs is unknown, and it wants to be silent then.
    Silent,
}

/// What a rule says, change by change: indices into [`Diff::changes`].
pub type Rulings = BTreeMap<usize, Ruling>;

/// What every rule says of a pair; rules that speak for none of the changes are left out.
pub fn pair(
    rules: &Catalogue,
    a: &Snapshot,
    b: &Snapshot,
    diff: &Diff,
    scope: &Scope,
) -> BTreeMap<usize, Rulings> {
    let mut spoken: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, change) in diff.changes.iter().enumerate() {
        for rule in rules.speakers(&change.path) {
            spoken.entry(rule).or_default().push(index);
        }
    }
    spoken
        .into_iter()
        .filter(|(rule, _)| rules.rules[*rule].rule.on == On::Diff)
        .map(|(rule, changes)| (rule, one(&rules.rules[rule], a, b, diff, &changes, scope)))
        .collect()
}

/// What one rule says of these changes.
pub fn one(
    rule: &Compiled,
    a: &Snapshot,
    b: &Snapshot,
    diff: &Diff,
    changes: &[usize],
    scope: &Scope,
) -> Rulings {
    let values = rule.values();
    let view = View { a, b, values: &values, fact: None, star: None };
    let in_scope = scope.meets(&rule.rule.scope);
    // What few programs do is not taken for granted of a program that nobody looked at.
    let rare = scope.operations.is_none() && rule.rule.scope.is_rare();
    let path = |i: &usize| -> &FactPath { &diff.changes[*i].path };
    // A default that is set, or another spelling, is no change for this rule.
    let differs = |i: &usize| rule.values.is_empty() || view.changed(path(i)) != Some(false);
    let any = changes.iter().any(differs);
    let whole = (!rule.each && any).then(|| ruling(rule, &view, in_scope));
    // Where such a rule does not hold, it has shown nothing: that a program does not read a variable does not make the
    // variable harmless, nor does it matter that a rule of no effect does not apply.
    let mute = rule.each && rule.about_the_fact || rule.rule.effect == Effect::None;
    changes
        .iter()
        .filter_map(|i| {
            let ruling = match whole {
                _ if !differs(i) => Ruling::Harmless,
                Some(Ruling::Raised(_)) if rare => Ruling::Raised(None),
                Some(ruling) => ruling,
                None => {
                    let star = rule.facts().iter().find_map(|p| p.first_star(path(i)));
                    ruling(rule, &View { fact: Some(path(i)), star, ..view }, in_scope)
                }
            };
            let nothing = mute && ruling == Ruling::Harmless && differs(i);
            (!nothing).then_some((*i, ruling))
        })
        .collect()
}

fn ruling(rule: &Compiled, view: &View<'_>, in_scope: bool) -> Ruling {
    let truth = rule.rule.when.as_ref().map_or(Some(true), |when| view.holds(when));
    match truth {
        Some(false) => Ruling::Harmless,
        None if rule.rule.ignore_undecided => Ruling::Silent,
        _ if !in_scope => Ruling::OutOfScope,
        None => Ruling::Raised(None),
        Some(true) => Ruling::Raised(Some(rule.rule.confidence)),
    }
}

/// Whether a rule on one snapshot is raised there: only where its condition is decided and in scope.
pub fn hazard(rule: &Compiled, side: &Snapshot, scope: &Scope) -> bool {
    if rule.rule.on != On::Snapshot || !scope.meets(&rule.rule.scope) {
        return false;
    }
    let values = rule.values();
    let view = View { a: side, b: side, values: &values, fact: None, star: None };
    rule.rule.when.as_ref().is_some_and(|when| view.holds(when) == Some(true))
}
