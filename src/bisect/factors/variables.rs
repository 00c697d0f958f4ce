//! Environment variables.

use std::collections::{BTreeMap, BTreeSet};

use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting, settable, shown};
use crate::diff::Change;
use crate::snapshot::{FactPath, Looked, Snapshot};

/// Variables that no mixture sets, and why.
pub(super) const HELD: [(&str, &str); 2] = [
    ("PATH", "where programs lie is this machine's own; which Python runs is set with the packages"),
    (
        "PYTHONDONTWRITEBYTECODE",
        "held at 1 in every probe, so that no bytecode is written into your environments",
    ),
];

/// Factors of the variables that differ.
pub(super) fn factors(maker: &mut Maker<'_>) {
    let changes: Vec<Change> = maker.changes().filter(|c| c.path.section() == "env").cloned().collect();
    for change in changes {
        let [_, name] = change.path.segments() else { continue };
        if let Some((_, why)) = HELD.iter().find(|(held, _)| held == name) {
            maker.uncontrolled(&change.path, why);
            continue;
        }
        let sides = [(&change.a, 0), (&change.b, 1)].map(|(value, side)| match value {
            None => Some(None),
            // A value that the snapshot hides, and that is the one of this process.
            Some(value) => settable(value).or_else(|| maker.live_value(name, side)).map(Some),
        });
        let [Some(a), Some(b)] = sides else {
            maker.uncontrolled(&change.path, "a snapshot does not hold its value (a secret, or a name)");
            continue;
        };
        let (standing, finding) = standing(maker.explanation, std::slice::from_ref(&change.path));
        let set = |value: Option<String>| vec![Setting::Variable { name: name.clone(), value, soft: false }];
        maker.add(Factor {
            id: format!("env.{name}"),
            kind: Kind::Variable,
            facts: vec![change.path.clone()],
            shown: [shown(change.a.as_ref()), shown(change.b.as_ref())],
            how: "in the environment".to_owned(),
            simulated: false,
            standing,
            finding,
            settings: [set(a), set(b)],
        });
    }
}

/// What the variables that do not differ must be, so that a probe starts as both sides did: this process's own may be
/// others. By name, `None` to take away.
pub fn common(a: &Snapshot, b: &Snapshot, live: &Snapshot) -> BTreeMap<String, Option<String>> {
    let names: BTreeSet<&FactPath> = [a, b, live]
        .into_iter()
        .flat_map(|s| s.facts.keys())
        .filter(|p| p.section() == "env" && p.segments().len() == 2)
        .collect();
    let mut out = BTreeMap::new();
    for path in names {
        let name = &path.segments()[1];
        if HELD.iter().any(|(held, _)| held == name) {
            continue;
        }
        match (a.look(path), b.look(path)) {
            (Looked::Value(x), Looked::Value(y)) if x == y && live.look(path) != Looked::Value(x) => {
                if let Some(value) = settable(x) {
                    out.insert(name.clone(), Some(value));
                }
            }
            (Looked::Absent, Looked::Absent) => {
                out.insert(name.clone(), None);
            }
            _ => {}
        }
    }
    out
}
