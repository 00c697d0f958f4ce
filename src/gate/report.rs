//! The public form of what `check` and `lint` report: `driftlock/check/1`, `driftlock/lint/1`. Apart from the internal
//! types, so that these can change.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::finding::{self, Level};
use crate::explain::report as explained;
use crate::explain::report::Link;
use crate::explain::rule::{Confidence, Effect};
use crate::snapshot::digest;

/// What a gate reports. `D` are the keys that only one command has.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report<'n, D> {
    /// The name of this form.
    pub schema: &'n str,
    /// Whether the gate lets the run pass: no finding is denied.
    pub passed: bool,
    /// In a sentence.
    pub summary: String,
    /// How many findings there are of each level.
    pub counts: Counts,
    /// What only this command says.
    #[serde(flatten)]
    pub details: D,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
}

/// What only `check` says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Details {
    /// The lock.
    pub lock: explained::Side,
    /// What was compared with it; its path is `now` for this machine.
    pub against: explained::Side,
    /// The policy's file; `null` where the defaults hold.
    pub policy: Option<String>,
    /// The profile that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub profile: Option<String>,
    /// The environment whose lock it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Environment")]
    pub environment: Option<Environment>,
    /// What the runs use.
    pub scope: explained::Scope,
    /// What to expect of two runs, whatever the policy.
    pub verdict: explained::Verdict,
    /// How many facts differ.
    pub differences: usize,
    /// How many of them cannot alter results here, by what is known.
    pub quiet: usize,
    /// What only one side was asked for, so that it could not be compared.
    pub not_compared: Vec<String>,
    /// What an ignore of the policy lets pass.
    pub ignored: Vec<Ignored>,
}

/// What only `lint` says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LintDetails {
    /// The snapshot: `now` for this machine; `null` where only source was looked at.
    pub environment: Option<String>,
    /// What `--scope` says.
    pub scope: Vec<String>,
    /// How many source files were looked at; `null` where none were to be.
    pub files: Option<usize>,
    /// Source files that could not be looked at.
    pub skipped: Vec<Skipped>,
    /// How many findings comments in the source took back.
    pub ignored: usize,
}

/// A file that could not be looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Skipped {
    /// The file.
    pub path: String,
    /// The line of the first error, where there is one.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub why: String,
}

/// An environment of the policy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// What this machine has in common with its lock, where it was picked by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub picked_by: Option<String>,
}

/// What an ignore lets pass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Ignored {
    /// The rule of the finding.
    pub rule: String,
    /// Its facts.
    pub facts: Vec<String>,
    /// Why.
    pub reason: String,
    /// The ignore's line in the policy.
    pub line: usize,
}

/// How many findings there are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// They fail the gate.
    pub deny: usize,
    /// They are shown.
    pub warn: usize,
    /// They are counted.
    pub allow: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[finding::Finding]) -> Self {
        let of = |level| findings.iter().filter(|f| f.level == level).count();
        Self { deny: of(Level::Deny), warn: of(Level::Warn), allow: of(Level::Allow) }
    }

    /// `1 finding fails the gate, 2 warn`; `nothing found` where there is none of either.
    pub fn sentence(self) -> String {
        let findings = |n: usize| if n == 1 { "finding" } else { "findings" };
        match (self.deny, self.warn) {
            (0, 0) => "nothing found".to_owned(),
            (0, w) => format!("nothing fails the gate, {w} {} to look at", findings(w)),
            (d, w) => {
                let fail = if d == 1 { "fails" } else { "fail" };
                let more = if w == 0 { String::new() } else { format!(", {w} more to look at") };
                format!("{d} {} {fail} the gate{more}", findings(d))
            }
        }
    }
}

/// One thing found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The rule's id, or the policy's key for what the policy alone asks.
    pub rule: String,
    /// `deny`, `warn` or `allow`.
    #[schemars(schema_with = "levels")]
    pub level: &'static str,
    /// One line.
    pub title: String,
    /// What it does to results, where a rule says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "effects")]
    pub effect: Option<Effect>,
    /// How well that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "confidences")]
    pub confidence: Option<Confidence>,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub why: Option<String>,
    /// How much it moves results, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub magnitude: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub remedy: Option<String>,
    /// The facts that it is about, with their values.
    pub facts: Vec<Fact>,
    /// Where to look.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Location")]
    pub location: Option<Location>,
    /// Where this is known from.
    pub sources: Vec<Link>,
    /// The page of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub page: Option<String>,
    /// The same for the same finding in every run, whatever the values and lines are; different for any two findings
    /// of one report.
    pub fingerprint: String,
}

/// A fact and its values, as people read them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Fact {
    /// Its path.
    pub fact: String,
    /// What was expected; `null` where there is no expectation.
    pub expected: Option<String>,
    /// What is there; `null` is absent.
    pub found: Option<String>,
}

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Location {
    /// The file.
    pub path: String,
    /// The line.
    pub line: usize,
    /// The first column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    pub column: Option<usize>,
    /// The last column, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    pub end_column: Option<usize>,
}

fn levels(_: &mut SchemaGenerator) -> Schema {
    let words = [Level::Deny, Level::Warn, Level::Allow].map(Level::word);
    json_schema!({ "enum": words })
}

fn effects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Effect::ALL.map(Effect::word) })
}

fn confidences(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Confidence::ALL.map(Confidence::word) })
}

/// The public form of findings, in the same order.
pub fn findings(list: &[finding::Finding]) -> Vec<Finding> {
    list.iter().zip(fingerprints(list)).map(|(finding, fingerprint)| public(finding, fingerprint)).collect()
}

fn public(finding: &finding::Finding, fingerprint: String) -> Finding {
    let fact = |f: &finding::FactChange| Fact {
        fact: f.fact.clone(),
        expected: f.expected.clone(),
        found: f.found.clone(),
    };
    let location = |l: &finding::Location| Location {
        path: path(l),
        line: l.line,
        column: l.column,
        end_column: l.end_column,
    };
    Finding {
        rule: finding.rule.clone(),
        level: finding.level.word(),
        title: finding.title.clone(),
        effect: finding.effect,
        confidence: finding.confidence,
        why: finding.why.clone(),
        magnitude: finding.magnitude.clone(),
        remedy: finding.remedy.clone(),
        facts: finding.facts.iter().map(fact).collect(),
        location: finding.location.as_ref().map(location),
        sources: finding.sources.iter().map(Link::from).collect(),
        page: finding.page.clone(),
        fingerprint,
    }
}

/// A location's path as other programs want it: `/` between its parts, no `./` in front.
pub fn path(location: &finding::Location) -> String {
    let text = location.path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// For each finding a name that stays when its values or its line change, so that a tracker knows it again: the rule,
/// its first fact, the file. Findings that have all of these in common are counted through.
pub fn fingerprints(list: &[finding::Finding]) -> Vec<String> {
    let key = |finding: &finding::Finding| {
        let mut parts = vec![finding.rule.clone()];
        parts.push(finding.location.as_ref().map(path).unwrap_or_default());
        parts.extend(finding.facts.first().map(|f| f.fact.clone()));
        parts.join("\0")
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    list.iter()
        .map(|finding| {
            let key = key(finding);
            let before = seen.entry(key.clone()).or_default();
            *before += 1;
            digest::sha256(format!("{key}\0{before}").as_bytes())
        })
        .collect()
}
