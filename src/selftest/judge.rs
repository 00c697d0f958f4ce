//! What one self-test shows. Every statement is bounded by what was run: never "deterministic".

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::catalogue::{self, Documented, Expected, Tier};
use super::golden;
use super::precision::{self, Precision};
use super::result::SelfTest;

/// What it shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Judgement {
    /// Controls that ran.
    pub controls: usize,
    /// Outputs of controls that are not the golden values.
    pub controls_failed: Vec<String>,
    /// Operations with more than one result.
    pub unstable: Vec<Unstable>,
    /// What the repeats of the others prove.
    pub repeated: Option<Repeated>,
    /// Operations that depend on the number of threads.
    pub by_threads: Vec<String>,
    /// Operations that deterministic mode moves to another stable result.
    pub by_deterministic: Vec<String>,
    /// Errors in place of results.
    pub raised: Vec<RaisedAt>,
    /// What contradicts the documentation or the catalogue: news.
    pub contradictions: Vec<Contradiction>,
    /// The precision of f32 products, arm by arm, from their errors: precision to operations.
    pub precision: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Whether a row of a product is the same alone, in a batch of 8 and in a batch of 64.
    pub batch_invariant: Option<bool>,
    /// Arms that did not end.
    pub faults: Vec<String>,
}

/// An operation with more than one result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unstable {
    /// The operation.
    pub operation: String,
    /// In which arm, or between which two.
    pub arm: String,
    /// Different results.
    pub distinct: u32,
    /// Of so many runs.
    pub runs: u32,
    /// Whether the catalogue expects it.
    pub expected: bool,
    /// Whether it was stable in deterministic mode, where it ran there.
    pub stable_when_deterministic: Option<bool>,
}

/// What equal repeats prove.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repeated {
    /// Operations repeated often.
    pub operations: usize,
    /// The least number of runs of any of them.
    pub runs: u32,
    /// Another result is less likely than this per run, in percent, at 95 % confidence.
    pub bound_percent: f64,
}

/// An error in place of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RaisedAt {
    /// The operation.
    pub operation: String,
    /// The arm.
    pub arm: String,
    /// The word of the protocol.
    pub kind: String,
    /// The library's words.
    pub message: String,
}

/// Documented or predicted against observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The operation.
    pub operation: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub observed: String,
}

impl Judgement {
    /// Whether something is to be reported: a control failed, or a result was not the same twice.
    pub fn found(&self) -> bool {
        !self.controls_failed.is_empty() || !self.unstable.is_empty()
    }
}

/// The chance of another result per run that `runs` equal runs leave open, in percent, at 95 %: `1 - 0.05^(1/n)`.
pub fn bound_percent(runs: u32) -> f64 {
    let percent = 100.0 * (1.0 - 0.05f64.powf(1.0 / f64::from(runs.max(1))));
    (percent * 10.0).round() / 10.0
}

/// Judges a self-test.
pub fn judge(test: &SelfTest) -> Judgement {
    let catalogue = catalogue::of(test.library);
    let cuda = test.device.starts_with("cuda");
    let unstable = unstable(test, cuda);
    let names: BTreeSet<&str> = unstable.iter().map(|u| u.operation.as_str()).collect();
    let stable = |id: &str| !names.contains(id);
    let differ = |a: &str, b: &str| -> Vec<String> {
        let (Some(a), Some(b)) = (test.arm(a), test.arm(b)) else {
            return Vec::new();
        };
        let pairs = a.operations.iter().filter_map(|(id, m)| Some((id, m, b.operations.get(id)?)));
        pairs
            .filter(|(id, m, n)| {
                stable(id) && m.raised.is_none() && n.raised.is_none() && m.digest != n.digest
            })
            .map(|(id, ..)| id.clone())
            .collect()
    };
    let raised: Vec<RaisedAt> = test
        .arms
        .iter()
        .flat_map(|arm| {
            arm.operations.iter().filter_map(|(id, m)| {
                let raised = m.raised.as_ref()?;
                Some(RaisedAt {
                    operation: id.clone(),
                    arm: arm.name.clone(),
                    kind: raised.kind.clone(),
                    message: raised.message.clone(),
                })
            })
        })
        .collect();
    let (controls, controls_failed) = controls(test);
    Judgement {
        controls,
        controls_failed,
        repeated: repeated(test, &names),
        by_threads: differ("one-thread", "found"),
        by_deterministic: differ("found", "deterministic"),
        contradictions: contradictions(test, catalogue, cuda, &unstable, &raised),
        raised,
        unstable,
        precision: precision(test),
        batch_invariant: batch_invariant(test),
        faults: test
            .arms
            .iter()
            .filter_map(|a| a.fault.as_ref().map(|fault| format!("{}: {fault}", a.name)))
            .collect(),
    }
}

