//! From what each rule says to what each change is, and to findings in order.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::judge::{self, Ruling, Rulings};
use super::rule::{Confidence, Effect, On, Rule};
use super::{Catalogue, Scope, predict};
use crate::diff::Diff;
use crate::snapshot::{FactPath, Snapshot};

/// Rules of this weight or less take only what no other rule speaks for.
pub const FALLBACK: u8 = 20;

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It can alter results.
    Cause,
    /// No rule knows it.
    Unclassified,
    /// It can't be judged: a fact that decides is unknown.
    Unknown,
    /// It can alter results of runs that use what this run does not.
    OutOfScope,
    /// It can't alter results.
    Benign,
}

impl Standing {
    /// The words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Unclassified => "unclassified",
            Self::Unknown => "unknown",
            Self::OutOfScope => "out of scope",
            Self::Benign => "benign",
        }
    }
}

/// A change and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What it is.
    pub standing: Standing,
    /// The rules that say so, in order.
    pub rules: Vec<String>,
    /// Why, for a change that is no cause.
    pub why: Option<String>,
}

/// A rule that was raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How sure it is here: the rule's own confidence, or less.
    pub confidence: Confidence,
    /// Whether a fact that its condition needs is unknown, so that it may not be the case at all.
    pub undecided: bool,
    /// The facts that it is about.
    pub facts: Vec<FactPath>,
    /// What speaks for it in this pair.
    pub evidence: Vec<String>,
    /// How much, where that can be said for this pair.
    pub magnitude: Option<String>,
    /// On which side, for a hazard.
    pub side: Option<SideName>,
}

/// The side of a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideName {
    /// The first.
    A,
    /// The second.
    B,
    /// Both.
    Both,
}

/// Decides what each change is, and gathers the causes in order.
pub fn settle(
    rules: &Catalogue,
    a: &Snapshot,
    b: &Snapshot,
    diff: &Diff,
    judged: BTreeMap<usize, Rulings>,
    scope: &Scope,
) -> (Vec<Settled>, Vec<Finding>) {
    let mut facts: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut said: Vec<Vec<(usize, Ruling)>> = vec![Vec::new(); diff.changes.len()];
    for (rule, rulings) in &judged {
        rulings.iter().for_each(|(change, ruling)| said[*change].push((*rule, *ruling)));
    }
    let mut settled: Vec<Settled> = said
        .into_iter()
        .enumerate()
        .map(|(change, said)| {
            let (settled, causes) = one(rules, &diff.changes[change].path, said);
            for rule in causes {
                facts.entry(rule).or_default().insert(change);
            }
            settled
        })
        .collect();
    let mut causes: Vec<Finding> = facts
        .into_iter()
        .map(|(index, changes)| {
            let rule = rules.rules[index].rule.clone();
            let raised = changes.iter().filter_map(|c| match judged[&index].get(c) {
                Some(Ruling::Raised(confidence)) => Some(*confidence),
                _ => None,
            });
            // `None` is a condition that is not decided.
            let confidence = raised.flatten().min();
            let undecided = confidence.is_none();
            let confidence = confidence.unwrap_or(Confidence::Plausible);
            let prediction = rule.predict.as_deref().and_then(|name| predict::predict(name, a, b));
            let mut evidence: Vec<String> = prediction.into_iter().collect();
            let operations = scope.shared_operations(&rule.scope);
            if !operations.is_empty() {
                evidence.push(format!("the program uses {}", operations.join(", ")));
            }
            Finding {
                confidence,
                undecided,
                facts: changes.into_iter().map(|c| diff.changes[c].path.clone()).collect(),
                evidence,
                magnitude: rule.magnitude.clone(),
                side: None,
                rule,
            }
        })
        .collect();
    drop_echoes(&mut causes);
    causes.sort_by(|x, y| rank(x).cmp(&rank(y)));
    in_their_order(&mut settled, &causes);
    (settled, causes)
}

/// Names the rules of each cause in the order of the findings, and none that is an echo of another.
fn in_their_order(settled: &mut [Settled], causes: &[Finding]) {
    let place = |id: &String| causes.iter().position(|c| c.rule.id == *id);
    for change in settled.iter_mut().filter(|s| s.standing == Standing::Cause) {
        if change.rules.iter().any(|id| place(id).is_some()) {
            change.rules.retain(|id| place(id).is_some());
        }
        change.rules.sort_by_key(|id| place(id));
    }
}

/// Leaves out findings that only repeat what follows from another one: the number of threads changed because a
/// variable did, and the finding on the variable speaks for that number as well.
fn drop_echoes(causes: &mut Vec<Finding>) {
    let derived = |path: &FactPath| matches!(path.segments(), [cpu, table, ..] if cpu == "cpu" && (table == "threads" || table == "dispatch"));
    let echoes: Vec<bool> = causes
        .iter()
        .map(|finding| {
            finding.facts.iter().all(derived)
                && causes.iter().any(|other| {
                    other.rule.effect <= finding.rule.effect
                        && !other.facts.iter().all(derived)
                        && finding.facts.iter().all(|f| other.facts.contains(f))
                })
        })
        .collect();
    let mut echoes = echoes.into_iter();
    causes.retain(|_| !echoes.next().unwrap_or(false));
}

