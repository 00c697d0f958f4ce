//! Findings as Markdown: a block for an issue, a merge request or the summary of a step.

use std::fmt::Write as _;

use super::Run;
use crate::gate::finding::{Finding, Level};
use crate::gate::report::Counts;
pub(crate) use crate::render::diff::markdown::prose;
use crate::render::diff::markdown::{cell, literal, row};

/// So many findings stand open; the others are folded away.
const OPEN: usize = 10;

/// The block.
pub fn text(findings: &[Finding], run: &Run, counts: Counts) -> String {
    let outcome = if counts.deny == 0 { "passed" } else { "failed" };
    let mut out = format!("### driftlock {}: {outcome}\n\n{}\n\n", run.command, prose(&run.summary));
    let about: Vec<String> =
        run.about.iter().map(|(name, value)| format!("{name} {}", literal(value))).collect();
    if !about.is_empty() {
        let _infallible = writeln!(out, "{}\n", about.join(" · "));
    }
    findings.iter().take(OPEN).for_each(|finding| one(&mut out, finding));
    if findings.len() > OPEN {
        let more = findings.len() - OPEN;
        let _infallible = writeln!(out, "<details><summary>{more} more findings</summary>\n");
        findings.iter().skip(OPEN).for_each(|finding| one(&mut out, finding));
        out.push_str("</details>\n\n");
    }
    if !run.all && counts.allow > 0 {
        let _infallible = writeln!(out, "Allowed by the policy and not listed: {}.\n", counts.allow);
    }
    out
}

fn one(out: &mut String, finding: &Finding) {
    let word = match finding.level {
        Level::Deny => "❌ denied",
        Level::Warn => "⚠️ to look at",
        Level::Allow => "allowed",
    };
    let tag: Vec<&str> = [finding.effect.map(|e| e.word()), finding.confidence.map(|c| c.word())]
        .into_iter()
        .flatten()
        .collect();
    let tag = if tag.is_empty() { String::new() } else { format!(" ({})", tag.join(", ")) };
    let _infallible = writeln!(out, "**{word}: {}**{tag}\n", prose(&finding.title));
    if finding.facts.iter().any(|f| f.expected.is_some()) {
        out.push_str("| fact | expected | found |\n| --- | --- | --- |\n");
        for fact in &finding.facts {
            let expected = fact.expected.as_deref().map(cell).unwrap_or_default();
            row(out, &[literal(&fact.fact), expected, cell(fact.found.as_deref().unwrap_or("absent"))]);
        }
        out.push('\n');
    } else if !finding.facts.is_empty() {
        out.push_str("| fact | found |\n| --- | --- |\n");
        for fact in &finding.facts {
            row(out, &[literal(&fact.fact), cell(fact.found.as_deref().unwrap_or("absent"))]);
        }
        out.push('\n');
    }
    if let Some(why) = &finding.why {
        let _infallible = writeln!(out, "{}\n", prose(why));
    }
    if let Some(magnitude) = &finding.magnitude {
        let _infallible = writeln!(out, "*{}*\n", prose(magnitude));
    }
    if let Some(remedy) = &finding.remedy {
        let _infallible = writeln!(out, "**Remedy**: {}\n", prose(remedy));
    }
    let rule = match &finding.page {
        Some(page) => link(&finding.rule, page),
        None => literal(&finding.rule),
    };
    let at = finding.location.as_ref().map(|l| {
        let path = crate::gate::report::path(l);
        format!(" at {}", literal(&format!("{path}:{}", l.line)))
    });
    let sources: Vec<String> = finding.sources.iter().map(|s| link(&s.title, &s.url)).collect();
    let sources =
        if sources.is_empty() { String::new() } else { format!(" Sources: {}.", sources.join("; ")) };
    let _infallible = writeln!(out, "Rule {rule}{}.{sources}\n", at.unwrap_or_default());
}

/// A link, or its text alone where the address is not one of the web.
pub(crate) fn link(title: &str, url: &str) -> String {
    let url = url.replace('(', "%28").replace(')', "%29");
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"`\\".contains(&b);
    match url.starts_with("https://") && url.bytes().all(plain) {
        true => format!("[{}]({url})", prose(title)),
        false => prose(title),
    }
}
