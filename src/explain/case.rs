//! A rule's own cases, run: the proof that it is raised where it should be and silent at the near misses.

use std::collections::BTreeMap;

use super::Scope;
use super::catalogue::Compiled;
use super::evaluate::value_of;
use super::judge::{self, Ruling};
use super::rule::{Case, On, RuleScope, Scalar};
use crate::diff;
use crate::lint;
use crate::snapshot::{FactPath, RESERVED, SECTION_ORDER, Snapshot};

/// Whether the case holds: raised where a hit is expected, not raised where a miss is.
pub fn holds(rule: &Compiled, case: &Case) -> bool {
    raised(rule, case) == case.hit
}

fn raised(rule: &Compiled, case: &Case) -> bool {
    let (a, b) = (snapshot(&case.a, case.unknown), snapshot(&case.b, case.unknown));
    let scope = case.scope.as_ref().map(scope).unwrap_or_default();
    match rule.rule.on {
        On::Snapshot => judge::hazard(rule, &a, &scope),
        On::Source => case.source.as_deref().is_some_and(|text| lint::source::raises(&rule.rule.id, text)),
        On::Diff => {
            let diff = diff::diff(&a, &b, &std::collections::BTreeSet::new());
            let spoken: Vec<usize> =
                (0..diff.changes.len()).filter(|i| rule.speaks_for(&diff.changes[*i].path)).collect();
            let rulings = judge::one(rule, &a, &b, &diff, &spoken, &scope);
            rulings.values().any(|r| matches!(r, Ruling::Raised(_)))
        }
    }
}

fn snapshot(facts: &BTreeMap<String, Scalar>, unknown: bool) -> Snapshot {
    let mut out = Snapshot::default();
    if !unknown {
        let sections = SECTION_ORDER.iter().filter(|s| !RESERVED.contains(s));
        out.sections.extend(sections.map(|s| (*s).to_owned()));
    }
    for (path, value) in facts {
        let path: FactPath = path.parse().unwrap_or_else(|_| FactPath::new(path.split('.')));
        out.facts.insert(path, value_of(value));
    }
    out
}

fn scope(of: &RuleScope) -> Scope {
    let set = |list: &[String]| (!list.is_empty()).then(|| list.iter().cloned().collect());
    Scope {
        frameworks: set(&of.frameworks),
        libraries: set(&of.libraries),
        devices: set(&of.devices),
        operations: set(&of.operations),
        ..Scope::default()
    }
}
