//! Findings on a terminal: the gravest first, each with what differs, why, what to do and where it is known from.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Run, more, told};
use crate::gate::finding::{Finding, Level};
use crate::gate::report::Counts;
use crate::render::diff::human::{clip, wrap};
use crate::snapshot::value::shown;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// The whole text.
pub fn text(findings: &[Finding], run: &Run, counts: Counts) -> String {
    let width = usize::from(run.width);
    let mut out = String::new();
    for finding in findings {
        one(&mut out, finding, run, width);
        out.push('\n');
    }
    let names = run.about.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &run.about {
        let line = clip(&shown(&format!("{name:<names$}  {value}")), width);
        let _infallible = writeln!(out, "{DIM}{line}{DIM:#}");
    }
    let (style, word) = match (counts.deny, counts.warn) {
        (0, 0) => (GOOD, "passed"),
        (0, _) => (WARN, "passed"),
        _ => (BAD, "failed"),
    };
    let summary = shown(&run.summary).into_owned();
    for (i, line) in wrap(&summary, width.saturating_sub(word.len() + 2)).iter().enumerate() {
        match i {
            0 => drop(writeln!(out, "{style}{word}{style:#}: {line}")),
            _ => drop(writeln!(out, "{:w$}  {line}", "", w = word.len())),
        }
    }
    out
}

fn one(out: &mut String, finding: &Finding, run: &Run, width: usize) {
    let is_lint = run.command == "lint";
    let (style, word) = match finding.level {
        Level::Deny if is_lint => (BAD, "hazard"),
        Level::Deny => (BAD, "denied"),
        Level::Warn => (WARN, "warning"),
        Level::Allow if is_lint => (DIM, "note"),
        Level::Allow => (DIM, "allowed"),
    };
    let tags = [finding.effect.map(|e| e.word()), finding.confidence.map(|c| c.word())];
    let tags: Vec<&str> = tags.into_iter().flatten().collect();
    let tag = if tags.is_empty() { String::new() } else { format!("[{}]", tags.join(", ")) };
    let lines = wrap(&shown(&finding.title), width.saturating_sub(word.len() + 2));
    for (i, line) in lines.iter().enumerate() {
        match i {
            0 => drop(write!(out, "{style}{word}{style:#}: {BOLD}{line}{BOLD:#}")),
            _ => drop(write!(out, "   {BOLD}{line}{BOLD:#}")),
        }
        let used = line.chars().count() + if i == 0 { word.len() + 2 } else { 3 };
        let last = i + 1 == lines.len();
        match last && !tag.is_empty() {
            true if used + 1 + tag.len() <= width => drop(writeln!(out, " {DIM}{tag}{DIM:#}")),
            true => drop(write!(out, "\n   {DIM}{tag}{DIM:#}\n")),
            false => out.push('\n'),
        }
    }
    facts(out, finding, run.all, width);
    let item = |out: &mut String, name: &str, text: &str| {
        for (i, line) in wrap(&shown(text), width.saturating_sub(13)).iter().enumerate() {
            let head = if i == 0 { name } else { "" };
            let _infallible = writeln!(out, "   {DIM}{head:<9}{DIM:#} {line}");
        }
    };
    if let Some(location) = &finding.location {
        let column = location.column.map(|c| format!(":{c}")).unwrap_or_default();
        item(out, "at", &format!("{}:{}{column}", crate::gate::report::path(location), location.line));
    }
    let texts = [("why", &finding.why), ("how much", &finding.magnitude), ("remedy", &finding.remedy)];
    for (name, text) in texts {
        text.iter().for_each(|text| item(out, name, text));
    }
    finding.sources.iter().take(1).for_each(|source| item(out, "source", &source.url));
    let rule = match &finding.page {
        Some(page) if run.all => format!("{}  {page}", finding.rule),
        _ => finding.rule.clone(),
    };
    item(out, "rule", &rule);
}

/// A line for each fact, its values beside its name, or below it where the line is too long.
fn facts(out: &mut String, finding: &Finding, all: bool, width: usize) {
    let (told, left) = if all { (finding.facts.iter().collect(), 0) } else { told(finding) };
    // A name that takes more than half of the line does not push the others' values to the right.
    let names = told.iter().map(|f| f.fact.chars().count()).filter(|n| *n <= width / 2).max().unwrap_or(0);
    let room = width.saturating_sub(3);
    for fact in told {
        let found = fact.found.as_deref().unwrap_or("absent");
        let values = match &fact.expected {
            Some(expected) => format!("{expected} → {found}"),
            None => found.to_owned(),
        };
        let (name, values) = (shown(&fact.fact), shown(&values));
        let line = format!("{name:<names$}  {values}");
        if line.chars().count() <= room {
            let _infallible = writeln!(out, "   {line}");
        } else {
            let _infallible = writeln!(out, "   {}", clip(&name, room));
            let _infallible = writeln!(out, "     {}", clip(&values, room.saturating_sub(2)));
        }
    }
    if let Some(more) = more(left) {
        let _infallible = writeln!(out, "   {DIM}{more} (--all shows them){DIM:#}");
    }
}
