//! Rules for people and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::diff::human::wrap;
use super::table;
use crate::explain::Catalogue;
use crate::explain::rule::{Case, On, Rule, RuleScope};
use crate::snapshot::value::shown;

const HEADING: Style = AnsiColor::Green.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// One rule with all that it says.
pub fn one(rule: &Rule, cases: &[Case], width: u16) -> String {
    let width = usize::from(width);
    let title = wrap(&shown(&rule.title), width).join("\n");
    let mut out = format!("{HEADING}{}{HEADING:#}\n{title}\n\n", rule.id);
    let mut item = |name: &str, text: &str| {
        for (i, line) in wrap(&shown(text), width.saturating_sub(14)).iter().enumerate() {
            let head = if i == 0 { name } else { "" };
            let _infallible = writeln!(out, "{DIM}{head:<12}{DIM:#} {line}");
        }
    };
    let on = match rule.on {
        On::Diff => "a difference of two snapshots",
        On::Snapshot => "a hazard of one snapshot",
        On::Source => "a program's source",
    };
    item("judges", on);
    item("effect", &format!("{}, {}", rule.effect.word(), rule.confidence.word()));
    item("why", &rule.why);
    for (name, text) in
        [("how much", &rule.magnitude), ("wrong when", &rule.wrong_when), ("harmless if", &rule.harmless)]
    {
        text.iter().for_each(|text| item(name, text));
    }
    item("remedy", &rule.remedy);
    if !rule.facts.is_empty() {
        item("facts", &rule.facts.join(", "));
    }
    for (name, list) in scope(&rule.scope) {
        item(name, &list.join(", "));
    }
    for source in &rule.sources {
        item("source", &format!("{} (read {})", source.title, source.read));
        item("", &source.on_the_web().url);
    }
    for case in cases {
        item(if case.hit { "raised" } else { "silent" }, &case.name);
    }
    out
}

fn scope(scope: &RuleScope) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
    let keys = [
        ("frameworks", &scope.frameworks),
        ("libraries", &scope.libraries),
        ("devices", &scope.devices),
        ("operations", &scope.operations),
    ];
    keys.into_iter().filter(|(_, list)| !list.is_empty())
}

/// Every rule in a line, by topic.
pub fn list(rules: &Catalogue, width: u16) -> String {
    let mut topics: Vec<&str> = rules.rules.iter().map(|r| r.rule.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let mut out = String::new();
    for topic in topics {
        let _infallible = writeln!(out, "{HEADING}{topic}{HEADING:#}");
        let of_topic = rules.rules.iter().map(|r| &r.rule).filter(|r| r.topic == topic);
        let rows: Vec<Vec<String>> = of_topic
            .map(|r| vec![r.id.clone(), r.effect.word().to_owned(), shown(&r.title).into_owned()])
            .collect();
        out.push_str(&table::plain(&[], &rows, width));
    }
    let _infallible = writeln!(out, "{} rules; `driftlock explain RULE` shows one.", rules.rules.len());
    out
}

/// `driftlock/rules/1`.
pub fn json<'r>(rules: impl Iterator<Item = &'r Rule>) -> serde_json::Value {
    let rules: Vec<serde_json::Value> = rules
        .map(|r| {
            json!({
                "id": r.id, "topic": r.topic, "title": r.title, "on": r.on, "effect": r.effect,
                "confidence": r.confidence, "since": r.since, "facts": r.facts, "why": r.why,
                "magnitude": r.magnitude, "remedy": r.remedy, "wrong_when": r.wrong_when,
                "scope": r.scope, "unstable": r.unstable, "sources": r.sources,
            })
        })
        .collect();
    json!({ "schema": "driftlock/rules/1", "rules": rules })
}
