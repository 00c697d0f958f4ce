//! An explanation on a terminal: the verdict, the causes in order with what to do, and one line for the rest.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{OPEN, changes_of, rest, scope, values};
use crate::explain::report::{Cause, Change, Report};
use crate::explain::settle::{SideName, Standing};
use crate::explain::{Explanation, Outcome};
use crate::render::table;
use crate::snapshot::value::shown;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// So many facts of a finding are shown; `--all` shows every one.
const FACTS_SHOWN: usize = 6;

/// The whole text, `width` columns wide.
pub fn text(explanation: &Explanation, report: &Report, all: bool, width: u16) -> String {
    let width = usize::from(width);
    let mut out = String::new();
    let seen = report.outputs.is_some() || report.selftest.is_some();
    let nothing = report.changes.is_empty() && report.hazards.is_empty() && !seen;
    if nothing && explanation.verdict.outcome == Outcome::Identical {
        let summary = &report.verdict.summary;
        let _infallible = writeln!(out, "{GOOD}identical{GOOD:#}: {summary}");
        return out;
    }
    for (name, side) in [("A", &report.a), ("B", &report.b)] {
        let label = side.label.as_ref().map(|l| format!("  {l}")).unwrap_or_default();
        let line = shown(&format!("{name}  {}{label}", side.path)).into_owned();
        let _infallible = writeln!(out, "{DIM}{}{DIM:#}", clip(&line, width));
    }
    let word = explanation.verdict.outcome.word();
    let style = match explanation.verdict.outcome {
        Outcome::Identical | Outcome::Same => GOOD,
        Outcome::Different => BAD,
        Outcome::Unstable | Outcome::Unknown => WARN,
    };
    out.push('\n');
    let summary = shown(&report.verdict.summary).into_owned();
    for (i, line) in wrap(&summary, width.saturating_sub(word.len() + 2)).iter().enumerate() {
        let head = if i == 0 { word } else { "" };
        let colon = if i == 0 { ":" } else { " " };
        let _infallible = writeln!(out, "{style}{head:<w$}{style:#}{colon} {line}", w = word.len());
    }
    if !report.changes.is_empty() || !report.causes.is_empty() {
        let line = format!("scope: {}", scope(report));
        for line in wrap(&line, width) {
            let _infallible = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }
    if let Some(tests) = &report.selftest {
        for line in wrap(&shown(&format!("self-test: {}", tests.summary)), width) {
            let _infallible = writeln!(out, "{line}");
        }
        for hint in &tests.hints {
            for (i, line) in wrap(&shown(hint), width.saturating_sub(4)).iter().enumerate() {
                let _infallible = writeln!(out, "{} {line}", if i == 0 { "  -" } else { "   " });
            }
        }
    }
    let open = if all { report.causes.len() } else { OPEN };
    for cause in report.causes.iter().take(open) {
        finding(&mut out, report, cause, all, width);
    }
    for (i, cause) in report.causes.iter().enumerate().skip(open) {
        if i == open {
            let _infallible =
                writeln!(out, "\n{BOLD}More causes{BOLD:#} {DIM}(--all shows them whole){DIM:#}");
        }
        let tag = format!("[{}, {}]", cause.effect.word(), cause.rule);
        heading(&mut out, &format!("{:>3}. {}", cause.rank, shown(&cause.title)), &tag, DIM, width);
    }
    if !report.hazards.is_empty() {
        let _infallible = writeln!(out, "\n{BOLD}Hazards{BOLD:#} {DIM}(a run may not repeat itself){DIM:#}");
        for hazard in &report.hazards {
            hazard_lines(&mut out, hazard, width);
        }
    }
    unknown(&mut out, explanation, report, width);
    if all {
        table_of_changes(&mut out, report, width);
    } else {
        let rest = rest(report);
        if !rest.is_empty() {
            let words: Vec<String> = rest.iter().map(|(_, n, word)| format!("{n} {word}")).collect();
            let line = format!("Of the other differences {}. --all shows them.", words.join(", "));
            out.push('\n');
            for line in wrap(&line, width) {
                let _infallible = writeln!(out, "{DIM}{line}{DIM:#}");
            }
        }
    }
    out
}

fn finding(out: &mut String, report: &Report, cause: &Cause, all: bool, width: usize) {
    let tag = format!("[{}, {}]", cause.effect.word(), cause.confidence.word());
    out.push('\n');
    heading(out, &format!("{}. {}", cause.rank, shown(&cause.title)), &tag, BOLD, width);
    let changes = changes_of(report, &cause.facts);
    let limit = if all { changes.len() } else { FACTS_SHOWN };
    let names = changes.iter().take(limit).map(|c| c.fact.chars().count()).max().unwrap_or(0).min(width / 2);
    for change in changes.iter().take(limit) {
        let (a, b) = values(change);
        let line = format!("{:<names$}  {a} → {b}", shown(&change.fact));
        let _infallible = writeln!(out, "   {}", clip(&line, width.saturating_sub(3)));
    }
    if changes.len() > limit {
        let _infallible = writeln!(out, "   {DIM}and {} more facts{DIM:#}", changes.len() - limit);
    }
    item(out, "why", &cause.why, width);
    if let Some(magnitude) = &cause.magnitude {
        item(out, "how much", magnitude, width);
    }
    for evidence in &cause.evidence {
        item(out, "here", evidence, width);
    }
    item(out, "remedy", &cause.remedy, width);
    if let Some(source) = cause.sources.first() {
        item(out, "source", &source.url, width);
    }
    item(out, "rule", &cause.rule, width);
}

fn hazard_lines(out: &mut String, hazard: &Cause, width: usize) {
    let side = match hazard.side {
        Some(SideName::A) => "A",
        Some(SideName::B) => "B",
        _ => "A and B",
    };
    let _infallible = write!(out, " {WARN}!{WARN:#} ");
    let title = format!("{side}: {}", shown(&hazard.title));
    let mut lines = String::new();
    heading(&mut lines, &title, &format!("[{}]", hazard.rule), BOLD, width.saturating_sub(3));
    out.push_str(&lines.trim_end().replace('\n', "\n   "));
    out.push('\n');
    item(out, "remedy", &hazard.remedy, width);
}

/// A title and, in brackets behind it or on a line of its own, what belongs to it; later lines are indented.
fn heading(out: &mut String, title: &str, tag: &str, style: Style, width: usize) {
    let lines = if title.chars().count() <= width {
        vec![title.to_owned()]
    } else {
        wrap(title, width.saturating_sub(3))
    };
    for (i, line) in lines.iter().enumerate() {
        let indent = if i == 0 { "" } else { "   " };
        let _infallible = write!(out, "{indent}{style}{line}{style:#}");
        let fits = indent.len() + line.chars().count() + 1 + tag.chars().count() <= width;
        match i + 1 == lines.len() {
            true if fits => drop(writeln!(out, " {DIM}{tag}{DIM:#}")),
            true => drop(write!(out, "\n   {DIM}{tag}{DIM:#}\n")),
            false => out.push('\n'),
        }
    }
}

fn item(out: &mut String, name: &str, text: &str, width: usize) {
    for (i, line) in wrap(&shown(text), width.saturating_sub(14)).iter().enumerate() {
        let head = if i == 0 { name } else { "" };
        let _infallible = writeln!(out, "   {DIM}{head:<9}{DIM:#} {line}");
    }
}

/// What stands in the way of a verdict, with the reasons.
fn unknown(out: &mut String, explanation: &Explanation, report: &Report, width: usize) {
    if explanation.verdict.outcome != Outcome::Unknown {
        return;
    }
    let _infallible = writeln!(out, "\n{BOLD}Not known{BOLD:#}");
    for fact in report.verdict.unknown.iter().take(12) {
        let unreadable = report.unreadable.iter().find(|u| u.fact == *fact);
        let text = match unreadable {
            Some(u) => {
                let why = |side: &str, why: &Option<String>| why.as_ref().map(|w| format!("{side}: {w}"));
                let both: Vec<String> = match (&u.a, &u.b) {
                    (Some(a), Some(b)) if a == b => vec![format!("A and B: {a}")],
                    (a, b) => [why("A", a), why("B", b)].into_iter().flatten().collect(),
                };
                format!("{fact}  {}", both.join("; "))
            }
            None => match report.changes.iter().find(|c| c.fact == *fact) {
                Some(change) => {
                    let (a, b) = values(change);
                    format!("{fact}  {a} → {b}  (no rule knows it)")
                }
                None => fact.clone(),
            },
        };
        let _infallible = writeln!(out, "   {}", clip(&shown(&text), width.saturating_sub(3)));
    }
    if report.verdict.unknown.len() > 12 {
        let _infallible = writeln!(out, "   {DIM}and {} more{DIM:#}", report.verdict.unknown.len() - 12);
    }
}

/// Every change by what it is, the causes first.
fn table_of_changes(out: &mut String, report: &Report, width: usize) {
    let standings =
        [Standing::Cause, Standing::Unclassified, Standing::Unknown, Standing::OutOfScope, Standing::Benign];
    for standing in standings {
        let row = |c: &Change| {
            let (a, b) = values(c);
            let rule = c.rules.first().cloned().unwrap_or_default();
            vec![shown(&c.fact).into_owned(), clip(&a, 40), clip(&b, 40), rule]
        };
        let rows: Vec<Vec<String>> =
            report.changes.iter().filter(|c| c.standing == standing).map(row).collect();
        if !rows.is_empty() {
            let _infallible = writeln!(out, "\n{BOLD}{} ({}){BOLD:#}", title(standing), rows.len());
            let width = u16::try_from(width).unwrap_or(u16::MAX);
            out.push_str(&table::plain(&["fact", "A", "B", "rule"], &rows, width));
        }
    }
}

fn title(standing: Standing) -> &'static str {
    match standing {
        Standing::Cause => "Causes",
        Standing::Unclassified => "Unclassified: no rule knows them",
        Standing::Unknown => "Unknown: a fact that decides could not be read",
        Standing::OutOfScope => "Out of scope: these runs do not use what they concern",
        Standing::Benign => "Benign: they cannot alter results",
    }
}

/// `text` in lines of at most `width` characters, broken at spaces; a word that is longer stays whole.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// At most `width` characters, with an ellipsis where something is cut.
fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
