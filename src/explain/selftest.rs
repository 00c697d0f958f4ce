//! What the self-tests of both sides say of the causes: measured here, on these machines, and so weightier than what a
//! rule only knows of such machines.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::Serialize;

use super::rule::RuleScope;
use super::{Explanation, Finding, Outcome};
use crate::selftest::catalogue::Library;
use crate::selftest::verdict::{self, Class, Comparison, Speaks};

/// Two self-tests compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SelfTests {
    /// What the pair shows: `controls`, `not-comparable`, `raises`, `precision`, `order`, `differs`, `stream`,
    /// `unstable`, `equal`.
    pub class: String,
    /// In a sentence.
    pub summary: String,
    /// What the pattern of differences points at, the likeliest first.
    pub hints: Vec<String>,
    /// The arms that both sides ran.
    pub arms: Vec<Arm>,
}

/// One arm: the same computation in one state of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Arm {
    /// Its name.
    pub arm: String,
    /// Operations compared.
    pub compared: usize,
    /// The families in which operations differ.
    pub families: Vec<Family>,
    /// The operations that differ.
    pub operations: Vec<String>,
    /// Operations left out, since a side did not repeat itself in them.
    pub unstable: Vec<String>,
}

/// A family of operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Family {
    /// Its name.
    pub family: String,
    /// Operations of it that differ.
    pub differ: usize,
    /// Operations of it that were compared.
    pub compared: usize,
}

/// Weighs each cause by the operations that it moves: one whose operations differ comes before others of its effect,
/// one whose operations agree goes behind all. Self-tests that differ where no cause was found leave something
/// unexplained.
pub fn weigh(explanation: &mut Explanation, comparison: &Comparison, library: Library) {
    let mut ranked: Vec<(bool, bool, Finding)> = explanation
        .causes
        .drain(..)
        .map(|mut cause| {
            let covered = covers(library, &cause.rule.scope);
            let mut said = cause
                .facts
                .iter()
                .filter(|_| covered)
                .filter_map(|fact| verdict::evidence(comparison, library, &fact.to_string()))
                .collect::<Vec<_>>();
            // The facts of one cause stand for the same thing: one that differs is enough.
            said.sort_by_key(|evidence| evidence.speaks == Speaks::Against);
            let speaks = said.first().map(|evidence| evidence.speaks);
            cause.evidence.extend(said.into_iter().next().map(|evidence| evidence.line));
            (speaks == Some(Speaks::Against), speaks == Some(Speaks::For), cause)
        })
        .collect();
    // Stable: everything else stays in its order.
    ranked.sort_by_key(|(against, speaks_for, cause)| {
        let fallback = cause.rule.weight <= super::settle::FALLBACK;
        (*against, fallback, cause.undecided, cause.rule.effect, Reverse(*speaks_for))
    });
    explanation.causes = ranked.into_iter().map(|(_, _, cause)| cause).collect();
    let differ = matches!(
        comparison.class,
        Class::Raises | Class::Precision | Class::Order | Class::Differs | Class::Stream
    );
    let verdict = &mut explanation.verdict;
    if differ && matches!(verdict.outcome, Outcome::Identical | Outcome::Same) {
        verdict.outcome = Outcome::Unknown;
        verdict.summary = "the self-tests differ, and no recorded fact explains it".to_owned();
    }
    if comparison.class == Class::Controls {
        verdict.summary = format!("{}; {}", comparison.summary, verdict.summary);
        if matches!(verdict.outcome, Outcome::Identical | Outcome::Same) {
            verdict.outcome = Outcome::Unstable;
        }
    }
    explanation.selftests = Some(public(comparison));
}

/// Whether a self-test of this library exercises what a rule is about: threads of OpenBLAS are nothing to a torch that
/// brings MKL.
fn covers(library: Library, scope: &RuleScope) -> bool {
    let own: &[&str] = match library {
        Library::Torch => &["mkl", "onednn", "libgomp", "libomp", "cublas", "cudnn"],
        Library::Numpy => &["openblas", "mkl"],
        Library::Jax => &["xla", "onednn", "cublas", "cudnn"],
        Library::Tensorflow => &["xla", "onednn", "eigen", "cublas", "cudnn"],
    };
    let names =
        |list: &[String], some: &[&str]| list.is_empty() || list.iter().any(|l| some.contains(&l.as_str()));
    let frameworks: &[&str] = match library {
        Library::Numpy => &["numpy", "scipy"],
        other => &[other.module()],
    };
    names(&scope.frameworks, frameworks) && names(&scope.libraries, own)
}

/// The public form.
fn public(comparison: &Comparison) -> SelfTests {
    let arm = |arm: &verdict::ArmComparison| Arm {
        arm: arm.arm.clone(),
        compared: arm.compared,
        families: arm
            .families
            .iter()
            .map(|(family, differ, compared)| Family {
                family: family.clone(),
                differ: *differ,
                compared: *compared,
            })
            .collect(),
        operations: arm.operations.iter().map(|d| d.operation.clone()).collect(),
        unstable: arm.unstable.clone(),
    };
    SelfTests {
        class: comparison.class.word().to_owned(),
        summary: comparison.summary.clone(),
        hints: comparison.hints.clone(),
        arms: comparison.arms.iter().map(arm).collect(),
    }
}
