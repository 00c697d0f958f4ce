//! An explanation as Markdown, to paste into an issue: the verdict and the causes open, everything else folded away.

use std::fmt::Write as _;

use super::{changes_of, rest, scope, values};
use crate::explain::report::{Cause, Change, Report};
use crate::explain::settle::SideName;
use crate::snapshot::value::shown;

/// The block. `all` lists the changes that are no cause, too.
pub fn text(report: &Report, all: bool) -> String {
    let outcome = report.verdict.outcome.word();
    let mut out = format!("### driftlock: {outcome}\n\n{}\n\n", prose(&report.verdict.summary));
    let label = |s: &crate::explain::report::Side| s.label.clone().unwrap_or_else(|| s.path.clone());
    let _infallible = writeln!(
        out,
        "A: {}, B: {}. Scope: {}.\n",
        prose(&label(&report.a)),
        prose(&label(&report.b)),
        prose(&scope(report))
    );
    for cause in &report.causes {
        finding(&mut out, report, cause);
    }
    if !report.hazards.is_empty() {
        out.push_str("#### Hazards\n\n");
        for hazard in &report.hazards {
            let side = match hazard.side {
                Some(SideName::A) => "A",
                Some(SideName::B) => "B",
                _ => "A and B",
            };
            let (title, remedy) = (prose(&hazard.title), prose(&hazard.remedy));
            let _infallible = writeln!(out, "- {side}: **{title}** (`{}`). {remedy}", hazard.rule);
        }
        out.push('\n');
    }
    if !report.verdict.unknown.is_empty() {
        let facts: Vec<String> = report.verdict.unknown.iter().take(20).map(|f| code(f)).collect();
        let _infallible = writeln!(out, "Not known: {}\n", facts.join(", "));
    }
    let rest = rest(report);
    if !rest.is_empty() {
        let words: Vec<String> = rest.iter().map(|(_, n, word)| format!("{n} {word}")).collect();
        let summary = format!("Other differences: {}", words.join(", "));
        if all {
            let _infallible = writeln!(out, "<details><summary>{summary}</summary>\n");
            out.push_str("| fact | A | B | standing | rule |\n| --- | --- | --- | --- | --- |\n");
            let is_cause = |c: &&Change| c.standing != crate::explain::settle::Standing::Cause;
            for change in report.changes.iter().filter(is_cause) {
                let (a, b) = values(change);
                let rule = change.rules.first().cloned().unwrap_or_default();
                row(
                    &mut out,
                    &[code(&change.fact), cell(&a), cell(&b), change.standing.word().to_owned(), rule],
                );
            }
            out.push_str("\n</details>\n");
        } else {
            let _infallible = writeln!(out, "{summary}.");
        }
    }
    out
}

fn finding(out: &mut String, report: &Report, cause: &Cause) {
    let (effect, confidence) = (cause.effect.word(), cause.confidence.word());
    let _infallible = writeln!(out, "**{}. {}** ({effect}, {confidence})\n", cause.rank, prose(&cause.title));
    out.push_str("| fact | A | B |\n| --- | --- | --- |\n");
    for change in changes_of(report, &cause.facts) {
        let (a, b) = values(change);
        row(out, &[code(&change.fact), cell(&a), cell(&b)]);
    }
    let _infallible = writeln!(out, "\n{}", prose(&cause.why));
    for text in cause.magnitude.iter().chain(&cause.evidence) {
        let _infallible = writeln!(out, "\n*{}*", prose(text));
    }
    let _infallible = writeln!(out, "\n**Remedy**: {}", prose(&cause.remedy));
    let links: Vec<String> = cause
        .sources
        .iter()
        .map(|s| {
            if s.url.starts_with("https://") {
                format!("[{}]({})", prose(&s.title), s.url)
            } else {
                prose(&s.title)
            }
        })
        .collect();
    let _infallible = writeln!(out, "\nRule `{}`. {}\n", cause.rule, links.join("; "));
}

fn row(out: &mut String, cells: &[String]) {
    let _infallible = writeln!(out, "| {} |", cells.join(" | "));
}

/// A cell: what would end it goes, and long values are cut.
fn cell(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    let mark = if cut.len() < text.len() { "…" } else { "" };
    prose(&format!("{cut}{mark}")).replace('|', "\\|")
}

/// Text of which nothing acts: no HTML, no mention of a user or team.
fn prose(text: &str) -> String {
    shown(text).replace('<', "&lt;").replace('@', "&#64;").replace('\n', " ")
}

/// A code span. A backtick in a path would end it.
fn code(text: &str) -> String {
    format!("`{}`", shown(text).replace('`', "'").replace('|', "\\|"))
}
