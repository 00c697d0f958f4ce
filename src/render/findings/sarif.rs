//! Findings as SARIF 2.1.0 (OASIS; <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).
//!
//! What GitHub makes of it is in "SARIF support for code scanning"
//! (<https://docs.github.com/en/code-security/reference/code-scanning/sarif-support-for-code-scanning>): it wants one
//! location for each result and matches results across runs by `primaryLocationLineHash`, the file and the rule.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Run, message, place};
use crate::gate::finding::{Finding, Level};
use crate::gate::report::fingerprints;
use crate::snapshot::value::shown;

/// The schema's address, as the standard's errata 01 names it.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The whole document.
pub fn text(findings: &[Finding], run: &Run) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    let index = |rule: &str| by_rule.keys().position(|id| *id == rule).unwrap_or(0);
    let results: Vec<Json> = findings
        .iter()
        .zip(fingerprints(findings))
        .map(|(finding, fingerprint)| result(finding, &fingerprint, index(&finding.rule), run))
        .collect();
    let rules: Vec<Json> = by_rule.iter().map(|(id, list)| rule(id, list)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "driftlock",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            // One file may be uploaded for each category: `check` and `lint` do not replace one another.
            "automationDetails": { "id": format!("driftlock/{}/", run.command) },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    crate::render::json::text(&document)
}

/// A rule as far as its findings tell it.
fn rule(id: &str, findings: &[&Finding]) -> Json {
    let Some(first) = findings.first() else { return json!({ "id": id }) };
    let same = findings.iter().all(|f| f.title == first.title);
    let title = if same { shown(&first.title).into_owned() } else { id.to_owned() };
    let mut rule = Map::new();
    rule.insert("id".to_owned(), json!(id));
    rule.insert("shortDescription".to_owned(), json!({ "text": title }));
    if let Some(why) = &first.why {
        rule.insert("fullDescription".to_owned(), json!({ "text": shown(why) }));
    }
    if let Some(page) = &first.page {
        rule.insert("helpUri".to_owned(), json!(page));
    }
    if let Some((text, markdown)) = help(first) {
        rule.insert("help".to_owned(), json!({ "text": text, "markdown": markdown }));
    }
    let level = findings.iter().map(|f| f.level).min().unwrap_or(Level::Warn);
    rule.insert("defaultConfiguration".to_owned(), json!({ "level": self::level(level) }));
    let mut tags = vec!["reproducibility"];
    tags.extend(first.effect.map(|e| e.word()));
    rule.insert("properties".to_owned(), json!({ "tags": tags }));
    Json::Object(rule)
}

/// Remedy and sources, as text and as Markdown.
fn help(finding: &Finding) -> Option<(String, String)> {
    let remedy = finding.remedy.as_ref()?;
    let (mut text, mut markdown) = (shown(remedy).into_owned(), super::markdown::prose(remedy));
    for source in &finding.sources {
        text.push_str(&format!("\n{}: {}", shown(&source.title), shown(&source.url)));
        markdown.push_str(&format!("\n\n{}", super::markdown::link(&source.title, &source.url)));
    }
    Some((text, markdown))
}

fn result(finding: &Finding, fingerprint: &str, index: usize, run: &Run) -> Json {
    let (path, line) = place(finding, run);
    let mut region = json!({ "startLine": line });
    if let Some(location) = &finding.location {
        if let Some(column) = location.column {
            region["startColumn"] = json!(column);
        }
        // In SARIF the end is the column behind the last one (§3.30.8).
        if let (Some(_), Some(end)) = (location.column, location.end_column) {
            region["endColumn"] = json!(end.saturating_add(1));
        }
    }
    let facts: Vec<Json> = finding
        .facts
        .iter()
        .map(|f| json!({ "fact": f.fact, "expected": f.expected, "found": f.found }))
        .collect();
    let mut properties = json!({ "facts": facts });
    if let Some(effect) = finding.effect {
        properties["effect"] = json!(effect.word());
    }
    if let Some(confidence) = finding.confidence {
        properties["confidence"] = json!(confidence.word());
    }
    let print = fingerprint.strip_prefix("sha256:").unwrap_or(fingerprint);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": level(finding.level),
        "message": { "text": message(finding) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&path) },
            "region": region,
        }}],
        "partialFingerprints": { "primaryLocationLineHash": print.get(..16).unwrap_or(print), "driftlock/v1": print },
        "properties": properties,
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "note",
    }
}

/// A path as a relative reference of RFC 3986 (§4.2), or `file:` where it begins at the root: what is not
/// `unreserved`, a `/` or a `sub-delims` stands as percent and two digits.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("a b/ü%.lock"), "a%20b/%C3%BC%25.lock");
        assert_eq!(uri("/srv/c:d"), "file:///srv/c%3Ad");
    }
}