fn controls(test: &SelfTest) -> (usize, Vec<String>) {
    let golden = golden::golden();
    let catalogue = catalogue::of(test.library);
    let ids: Vec<&str> =
        catalogue.operations.iter().filter(|o| o.tier == Tier::Control).map(|o| o.id.as_str()).collect();
    let (mut ran, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for arm in &test.arms {
        for id in &ids {
            let Some(measured) = arm.operations.get(*id) else { continue };
            ran.insert(*id);
            for (output, expected) in golden.get(id).into_iter().flatten() {
                let seen = measured.outputs.get(*output).map(|o| o.digest.as_str());
                if seen != Some(expected) || measured.distinct != 1 {
                    failed.insert(format!("{id}/{output} in {}", arm.name));
                }
            }
        }
    }
    (ran.len(), failed.into_iter().collect())
}

fn unstable(test: &SelfTest, cuda: bool) -> Vec<Unstable> {
    let catalogue = catalogue::of(test.library);
    let mut out: Vec<Unstable> = Vec::new();
    for arm in &test.arms {
        let deterministic = arm.flags.contains_key("deterministic_algorithms");
        for id in test.unstable_in(arm) {
            if out.iter().any(|u| u.operation == id && u.arm == arm.name) {
                continue;
            }
            let measured = arm.operations.get(id);
            // Stable within this arm, and another result in a process of the same state.
            let (name, distinct, runs) = match measured {
                Some(m) if m.distinct > 1 => (arm.name.clone(), m.distinct, m.runs),
                _ => {
                    if out.iter().any(|u| u.operation == id) {
                        continue;
                    }
                    ("between processes".to_owned(), 2, measured.map_or(0, |m| m.runs) + 1)
                }
            };
            let operation = catalogue.get(id);
            let expected = operation.is_some_and(|o| match (cuda, deterministic) {
                (true, false) => matches!(o.default, Expected::Unstable | Expected::MayVary),
                (true, true) => matches!(o.deterministic, Expected::Unstable | Expected::MayVary),
                (false, false) => o.cpu_race,
                (false, true) => false,
            });
            let stable_when_deterministic = test.arm("deterministic").and_then(|det| {
                let m = det.operations.get(id)?;
                m.raised.is_none().then_some(m.distinct == 1)
            });
            out.push(Unstable {
                operation: id.to_owned(),
                arm: name,
                distinct,
                runs,
                expected,
                stable_when_deterministic,
            });
        }
    }
    out
}

fn repeated(test: &SelfTest, unstable: &BTreeSet<&str>) -> Option<Repeated> {
    let arm = test.arm("found")?;
    let often: Vec<u32> = arm
        .operations
        .iter()
        .filter(|(id, m)| !unstable.contains(id.as_str()) && m.distinct == 1 && m.runs > 3)
        .map(|(_, m)| m.runs)
        .collect();
    let runs = often.iter().copied().min()?;
    Some(Repeated { operations: often.len(), runs, bound_percent: bound_percent(runs) })
}

fn contradictions(
    test: &SelfTest,
    catalogue: &catalogue::Catalogue,
    cuda: bool,
    unstable: &[Unstable],
    raised: &[RaisedAt],
) -> Vec<Contradiction> {
    let mut out = Vec::new();
    let mut say = |operation: &str, expected: String, observed: String| {
        let new = Contradiction { operation: operation.to_owned(), expected, observed };
        if !out.contains(&new) {
            out.push(new);
        }
    };
    for u in unstable.iter().filter(|u| !u.expected) {
        say(
            &u.operation,
            "the same result at each run".to_owned(),
            format!("{} results in {} runs ({})", u.distinct, u.runs, u.arm),
        );
    }
    let in_mode = |r: &&RaisedAt| r.arm.starts_with("deterministic");
    for r in raised.iter().filter(in_mode).filter(|r| r.kind == "nondeterministic") {
        let documented = catalogue.get(&r.operation).map(|o| o.documented);
        if cuda && documented != Some(Documented::Raises) {
            say(
                &r.operation,
                "documented not to raise in deterministic mode".to_owned(),
                "raises".to_owned(),
            );
        }
    }
    if cuda && let Some(arm) = test.arm("deterministic") {
        for o in catalogue.operations.iter().filter(|o| o.documented == Documented::Raises) {
            if arm.operations.get(&o.id).is_some_and(|m| m.raised.is_none()) {
                say(&o.id, "documented to raise in deterministic mode".to_owned(), "runs".to_owned());
            }
        }
    }
    out
}

fn precision(test: &SelfTest) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut out: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for arm in &test.arms {
        for (id, measured) in &arm.operations {
            if let Some(found) = precision::of_operation(measured.outputs.values()) {
                let words = Precision::words(found).to_owned();
                out.entry(arm.name.clone()).or_default().entry(words).or_default().push(id.clone());
            }
        }
    }
    out
}

