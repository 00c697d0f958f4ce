//! Findings as a report of GitLab's code quality: one JSON array of issues.
//!
//! The keys are those of "Code Quality report format"
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>): `description`, `check_name`,
//! `fingerprint` (unique; GitLab shows only the first of equal ones), `severity` (`info`, `minor`, `major`, `critical`,
//! `blocker`), `location.path` (relative to the repository) and `location.lines.begin`.

use serde_json::json;

use super::{Run, fact, place};
use crate::explain::rule::Effect;
use crate::gate::finding::{Finding, Level};
use crate::gate::report::fingerprints;
use crate::snapshot::value::shown;

/// The whole document.
pub fn text(findings: &[Finding], run: &Run) -> String {
    let issue = |(finding, fingerprint): (&Finding, String)| {
        let (path, line) = place(finding, run);
        json!({
            "description": description(finding),
            "check_name": finding.rule,
            "fingerprint": fingerprint.strip_prefix("sha256:").unwrap_or(&fingerprint),
            "severity": severity(finding),
            "location": { "path": path, "lines": { "begin": line } },
        })
    };
    let issues = findings.iter().zip(fingerprints(findings)).map(issue).collect();
    crate::render::json::text(&serde_json::Value::Array(issues))
}

/// One line: the title, what differs, and what to do.
fn description(finding: &Finding) -> String {
    let mut out = finding.title.clone();
    let facts: Vec<String> = finding.facts.iter().take(3).map(fact).collect();
    if !facts.is_empty() {
        out.push_str(&format!(" ({})", facts.join("; ")));
    }
    if let Some(remedy) = &finding.remedy {
        out.push_str(&format!(". {remedy}"));
    }
    shown(&out).into_owned()
}

/// A denied finding is `critical`, or a `blocker` where the code itself is another; one to look at is `minor`.
fn severity(finding: &Finding) -> &'static str {
    match (finding.level, finding.effect) {
        (Level::Deny, Some(Effect::Code)) => "blocker",
        (Level::Deny, _) => "critical",
        (Level::Warn, _) => "minor",
        (Level::Allow, _) => "info",
    }
}
