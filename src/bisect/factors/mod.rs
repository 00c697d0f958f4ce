//! From an explanation to factors, ranked, and to what cannot be set.

pub mod arguments;
pub mod config;
mod follows;
mod lines;
pub mod packages;
pub mod processor;
pub mod tree;
pub mod variables;

use std::collections::BTreeMap;

use super::factor::{Factor, Kind, Uncontrolled, shown};
use super::interpreters::Locals;
use crate::diff::{self, Change};
use crate::explain::{Explanation, Standing};
use crate::host::Host;
use crate::probes::env::glob;
use crate::redact::Labels;
use crate::run::Program;
use crate::snapshot::{FactPath, Looked, Snapshot};

/// What factors are made from.
pub struct Maker<'m> {
    /// The first side.
    pub a: &'m Snapshot,
    /// The second side, its names as they are in its file.
    pub b: &'m Snapshot,
    /// This machine, now: environment, processor, git.
    pub live: &'m Snapshot,
    /// What differs, and what it means.
    pub explanation: &'m Explanation,
    /// The machine.
    pub host: &'m dyn Host,
    /// How its paths are shown.
    pub labels: &'m Labels,
    /// The command.
    pub program: &'m Program,
    /// Python environments that are here.
    pub locals: &'m Locals,
    /// This process's environment.
    pub environment: BTreeMap<String, String>,
    /// The factors so far.
    pub factors: Vec<Factor>,
    /// What cannot be set.
    pub uncontrolled: Vec<Uncontrolled>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

impl<'m> Maker<'m> {
    /// Everything that differs.
    pub fn changes(&self) -> impl Iterator<Item = &'m Change> + use<'m> {
        self.explanation.diff.changes.iter()
    }

    fn add(&mut self, factor: Factor) {
        self.factors.push(factor);
    }

    /// Says why a fact cannot be set.
    fn uncontrolled(&mut self, fact: &FactPath, why: &str) {
        if self.uncontrolled.iter().any(|u| u.fact == *fact) {
            return;
        }
        let (standing, finding) = standing(self.explanation, std::slice::from_ref(fact));
        let change = self.changes().find(|c| c.path == *fact);
        let shown = match change {
            Some(change) => [shown(change.a.as_ref()), shown(change.b.as_ref())],
            None => [self.a, self.b].map(|s| match s.look(fact) {
                Looked::Value(value) => value.plain(),
                Looked::Absent => "absent".to_owned(),
                Looked::Unknown(_) => "unknown".to_owned(),
            }),
        };
        self.uncontrolled.push(Uncontrolled {
            fact: fact.clone(),
            shown,
            why: why.to_owned(),
            standing,
            finding,
        });
    }

    /// The value of a variable of this process, where the snapshot of this side hides it and it is the same one.
    fn live_value(&self, name: &str, side: usize) -> Option<String> {
        let path = FactPath::new(["env", name]);
        let side = if side == 0 { self.a } else { self.b };
        match (side.look(&path), self.live.look(&path)) {
            (Looked::Value(x), Looked::Value(y)) if x == y => self.environment.get(name).cloned(),
            _ => None,
        }
    }
}

/// The most severe standing of these facts, and the first finding among the causes that speaks for one of them.
pub fn standing(explanation: &Explanation, facts: &[FactPath]) -> (Standing, Option<usize>) {
    let of = |path: &FactPath| {
        let at = explanation.diff.changes.iter().position(|c| c.path == *path)?;
        explanation.settled.get(at).map(|s| s.standing)
    };
    let standing = facts.iter().filter_map(of).min().unwrap_or(Standing::Benign);
    let finding = explanation.causes.iter().position(|c| c.facts.iter().any(|f| facts.contains(f)));
    (standing, finding)
}

/// The factors of a pair, the likeliest first, and what cannot be set.
pub fn make(mut maker: Maker<'_>) -> Made {
    variables::factors(&mut maker);
    processor::threads(&mut maker);
    processor::code_paths(&mut maker);
    packages::factors(&mut maker);
    let tree = tree::factors(&mut maker);
    config::factors(&mut maker);
    arguments::factors(&mut maker);
    follows::rest(&mut maker);
    let mut factors = std::mem::take(&mut maker.factors);
    factors.sort_by(|x, y| order(x).cmp(&order(y)));
    let mut uncontrolled = std::mem::take(&mut maker.uncontrolled);
    uncontrolled.sort_by(|x, y| {
        let key = |u: &Uncontrolled| (u.finding.unwrap_or(usize::MAX), u.standing);
        key(x).cmp(&key(y)).then_with(|| diff::order(&x.fact).cmp(&diff::order(&y.fact)))
    });
    Made { factors, uncontrolled, notes: maker.notes, tree }
}

/// What [`make`] gives.
#[derive(Debug, Default)]
pub struct Made {
    /// The factors, the likeliest first.
    pub factors: Vec<Factor>,
    /// What cannot be set, the likeliest first.
    pub uncontrolled: Vec<Uncontrolled>,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// The state of the program's text that both sides have in common.
    pub tree: tree::Tree,
}

/// The order of factors: the rank of the finding, then the standing, then the order of the file.
fn order(factor: &Factor) -> (usize, Standing, Kind, (usize, Option<&FactPath>), &str) {
    let first = factor.facts.first();
    let place = first.map_or(usize::MAX, |path| diff::order(path).0);
    (factor.finding.unwrap_or(usize::MAX), factor.standing, factor.kind, (place, first), &factor.id)
}

/// What a standing is worth beside a cause.
pub fn worth(factor: &Factor) -> f64 {
    match (factor.finding, factor.standing) {
        (Some(_), _) | (None, Standing::Cause) => 1.0,
        (None, Standing::Unclassified | Standing::Unknown) => 0.5,
        (None, Standing::OutOfScope | Standing::Benign) => 0.2,
    }
}

/// Whether `--factor` asks for this one: its name, or one of its facts.
pub fn wanted(factor: &Factor, globs: &[String]) -> bool {
    globs.is_empty()
        || globs.iter().any(|pattern| {
            glob::matches(pattern, &factor.id)
                || factor.facts.iter().any(|fact| glob::matches(pattern, &fact.to_string()))
        })
}
