//! From TOML to a rule, with errors that name the key.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{
    Case, Condition, Confidence, Effect, Is, On, Operator, Part, Predicate, Rule, RuleScope, Scalar, Side,
    Source, Values,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    title: String,
    on: On,
    effect: Effect,
    confidence: Confidence,
    #[serde(default)]
    since: String,
    #[serde(default)]
    facts: Vec<String>,
    why: String,
    magnitude: Option<String>,
    remedy: String,
    wrong_when: Option<String>,
    harmless: Option<String>,
    #[serde(default)]
    scope: RuleScope,
    when: Option<toml::Table>,
    undecided: Option<Undecided>,
    #[serde(default)]
    unstable: bool,
    #[serde(default)]
    values: BTreeMap<String, RawValues>,
    predict: Option<String>,
    weight: Option<u8>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    source: Vec<Source>,
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Undecided {
    Ignore,
    Weaken,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValues {
    absent: Option<toml::Value>,
    #[serde(default)]
    same: Vec<Vec<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    expect: Expect,
    #[serde(default)]
    a: toml::Table,
    #[serde(default)]
    b: toml::Table,
    facts: Option<toml::Table>,
    scope: Option<RuleScope>,
    absent: Option<AbsentMeans>,
    source: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Hit,
    Miss,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AbsentMeans {
    Unknown,
}

/// One rule with its cases, of a file in the folder `topic`.
///
/// # Errors
///
/// What is wrong, with line and column where TOML's parser tells them.
pub fn parse(text: &str, topic: &str) -> Result<(Rule, Vec<Case>), String> {
    let raw: RawRule = toml::from_str(text).map_err(|e| e.to_string())?;
    let id = raw.id.clone();
    rule(raw, topic).map_err(|e| format!("rule `{id}`: {e}"))
}

/// What is wrong with one of several rules, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The byte at which it stands, where that is known.
    pub at: Option<usize>,
    /// The rule's id, where it has one.
    pub rule: Option<String>,
    /// What is wrong.
    pub what: String,
}

/// The `[[rule]]` tables of a `driftlock.toml`, each with the byte at which it begins. Other keys are not looked at.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse_many(text: &str) -> Result<Vec<(usize, Rule, Vec<Case>)>, Wrong> {
    let wrong = |e: &toml::de::Error, rule| Wrong {
        at: e.span().map(|s| s.start),
        rule,
        what: e.message().to_owned(),
    };
    let mut root = DeTable::parse(text).map_err(|e| wrong(&e, None))?.into_inner();
    let Some(list) = root.remove("rule") else {
        return Ok(Vec::new());
    };
    let at = list.span().start;
    let DeValue::Array(items) = list.into_inner() else {
        let what = "rules are written as `[[rule]]`".to_owned();
        return Err(Wrong { at: Some(at), rule: None, what });
    };
    items.into_iter().map(of_list).collect()
}

fn of_list(item: Spanned<DeValue<'_>>) -> Result<(usize, Rule, Vec<Case>), Wrong> {
    let at = item.span().start;
    let id = match item.get_ref() {
        DeValue::Table(table) => match table.get("id").map(Spanned::get_ref) {
            Some(DeValue::String(id)) => Some(id.to_string()),
            _ => None,
        },
        _ => None,
    };
    let raw = RawRule::deserialize(ValueDeserializer::from(item)).map_err(|e| Wrong {
        at: Some(e.span().map_or(at, |s| s.start)),
        rule: id.clone(),
        what: e.message().to_owned(),
    })?;
    let (rule, cases) = rule(raw, "user").map_err(|what| Wrong { at: Some(at), rule: id.clone(), what })?;
    Ok((at, rule, cases))
}

fn rule(raw: RawRule, topic: &str) -> Result<(Rule, Vec<Case>), String> {
    let when = raw.when.map(|t| condition(&toml::Value::Table(t))).transpose()?;
    let values = raw.values.into_iter().map(|(path, v)| Ok((path, values(v)?)));
    let values = values.collect::<Result<_, String>>()?;
    let cases = raw.case.into_iter().map(case).collect::<Result<_, String>>()?;
    let rule = Rule {
        id: raw.id,
        topic: topic.to_owned(),
        title: raw.title,
        on: raw.on,
        effect: raw.effect,
        confidence: raw.confidence,
        since: raw.since,
        facts: raw.facts,
        why: one_line(&raw.why),
        magnitude: raw.magnitude.as_deref().map(one_line),
        remedy: one_line(&raw.remedy),
        wrong_when: raw.wrong_when.as_deref().map(one_line),
        harmless: raw.harmless.as_deref().map(one_line),
        scope: raw.scope,
        when,
        ignore_undecided: matches!(raw.undecided, Some(Undecided::Ignore)),
        unstable: raw.unstable,
        values,
        predict: raw.predict,
        weight: raw.weight.unwrap_or(50),
        aliases: raw.aliases,
        sources: raw.source,
    };
    Ok((rule, cases))
}

