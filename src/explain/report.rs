//! The public form of an explanation: `driftlock/diff/1`. Apart from the internal types, so that these can change.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::rule::{Confidence, Effect, Source};
use super::settle::{Finding, SideName, Standing};
use super::verdict::Outcome;
use super::{Explanation, scope};
use crate::diff::Kind;
use crate::snapshot::{FactPath, Snapshot, Value, digest};

/// The name of this form.
pub const SCHEMA: &str = "driftlock/diff/1";

/// Two snapshots compared and explained.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The name of this form.
    #[schemars(schema_with = "name_of_the_form")]
    pub schema: &'static str,
    /// The first snapshot.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// What the runs use.
    pub scope: Scope,
    /// What to expect.
    pub verdict: Verdict,
    /// What can alter results, the first the most likely.
    pub causes: Vec<Cause>,
    /// What makes either side unreliable by itself.
    pub hazards: Vec<Cause>,
    /// Every fact that differs.
    pub changes: Vec<Change>,
    /// What could not be compared.
    pub unreadable: Vec<Unreadable>,
    /// What the runs wrote, as `driftlock/outputs/1`, where both snapshots hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<crate::outputs::compare::Report>,
    /// What the self-tests of both sides show, where both have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selftest: Option<super::selftest::SelfTests>,
}

fn name_of_the_form(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": SCHEMA })
}

/// The ladder. A field of it that may be missing is left out, and never `null`.
fn effects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Effect::ALL.map(Effect::word) })
}

fn confidences(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Confidence::ALL.map(Confidence::word) })
}

/// One of the two.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Side {
    /// How the user named it.
    pub path: String,
    /// The label given at capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// What the runs use; a list that is missing is not known.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Scope {
    /// Frameworks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frameworks: Option<Vec<String>>,
    /// Native libraries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub libraries: Option<Vec<String>>,
    /// Devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<String>>,
    /// Families of operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
    /// How this is known.
    pub from: scope::From,
}

/// What to expect.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict {
    /// In a word.
    pub outcome: Outcome,
    /// The most severe effect among the causes; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "effects")]
    pub level: Option<Effect>,
    /// In a sentence.
    pub summary: String,
    /// What stands in the way.
    pub unknown: Vec<String>,
}

/// A finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Cause {
    /// Its place, from 1.
    pub rank: usize,
    /// The rule's id.
    pub rule: String,
    /// One line.
    pub title: String,
    /// What it does to results.
    #[schemars(schema_with = "effects")]
    pub effect: Effect,
    /// How well that is known.
    #[schemars(schema_with = "confidences")]
    pub confidence: Confidence,
    /// The facts that it is about.
    pub facts: Vec<String>,
    /// Why.
    pub why: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<String>,
    /// What to do.
    pub remedy: String,
    /// When the rule errs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_when: Option<String>,
    /// What speaks for it in this pair.
    pub evidence: Vec<String>,
    /// Where it is known from.
    pub sources: Vec<Link>,
    /// The side of a hazard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<SideName>,
}

/// A source.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Its address.
    pub url: String,
}

impl From<&Source> for Link {
    fn from(source: &Source) -> Self {
        let Source { title, url, .. } = source.on_the_web();
        Self { title, url }
    }
}

/// One fact that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// Its path.
    pub fact: String,
    /// How it differs.
    pub kind: Kind,
    /// The first value; `null` is absent.
    pub a: Option<serde_json::Value>,
    /// The second.
    pub b: Option<serde_json::Value>,
    /// What it is.
    pub standing: Standing,
    /// The rules that say so.
    pub rules: Vec<String>,
    /// Why, where it is no cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A fact, or a part of a section, that could not be compared.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Unreadable {
    /// Its path.
    pub fact: String,
    /// Why on the first side; `null` where it was looked at.
    pub a: Option<String>,
    /// Why on the second.
    pub b: Option<String>,
}

/// The public form of one snapshot's name.
pub fn side(path: &str, snapshot: &Snapshot) -> Side {
    let label = snapshot.meta.get(&FactPath::new(["meta", "label"])).map(Value::plain);
    Side { path: path.to_owned(), label, fingerprint: digest::fingerprint(&digest::sections(snapshot)) }
}

/// The public form of an explanation.
pub fn report(explanation: &Explanation, a: Side, b: Side) -> Report {
    let list = |set: &Option<std::collections::BTreeSet<String>>| {
        set.as_ref().map(|s| s.iter().cloned().collect::<Vec<_>>())
    };
    let scope = &explanation.scope;
    let verdict = &explanation.verdict;
    Report {
        schema: SCHEMA,
        a,
        b,
        scope: Scope {
            frameworks: list(&scope.frameworks),
            libraries: list(&scope.libraries),
            devices: list(&scope.devices),
            operations: list(&scope.operations),
            from: scope.from,
        },
        verdict: Verdict {
            outcome: verdict.outcome,
            level: verdict.level,
            summary: verdict.summary.clone(),
            unknown: verdict.unknown.iter().map(ToString::to_string).collect(),
        },
        causes: explanation.causes.iter().enumerate().map(|(i, f)| cause(i + 1, f)).collect(),
        hazards: explanation.hazards.iter().enumerate().map(|(i, f)| cause(i + 1, f)).collect(),
        changes: explanation
            .diff
            .changes
            .iter()
            .zip(&explanation.settled)
            .map(|(change, settled)| Change {
                fact: change.path.to_string(),
                kind: change.kind(),
                a: change.a.as_ref().map(json),
                b: change.b.as_ref().map(json),
                standing: settled.standing,
                rules: settled.rules.clone(),
                why: settled.why.clone(),
            })
            .collect(),
        outputs: explanation.observed.clone(),
        selftest: explanation.selftests.clone(),
        unreadable: explanation
            .diff
            .unreadable
            .iter()
            .map(|u| Unreadable { fact: u.path.to_string(), a: u.why[0].clone(), b: u.why[1].clone() })
            .collect(),
    }
}

fn cause(rank: usize, finding: &Finding) -> Cause {
    let rule = &finding.rule;
    Cause {
        rank,
        rule: rule.id.clone(),
        title: rule.title.clone(),
        effect: rule.effect,
        confidence: finding.confidence,
        facts: finding.facts.iter().map(ToString::to_string).collect(),
        why: rule.why.clone(),
        magnitude: finding.magnitude.clone(),
        remedy: rule.remedy.clone(),
        wrong_when: rule.wrong_when.clone(),
        evidence: finding.evidence.clone(),
        sources: rule.sources.iter().map(Link::from).collect(),
        side: finding.side,
    }
}

/// A fact's value in JSON.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Str(text) => text.as_str().into(),
        Value::Int(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        // Infinities, which JSON has no number for, as text.
        Value::Float(number) => serde_json::Number::from_f64(*number)
            .map_or_else(|| number.to_string().into(), serde_json::Value::Number),
        Value::List(items) => items.iter().map(json).collect(),
    }
}
