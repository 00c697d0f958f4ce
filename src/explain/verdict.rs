//! What to expect of two runs.

use schemars::JsonSchema;
use serde::Serialize;

use super::catalogue::Compiled;
use super::evaluate::View;
use super::rule::{Effect, On};
use super::settle::{Finding, Settled, SideName, Standing};
use super::{Catalogue, Scope};
use crate::diff::{Diff, Unreadable};
use crate::facts::{self, Class};
use crate::snapshot::{FactPath, Snapshot, digest};

/// What to expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// In a word.
    pub outcome: Outcome,
    /// The top of the ladder among the causes.
    pub level: Option<Effect>,
    /// In a sentence.
    pub summary: String,
    /// The facts that stand in the way of a verdict.
    pub unknown: Vec<FactPath>,
}

/// What to expect, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The same fingerprint.
    Identical,
    /// What differs can't alter results.
    Same,
    /// At least one cause.
    Different,
    /// A run does not repeat itself.
    Unstable,
    /// Something that is not known stands in the way.
    Unknown,
}

impl Outcome {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Same => "same",
            Self::Different => "different",
            Self::Unstable => "unstable",
            Self::Unknown => "unknown",
        }
    }
}

/// Sums up.
#[expect(clippy::too_many_arguments, reason = "the sum of everything before it")]
pub fn verdict(
    rules: &Catalogue,
    a: &Snapshot,
    b: &Snapshot,
    diff: &Diff,
    settled: &[Settled],
    causes: &[Finding],
    hazards: &[Finding],
    scope: &Scope,
) -> Verdict {
    let level = causes.iter().map(|c| c.rule.effect).min();
    let done = |outcome, summary: String| Verdict { outcome, level, summary, unknown: Vec::new() };
    if let Some(hazard) = hazards.iter().find(|h| h.rule.unstable) {
        let side = match hazard.side {
            Some(SideName::A) => "A does not repeat itself",
            Some(SideName::B) => "B does not repeat itself",
            _ => "neither run repeats itself",
        };
        return done(Outcome::Unstable, format!("{side}: {}", lower(&hazard.rule.title)));
    }
    if let (Some(first), Some(level)) = (causes.first(), level) {
        let more = match causes.len() {
            1 => String::new(),
            2 => ", and 1 more cause".to_owned(),
            n => format!(", and {} more causes", n - 1),
        };
        let title = lower(&first.rule.title);
        return done(Outcome::Different, format!("results can differ ({}): {title}{more}", phrase(level)));
    }
    let mut unknown: Vec<FactPath> = diff
        .changes
        .iter()
        .zip(settled)
        .filter(|(_, s)| matches!(s.standing, Standing::Unclassified | Standing::Unknown))
        .map(|(c, _)| c.path.clone())
        .collect();
    let unread = diff.unreadable.iter().filter(|u| !alike(u, a, b, diff));
    unknown.extend(unread.map(|u| &u.path).filter(|p| matters(rules, p, a, b, scope)).cloned());
    if !unknown.is_empty() {
        let first = unknown.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if unknown.len() > 3 { format!(" and {} more", unknown.len() - 3) } else { String::new() };
        let summary = format!("no cause found, but not everything is known: {first}{more}");
        return Verdict { outcome: Outcome::Unknown, level, summary, unknown };
    }
    if diff.changes.is_empty() {
        let same = digest::fingerprint(&digest::sections(a)) == digest::fingerprint(&digest::sections(b));
        if same {
            return done(Outcome::Identical, "the snapshots agree in every fact that counts".to_owned());
        }
    }
    let count = diff.changes.len();
    let facts = if count == 1 { "1 fact differs".to_owned() } else { format!("{count} facts differ") };
    done(
        Outcome::Same,
        format!("bitwise equal results are expected: {facts}, none of them can alter this run"),
    )
}

/// What an effect looks like in results.
pub fn phrase(effect: Effect) -> &'static str {
    match effect {
        Effect::Code => "other code or data",
        Effect::Stream => "other random numbers",
        Effect::Order => "another order of data",
        Effect::Algorithm => "another algorithm",
        Effect::Precision => "lower precision, about 1e-3",
        Effect::Rounding => "rounding, the last bits",
        Effect::None => "no effect",
    }
}

/// A title inside a sentence: its first letter small, unless it is a name.
fn lower(title: &str) -> String {
    let mut chars = title.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            let word = title.split_whitespace().next().unwrap_or_default();
            let common =
                ["The", "A", "An", "Another", "Other", "Different", "One", "Two", "Some", "More", "Fewer"];
            if common.contains(&word) {
                first.to_lowercase().chain(title.chars().skip(1)).collect()
            } else {
                title.to_owned()
            }
        }
        _ => title.to_owned(),
    }
}

/// Whether both sides failed to look at a single fact for the same reason, and agree in all else of its section: what
/// the fact follows from is the same, as on a machine whose processor driftlock does not know.
fn alike(unreadable: &Unreadable, a: &Snapshot, b: &Snapshot, diff: &Diff) -> bool {
    let section = unreadable.path.section();
    let [Some(x), Some(y)] = &unreadable.why else {
        return false;
    };
    let captured = |s: &Snapshot| s.facts.keys().any(|path| path.section() == section);
    x == y
        && unreadable.path.segments().len() > 1
        && captured(a)
        && captured(b)
        && !diff.changes.iter().any(|c| c.path.section() == section)
}

/// Whether a fact that could not be looked at might hide a cause in this scope: a rule that speaks for it could be
/// raised, as far as all else is known.
fn matters(rules: &Catalogue, path: &FactPath, a: &Snapshot, b: &Snapshot, scope: &Scope) -> bool {
    if facts::find(path).is_some_and(|f| matches!(f.class, Class::Volatile | Class::Private)) {
        return false;
    }
    let could_be = |rule: &Compiled| {
        let values = rule.values();
        let star = rule.facts().iter().find_map(|p| p.first_star(path));
        let view = View { a, b, values: &values, fact: Some(path), star };
        rule.rule.when.as_ref().is_none_or(|when| view.holds(when) != Some(false))
    };
    rules.rules.iter().any(|r| {
        r.rule.on == On::Diff
            && r.rule.effect != Effect::None
            && r.facts().iter().any(|p| p.section().is_some() && p.reaches_into(path))
            && scope.meets(&r.rule.scope)
            && could_be(r)
    })
}