/// The order of causes: fallbacks last, before them what is not decided; then effect, confidence, weight, id.
fn rank(finding: &Finding) -> (bool, bool, Effect, Confidence, std::cmp::Reverse<u8>, &str) {
    let rule = &finding.rule;
    let weight = std::cmp::Reverse(rule.weight);
    (rule.weight <= FALLBACK, finding.undecided, rule.effect, finding.confidence, weight, &rule.id)
}

/// What one change is, and the rules for which it is a cause.
fn one(rules: &Catalogue, path: &FactPath, said: Vec<(usize, Ruling)>) -> (Settled, Vec<usize>) {
    let rule = |i: usize| &rules.rules[i].rule;
    let raised = said.iter().filter(|(_, r)| matches!(r, Ruling::Raised(_))).map(|(i, _)| *i);
    let (none, mut causes): (Vec<usize>, Vec<usize>) = raised.partition(|i| rule(*i).effect == Effect::None);
    // A rule that says "no effect" for this very fact outweighs broader ones.
    let quiet = none.iter().map(|i| rule(*i).weight).max().unwrap_or(0);
    causes.retain(|i| rule(*i).weight >= quiet);
    // A fallback yields to every rule that names the fact more closely, also to one that finds nothing wrong with it:
    // what the rule for NumPy calls out of scope is no matter for the rule for packages in general.
    let close = |i: usize| rules.rules[i].closeness(path);
    let speaks = |i: usize| rule(i).weight > FALLBACK && rule(i).effect != Effect::None;
    let closest = said.iter().filter(|(i, _)| speaks(*i)).map(|(i, _)| close(*i)).max().unwrap_or(0);
    let raised_above = causes.iter().any(|i| rule(*i).weight > FALLBACK);
    causes.retain(|i| rule(*i).weight > FALLBACK || (!raised_above && close(*i) >= closest));
    let ids = |list: &[usize]| list.iter().map(|i| rule(*i).id.clone()).collect::<Vec<_>>();
    if !causes.is_empty() {
        return (Settled { standing: Standing::Cause, rules: ids(&causes), why: None }, causes);
    }
    let of = |wanted: Ruling| -> Vec<usize> {
        said.iter().filter(|(_, r)| *r == wanted).map(|(i, _)| *i).collect()
    };
    let heaviest =
        |list: &[usize]| list.iter().copied().max_by_key(|i| (rule(*i).weight, std::cmp::Reverse(*i)));
    let outside: Vec<usize> =
        of(Ruling::OutOfScope).into_iter().filter(|i| rule(*i).effect != Effect::None).collect();
    let harmless = of(Ruling::Harmless);
    let settled = if let Some(best) = heaviest(&none) {
        Settled { standing: Standing::Benign, rules: ids(&none), why: Some(rule(best).why.clone()) }
    } else if let Some(best) = heaviest(&outside) {
        let why = format!("{}: not used by this run", rule(best).title);
        Settled { standing: Standing::OutOfScope, rules: ids(&outside), why: Some(why) }
    } else if let Some(best) = heaviest(&harmless) {
        let why = rule(best).harmless.clone();
        let why = why.unwrap_or_else(|| format!("{}: not the case here", rule(best).title));
        Settled { standing: Standing::Benign, rules: ids(&harmless), why: Some(why) }
    } else if said.iter().any(|(_, r)| *r == Ruling::OutOfScope) {
        let list = of(Ruling::OutOfScope);
        Settled { standing: Standing::Benign, rules: ids(&list), why: None }
    } else if said.iter().any(|(_, r)| *r == Ruling::Silent) {
        Settled { standing: Standing::Unknown, rules: ids(&of(Ruling::Silent)), why: None }
    } else {
        Settled { standing: Standing::Unclassified, rules: Vec::new(), why: None }
    };
    (settled, Vec::new())
}

/// What makes either side unreliable by itself, the certain ones first.
pub fn hazards(rules: &Catalogue, a: &Snapshot, b: &Snapshot, narrow: &[String]) -> Vec<Finding> {
    let scope = |side: &Snapshot| {
        let scope = Scope::of_one(side);
        if narrow.is_empty() { scope } else { scope.narrowed(narrow) }
    };
    let (scope_a, scope_b) = (scope(a), scope(b));
    let mut out = Vec::new();
    for rule in rules.rules.iter().filter(|r| r.rule.on == On::Snapshot) {
        let in_a = judge::hazard(rule, a, &scope_a);
        let in_b = judge::hazard(rule, b, &scope_b);
        let side = match (in_a, in_b) {
            (true, true) => SideName::Both,
            (true, false) => SideName::A,
            (false, true) => SideName::B,
            _ => continue,
        };
        let mut facts = BTreeSet::new();
        for (holds, snapshot) in [(in_a, a), (in_b, b)] {
            if holds {
                for pattern in rule.facts() {
                    for map in [&snapshot.facts, &snapshot.private, &snapshot.volatile] {
                        facts.extend(pattern.within(map).filter(|p| pattern.matches(p)).cloned());
                    }
                }
                // What is missing is named, too: `env.PYTHONHASHSEED` is what to set.
                facts.extend(rule.facts().iter().filter_map(super::pattern::Pattern::literal));
            }
        }
        out.push(Finding {
            confidence: rule.rule.confidence,
            undecided: false,
            facts: facts.into_iter().collect(),
            evidence: Vec::new(),
            magnitude: rule.rule.magnitude.clone(),
            side: Some(side),
            rule: rule.rule.clone(),
        });
    }
    out.sort_by(|x, y| (!x.rule.unstable, rank(x)).cmp(&(!y.rule.unstable, rank(y))));
    out
}
