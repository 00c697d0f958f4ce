//! Real cases: what two environments were known to hold, and the rule that explains them, which must stand first.
//!
//! `fixtures/pairs/NAME.toml` states the facts in our own words, with the thread where the cause was established.

use std::collections::{BTreeMap, BTreeSet};

use driftlock::explain::rule::Scalar;
use driftlock::explain::{Catalogue, Explanation, explain};
use driftlock::snapshot::{FactPath, Snapshot};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    /// What was seen.
    title: String,
    /// Where the cause was established.
    source: String,
    /// The rules of which one must be the first cause, or among the hazards.
    #[serde(default)]
    cause: Vec<String>,
    #[serde(default)]
    hazard: Vec<String>,
    /// The verdict.
    outcome: String,
    /// Sections of which everything is known; other facts that are not stated are unknown.
    #[serde(default)]
    known: BTreeSet<String>,
    /// Facts of both sides.
    #[serde(default)]
    both: toml::Table,
    #[serde(default)]
    a: toml::Table,
    #[serde(default)]
    b: toml::Table,
}

fn snapshot(pair: &Pair, own: &toml::Table) -> Snapshot {
    let mut out = Snapshot { sections: pair.known.clone(), ..Snapshot::default() };
    let facts: BTreeMap<_, _> = pair.both.iter().chain(own).collect();
    for (path, value) in facts {
        let path: FactPath = path.parse().unwrap();
        let value = driftlock::explain::evaluate::value_of(&Scalar::from_toml(value).unwrap());
        assert!(driftlock::facts::find(&path).is_some(), "no fact is called `{path}`");
        out.facts.insert(path, value);
    }
    out
}

fn pairs() -> Vec<(String, Pair)> {
    let folder = super::common::root().join("fixtures/pairs");
    let mut out: Vec<(String, Pair)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let pair = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, pair)
        })
        .collect();
    out.sort_by(|x, y| x.0.cmp(&y.0));
    out
}

fn explained(pair: &Pair) -> Explanation {
    let (a, b) = (snapshot(pair, &pair.a), snapshot(pair, &pair.b));
    explain(&a, &b, &Catalogue::built_in(), &[], None)
}

#[test]
fn the_established_cause_stands_first() {
    let mut complaints = Vec::new();
    for (name, pair) in pairs() {
        assert!(pair.source.starts_with("https://") && !pair.title.is_empty(), "{name}");
        let found = explained(&pair);
        let causes: Vec<&str> = found.causes.iter().map(|c| c.rule.id.as_str()).collect();
        let hazards: Vec<&str> = found.hazards.iter().map(|c| c.rule.id.as_str()).collect();
        if !pair.cause.is_empty() && !causes.first().is_some_and(|c| pair.cause.iter().any(|w| w == c)) {
            complaints.push(format!("{name}: the first cause is to be {:?}, not {causes:?}", pair.cause));
        }
        if !pair.hazard.is_empty() && !hazards.iter().any(|h| pair.hazard.iter().any(|w| w == h)) {
            complaints.push(format!("{name}: a hazard is to be {:?}; found {hazards:?}", pair.hazard));
        }
        if found.verdict.outcome.word() != pair.outcome {
            let got = found.verdict.outcome.word();
            complaints.push(format!("{name}: the verdict is to be {}, not {got}", pair.outcome));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
