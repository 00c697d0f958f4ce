//! The public form of a bisection: `driftlock/bisect/1`. Apart from the internal types, so that these can change.

mod build;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::factor::Kind;
use crate::explain::Standing;
use crate::explain::report::{Cause as Hazard, Link, Side};
use crate::outputs::compare::Report as Outputs;

pub use build::{Parts, plan, report};

/// The name of this form.
pub const SCHEMA: &str = "driftlock/bisect/1";

/// What a bisection found, or with `--dry-run` would try.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The name of this form.
    #[schemars(schema_with = "name_of_the_form")]
    pub schema: &'static str,
    /// The first snapshot.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// The command, as given.
    pub command: Vec<String>,
    /// What is compared.
    pub basis: Basis,
    /// How it ended.
    pub outcome: Outcome,
    /// The same in a sentence.
    pub summary: String,
    /// The ends; `null` with `--dry-run`.
    pub ground: Option<Ground>,
    /// What was set, the likeliest first.
    pub factors: Vec<FactorReport>,
    /// What differs and cannot be set here, the likeliest first.
    pub uncontrolled: Vec<UncontrolledReport>,
    /// What did it.
    pub causes: Vec<Cause>,
    /// The check from both sides.
    pub verified: Option<Verified>,
    /// Facts that may still be at work where what can be set does not explain the difference.
    pub suspects: Vec<String>,
    /// What makes runs unreliable by themselves.
    pub hazards: Vec<Hazard>,
    /// Every probe in order.
    pub probes: Vec<Probe>,
    /// Probes that the search took beside the ground, those known from an earlier bisection included.
    pub searched: usize,
    /// By how much A's and B's outputs differ, as `driftlock/outputs/1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<Outputs>,
    /// Files of the user's that changed while probes ran; none, unless the command or somebody else wrote to them.
    pub touched: Vec<String>,
    /// Remarks.
    pub notes: Vec<String>,
}

fn name_of_the_form(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": SCHEMA })
}

/// What is compared between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Basis {
    /// `outputs`, or `stdout` without any `--output`; the exit code counts in both.
    pub what: &'static str,
    /// The `--output`s.
    pub outputs: Vec<String>,
    /// `--compare`; bitwise without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
}

/// How a bisection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// `--dry-run`.
    Planned,
    /// The causes are found, and verified from both sides.
    Proved,
    /// A set was found that turns A's result into B's, and what B gives without it is not known.
    Partial,
    /// A and B give the same here: nothing that can be set matters to this command.
    Equal,
    /// A and B give the same here, and the recorded runs did not: what cannot be set did it, or chance.
    Unexplained,
    /// A side does not repeat itself, so that a difference proves nothing.
    Unstable,
    /// A side does not run.
    Failed,
}

/// The ends.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Ground {
    /// A.
    pub a: End,
    /// B.
    pub b: End,
    /// Whether the two gave the same.
    pub equal: bool,
}

/// One end.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct End {
    /// Its runs.
    pub runs: usize,
    /// Different results that they gave.
    pub distinct: usize,
    /// How often each result came, the first one first.
    pub counts: Vec<usize>,
    /// How its runs ended.
    pub ended: Vec<String>,
    /// Whether it gives here, bit by bit, what its snapshot recorded; missing where that holds no outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_recorded: Option<bool>,
}

/// A factor.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FactorReport {
    /// Its name.
    pub id: String,
    /// What is set.
    pub kind: Kind,
    /// The facts that it stands for.
    pub facts: Vec<String>,
    /// A's value.
    pub a: String,
    /// B's.
    pub b: String,
    /// How it is set.
    pub how: String,
    /// Whether something else stands in for the real difference.
    pub simulated: bool,
    /// What the explanation says of it.
    pub standing: Standing,
    /// The rule that speaks for it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A difference that cannot be set.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UncontrolledReport {
    /// The fact.
    pub fact: String,
    /// A's value.
    pub a: String,
    /// B's.
    pub b: String,
    /// Why.
    pub why: String,
    /// What the explanation says of it.
    pub standing: Standing,
}

/// How a cause acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acts {
    /// It alone moves A's result.
    Alone,
    /// Its factors move A's result only together.
    Interaction,
    /// It gives B's result by itself, as another cause does.
    AlsoSuffices,
    /// It moves B's result where another cause, which hides it, is taken away.
    Masked,
}

/// What did it: a finding, proved.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Cause {
    /// Its place, from 1.
    pub rank: usize,
    /// The factors.
    pub factors: Vec<String>,
    /// How they act.
    pub acts: Acts,
    /// The facts that they stand for.
    pub facts: Vec<String>,
    /// The rule that explains it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// One line.
    pub title: String,
    /// What it does to results, by the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// Always `proved`.
    #[schemars(schema_with = "proved")]
    pub confidence: &'static str,
    /// Whether a simulation stands in for the real difference, so that the proof is of the simulation.
    pub simulated: bool,
    /// Why, by the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// By how much the ends differ, where their outputs were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<String>,
    /// What to do.
    pub remedy: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// Where the rule is known from.
    pub sources: Vec<Link>,
    /// The commit among a range of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitReport>,
}

fn proved(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": "proved" })
}

/// A commit among a range.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CommitReport {
    /// The commit, or several where those between them do not run.
    pub commits: Vec<String>,
    /// The first line of its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The commits of the range.
    pub among: usize,
    /// The probes that it took.
    pub probes: usize,
}

/// The check from both sides.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verified {
    /// The factors of the first set that was found.
    pub set: Vec<String>,
    /// A with them gives.
    pub a_with: String,
    /// B without all that was found gives.
    pub b_without: String,
}

/// One probe.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Probe {
    /// Its number, from 1.
    pub number: usize,
    /// What it is.
    pub what: String,
    /// The factors that had B's value.
    pub from_b: Vec<String>,
    /// What came of it: `A`, `B`, `other 1`, or `?` with the reason in `why`.
    pub outcome: String,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it was known from an earlier bisection.
    pub cached: bool,
}
