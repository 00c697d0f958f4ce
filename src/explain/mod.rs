//! Changes to findings and a verdict, by the rules. `docs/design/rules.md` is the reference of their form.
//!
//! [`catalogue`] holds the rules; [`judge`] applies each to a pair or to one side through [`evaluate`]; [`settle`]
//! decides what each change is; [`verdict`] sums up; [`report`] is the public form of all of it.

pub mod case;
pub mod catalogue;
pub mod evaluate;
pub mod judge;
pub mod observed;
pub mod pattern;
pub mod predict;
pub mod report;
pub mod rule;
pub mod scope;
pub mod selftest;
pub mod settle;
pub mod supply;
pub mod user;
pub mod verdict;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::diff::{self, Diff};
use crate::outputs::compare::Report;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};
pub use catalogue::Catalogue;
pub use scope::Scope;
pub use settle::{Finding, Settled, Standing};
pub use verdict::{Outcome, Verdict};

/// What is known of two snapshots.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What differs.
    pub diff: Diff,
    /// What the runs use.
    pub scope: Scope,
    /// What each change is, in the order of the changes.
    pub settled: Vec<Settled>,
    /// What can alter results, the most likely and severe first.
    pub causes: Vec<Finding>,
    /// What makes either side unreliable by itself.
    pub hazards: Vec<Finding>,
    /// What to expect.
    pub verdict: Verdict,
    /// What the runs really wrote, where both snapshots hold it.
    pub observed: Option<Report>,
    /// What the self-tests of both sides show, where both have one: [`selftest::weigh`].
    pub selftests: Option<selftest::SelfTests>,
}

/// Explains the difference of two snapshots. `narrow` is what the user says of their use; `observed`, what the runs
/// wrote.
pub fn explain(
    a: &Snapshot,
    b: &Snapshot,
    rules: &Catalogue,
    narrow: &[String],
    observed: Option<Report>,
) -> Explanation {
    compare(a, b, narrow).judge(rules, observed)
}

/// Two snapshots that speak of the same things by the same paths, and how they differ: what rules judge.
#[derive(Clone, Debug)]
pub struct Compared<'s> {
    a: Cow<'s, Snapshot>,
    b: Cow<'s, Snapshot>,
    narrow: &'s [String],
    scope: Scope,
    diff: Diff,
}

/// What differs between two snapshots, before any rule is asked.
pub fn compare<'s>(a: &'s Snapshot, b: &'s Snapshot, narrow: &'s [String]) -> Compared<'s> {
    let (a, b) = supply::versions(a, diff::align::align(a, b));
    let mut scope = Scope::of(&a, &b);
    if !narrow.is_empty() {
        scope = scope.narrowed(narrow);
    }
    let diff = diff::diff(&a, &b, &reads(&a, &b));
    Compared { a, b, narrow, scope, diff }
}

impl Compared<'_> {
    /// What the rules say of it.
    pub fn judge(self, rules: &Catalogue, observed: Option<Report>) -> Explanation {
        let Self { a, b, narrow, scope, diff } = self;
        let judged = judge::pair(rules, &a, &b, &diff, &scope);
        let (mut settled, mut causes) = settle::settle(rules, &a, &b, &diff, judged, &scope);
        let hazards = settle::hazards(rules, &a, &b, narrow);
        let mut verdict = verdict::verdict(rules, &a, &b, &diff, &settled, &causes, &hazards, &scope);
        if let Some(report) = &observed {
            observed::combine(report, &mut verdict, &mut causes, &mut settled);
        }
        Explanation { diff, scope, settled, causes, hazards, verdict, observed, selftests: None }
    }
}

/// The facts that either program reads itself (`workload.reads`): they count whatever their class.
fn reads(a: &Snapshot, b: &Snapshot) -> BTreeSet<FactPath> {
    let path = FactPath::new(["workload", "reads"]);
    let mut out = BTreeSet::new();
    for side in [a, b] {
        if let Looked::Value(Value::List(items)) = side.look(&path) {
            out.extend(items.iter().filter_map(|i| i.plain().parse::<FactPath>().ok()));
        }
    }
    out
}