/// Paragraphs are wrapped where they are shown, not where they were typed.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn values(raw: RawValues) -> Result<Values, String> {
    let list = |items: &[toml::Value]| items.iter().map(Scalar::from_toml).collect::<Result<Vec<_>, _>>();
    Ok(Values {
        absent: raw.absent.as_ref().map(Scalar::from_toml).transpose()?,
        same: raw.same.iter().map(|s| list(s)).collect::<Result<_, _>>()?,
    })
}

fn case(raw: RawCase) -> Result<Case, String> {
    let facts = |table: &toml::Table| {
        table.iter().map(|(k, v)| Ok((k.clone(), Scalar::from_toml(v)?))).collect::<Result<_, String>>()
    };
    Ok(Case {
        name: raw.name,
        hit: raw.expect == Expect::Hit,
        a: facts(raw.facts.as_ref().unwrap_or(&raw.a))?,
        b: facts(&raw.b)?,
        scope: raw.scope,
        unknown: raw.absent.is_some(),
        source: raw.source,
    })
}

fn condition(value: &toml::Value) -> Result<Condition, String> {
    let table = value.as_table().ok_or("a condition is a table")?;
    let list = |value: &toml::Value| -> Result<Vec<Condition>, String> {
        let items = value.as_array().ok_or("`all` and `any` take a list of conditions")?;
        items.iter().map(condition).collect()
    };
    if table.contains_key("fact") {
        return Ok(Condition::Fact(predicate(table)?));
    }
    let mut entries = table.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => match key.as_str() {
            "all" => Ok(Condition::All(list(value)?)),
            "any" => Ok(Condition::Any(list(value)?)),
            "not" => Ok(Condition::Not(Box::new(condition(value)?))),
            other => {
                Err(format!("`{other}` is no condition: `all`, `any`, `not`, or a `fact` with an operator"))
            }
        },
        _ => Err("a condition has one key, `all`, `any` or `not`, or a `fact` with an operator".to_owned()),
    }
}

const OPERATORS: [&str; 12] = [
    "is",
    "equals",
    "one_of",
    "at_least",
    "below",
    "matches",
    "contains",
    "several",
    "above",
    "changed",
    "changed_by",
    "crosses",
];

fn predicate(table: &toml::Table) -> Result<Predicate, String> {
    let fact = table["fact"].as_str().ok_or("`fact` is a path")?.to_owned();
    let side = match table.get("side").map(|v| v.as_str().unwrap_or_default()) {
        None | Some("either") => Side::Either,
        Some("both") => Side::Both,
        Some("a") => Side::A,
        Some("b") => Side::B,
        Some(other) => return Err(format!("`{other}` is no side: either, both, a, b")),
    };
    let mut operators = table.iter().filter(|(k, _)| *k != "fact" && *k != "side");
    let (Some((key, value)), None) = (operators.next(), operators.next()) else {
        return Err(format!("`{fact}` takes exactly one operator of {}", OPERATORS.join(", ")));
    };
    let text = || value.as_str().ok_or_else(|| format!("`{key}` takes a text"));
    let operator = match key.as_str() {
        "is" => Operator::Is(match text()? {
            "present" => Is::Present,
            "absent" => Is::Absent,
            "unknown" => Is::Unknown,
            other => return Err(format!("`is` takes present, absent or unknown, not `{other}`")),
        }),
        "equals" => Operator::Equals(Scalar::from_toml(value)?),
        "one_of" => match Scalar::from_toml(value)? {
            Scalar::List(items) => Operator::OneOf(items),
            _ => return Err("`one_of` takes a list".to_owned()),
        },
        "at_least" => Operator::AtLeast(Scalar::from_toml(value)?),
        "below" => Operator::Below(Scalar::from_toml(value)?),
        "matches" => Operator::Matches(text()?.to_owned()),
        "contains" => Operator::Contains(Scalar::from_toml(value)?),
        "several" if value.as_bool() == Some(true) => Operator::Several,
        "several" => return Err("`several` takes true".to_owned()),
        "above" => {
            let table = value.as_table().ok_or("`above` takes a table with `fact` and `unit`")?;
            let fact = table.get("fact").and_then(toml::Value::as_str).ok_or("`above` needs a `fact`")?;
            let unit = match table.get("unit") {
                None => 1,
                Some(unit) => unit
                    .as_integer()
                    .filter(|u| *u > 0)
                    .ok_or("`unit` of `above` is a whole number above 0")?,
            };
            if let Some(other) = table.keys().find(|k| *k != "fact" && *k != "unit") {
                return Err(format!("`above` takes `fact` and `unit`, not `{other}`"));
            }
            Operator::Above { fact: fact.to_owned(), unit }
        }
        "changed" => Operator::Changed(value.as_bool().ok_or("`changed` takes true or false")?),
        "changed_by" => Operator::ChangedBy(match text()? {
            "major" => Part::Major,
            "minor" => Part::Minor,
            "patch" => Part::Patch,
            "build" => Part::Build,
            other => return Err(format!("`changed_by` takes major, minor, patch or build, not `{other}`")),
        }),
        "crosses" => Operator::Crosses(Scalar::from_toml(value)?),
        other => return Err(format!("`{other}` is no operator: one of {}", OPERATORS.join(", "))),
    };
    Ok(Predicate { fact, side, operator })
}