fn batch_invariant(test: &SelfTest) -> Option<bool> {
    let arm = test.arm("found")?;
    let bytes = &arm.operations.iter().find(|(id, _)| id.ends_with(".batch_invariance"))?.1.bytes;
    let first = bytes.values().next()?;
    Some(bytes.values().all(|other| other == first))
}

/// GPUs of one model that do not agree with the others of that model: suspect hardware, each with its sentence.
pub fn deviants(devices: &[SelfTest]) -> Vec<String> {
    let mut models: BTreeMap<String, Vec<&SelfTest>> = BTreeMap::new();
    for test in devices {
        models.entry(test.described("device_name").unwrap_or_default()).or_default().push(test);
    }
    let mut out = Vec::new();
    for (model, tests) in models.into_iter().filter(|(_, tests)| tests.len() > 1) {
        let differ = |a: &SelfTest, b: &SelfTest| {
            let arms = super::verdict::compare(a, b).arms;
            arms.iter()
                .flat_map(|arm| arm.operations.iter().map(|d| d.operation.clone()))
                .collect::<BTreeSet<_>>()
        };
        // Who disagrees with most of its like.
        for test in &tests {
            let others = tests.iter().filter(|t| t.device != test.device);
            let apart: Vec<_> = others.map(|t| differ(test, t)).filter(|d| !d.is_empty()).collect();
            if 2 * apart.len() > tests.len() - 1 {
                let ids = apart.into_iter().flatten().collect::<BTreeSet<_>>();
                let ids: Vec<&str> = ids.iter().map(String::as_str).take(5).collect();
                out.push(format!(
                    "{} ({model}) differs from the others of its model in {}: suspect hardware, run `dcgmi diag -r 3`",
                    test.device,
                    ids.join(", ")
                ));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_that_of_the_binomial_distribution() {
        assert_eq!(bound_percent(66), 4.4);
        assert_eq!(bound_percent(60), 4.9);
        assert_eq!(bound_percent(1), 95.0);
    }
}
