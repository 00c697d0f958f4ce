//! The form of a rule. `docs/design/rules.md` is the reference. This module is compiled twice: into the crate, and
//! into `build.rs`, which turns `src/rules/*/*.toml` into bytes once, so that nothing is parsed when driftlock starts.

mod condition;
mod raw;
mod scalar;

pub use condition::{Condition, Is, Operator, Part, Predicate, Side};
pub use raw::{Wrong, parse, parse_many};
pub use scalar::Scalar;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a rule says and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The name: kebab-case, unique, the stem of its file.
    pub id: String,
    /// The folder of its file; `user` for a rule of `driftlock.toml`.
    pub topic: String,
    /// One line.
    pub title: String,
    /// Whether it judges a difference or one side.
    pub on: On,
    /// What it does to results.
    pub effect: Effect,
    /// How well that is known.
    pub confidence: Confidence,
    /// The version of driftlock that first had it.
    pub since: String,
    /// Patterns of the facts that it speaks for.
    pub facts: Vec<String>,
    /// Why.
    pub why: String,
    /// How much, where a source gives figures.
    pub magnitude: Option<String>,
    /// What to do.
    pub remedy: String,
    /// When the rule errs.
    pub wrong_when: Option<String>,
    /// Why a change is without effect where `when` does not hold.
    pub harmless: Option<String>,
    /// Which runs it concerns.
    pub scope: RuleScope,
    /// When it is raised, given a change (or, on a snapshot, at all).
    pub when: Option<Condition>,
    /// Whether an undecided `when` (a fact is unknown) keeps the rule silent instead of weakening it.
    pub ignore_undecided: bool,
    /// Whether a run with this hazard does not repeat itself.
    pub unstable: bool,
    /// Defaults and spellings, by pattern of the fact.
    pub values: BTreeMap<String, Values>,
    /// A calculation of the engine that adds figures.
    pub predict: Option<String>,
    /// Its place among rules of the same effect and confidence; 50 without. At 20 or below the rule is a fallback.
    pub weight: u8,
    /// Former ids.
    pub aliases: Vec<String>,
    /// Where this is known from.
    pub sources: Vec<Source>,
}

/// What a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// A difference of two snapshots.
    Diff,
    /// The state of one snapshot.
    Snapshot,
    /// A program's source: a check of `lint` of the same name looks for it.
    Source,
}

/// What a difference does to results: the ladder, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Other code, data or parameters.
    Code,
    /// Other random numbers.
    Stream,
    /// Another order of iteration or reduction of data.
    Order,
    /// Another algorithm or implementation.
    Algorithm,
    /// TF32, bf16, reduced accumulation: about 1e-3.
    Precision,
    /// The same mathematics summed in another order: a few ulp, which training may amplify.
    Rounding,
    /// No effect on numbers, documented or proved.
    None,
}

/// How well an effect is known, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Shown by running both ways: only `bisect` and self-tests give it.
    Proved,
    /// The library's own words.
    Documented,
    /// A test of ours shows it.
    Measured,
    /// A public thread with an established cause.
    Reported,
    /// Likely, and not checked.
    Plausible,
}

/// Which runs a rule concerns. An empty list is every run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleScope {
    /// `torch`, `numpy`, …
    pub frameworks: Vec<String>,
    /// `openblas`, `cudnn`, …
    pub libraries: Vec<String>,
    /// `cpu`, `cuda`, …
    pub devices: Vec<String>,
    /// Families of operations; `!` takes out.
    pub operations: Vec<String>,
}

/// How a fact's values count for one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// What an absent fact counts as.
    pub absent: Option<Scalar>,
    /// Spellings that mean the same.
    pub same: Vec<Vec<Scalar>>,
}

/// Where a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is.
    pub title: String,
    /// Its address.
    pub url: String,
    /// The day on which it was read, `YYYY-MM-DD`.
    pub read: String,
}

impl Source {
    /// The same with an address for whoever has not this repository: what a rule names by its path in `docs/` is a page
    /// on the web.
    pub fn on_the_web(&self) -> Self {
        let url = match self.url.strip_prefix("docs/") {
            Some(below) => page(below),
            None => self.url.clone(),
        };
        Self { url, ..self.clone() }
    }
}

/// A page of the documentation on the web, by its path below `docs/`: `reference/rules/blas.md#openblas-version`.
pub fn page(below_docs: &str) -> String {
    format!("{}/blob/main/docs/{below_docs}", env!("CARGO_PKG_REPOSITORY"))
}

/// An example of a rule at work, or of a near miss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Whether the rule is raised.
    pub hit: bool,
    /// The facts of the one side; of the only one for a rule on a snapshot.
    pub a: BTreeMap<String, Scalar>,
    /// The facts of the other side.
    pub b: BTreeMap<String, Scalar>,
    /// The run's scope; `None` is the widest.
    pub scope: Option<RuleScope>,
    /// Whether facts that are not named are unknown instead of absent.
    pub unknown: bool,
    /// The program, for a rule on source.
    pub source: Option<String>,
}

impl Effect {
    /// The ladder, the most severe first.
    pub const ALL: [Self; 7] =
        [Self::Code, Self::Stream, Self::Order, Self::Algorithm, Self::Precision, Self::Rounding, Self::None];

    /// The word of the ladder.
    pub fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Stream => "stream",
            Self::Order => "order",
            Self::Algorithm => "algorithm",
            Self::Precision => "precision",
            Self::Rounding => "rounding",
            Self::None => "none",
        }
    }
}

impl Confidence {
    /// Every one, the best first.
    pub const ALL: [Self; 5] =
        [Self::Proved, Self::Documented, Self::Measured, Self::Reported, Self::Plausible];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Documented => "documented",
            Self::Measured => "measured",
            Self::Reported => "reported",
            Self::Plausible => "plausible",
        }
    }
}
