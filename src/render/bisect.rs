//! A bisection for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::diff::human::wrap;
use super::table;
use crate::bisect::report::{Acts, Cause, Outcome, Report};
use crate::snapshot::value::shown;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// So many differences that cannot be set are listed where they are not the point.
const LISTED: usize = 8;

/// The whole text, `width` columns wide.
pub fn text(report: &Report, width: u16) -> String {
    let mut out = String::new();
    let columns = usize::from(width);
    let (word, style) = match report.outcome {
        Outcome::Planned => ("plan", BOLD),
        Outcome::Proved => ("proved", BAD),
        Outcome::Partial => ("found", BAD),
        Outcome::Equal => ("equal", GOOD),
        Outcome::Unexplained => ("unexplained", WARN),
        Outcome::Unstable => ("unstable", WARN),
        Outcome::Failed => ("failed", WARN),
    };
    for (i, line) in wrap(&shown(&report.summary), columns.saturating_sub(word.len() + 2)).iter().enumerate()
    {
        let (head, colon) = if i == 0 { (word, ":") } else { ("", " ") };
        let _infallible = writeln!(out, "{style}{head:<w$}{style:#}{colon} {line}", w = word.len());
    }
    for cause in &report.causes {
        finding(&mut out, cause, columns);
    }
    recorded(&mut out, report, columns);
    if report.outcome == Outcome::Planned {
        factors(&mut out, report, width);
    } else if !report.probes.is_empty() {
        probes(&mut out, report, width);
    }
    uncontrolled(&mut out, report, width);
    if !report.hazards.is_empty() && report.outcome == Outcome::Unstable {
        let _infallible = writeln!(out, "\n{BOLD}Hazards{BOLD:#}");
        for hazard in &report.hazards {
            let _infallible =
                writeln!(out, " {WARN}!{WARN:#} {} {DIM}[{}]{DIM:#}", shown(&hazard.title), hazard.rule);
            item(&mut out, "remedy", &hazard.remedy, columns);
        }
    }
    if !report.touched.is_empty() {
        let list =
            report.touched.iter().take(5).map(|p| shown(p).into_owned()).collect::<Vec<_>>().join(", ");
        let text = format!(
            "while probes ran, {} of your files changed: {list}. The command reached out of its copy, or somebody else wrote there",
            report.touched.len()
        );
        out.push('\n');
        for line in wrap(&text, columns) {
            let _infallible = writeln!(out, "{WARN}{line}{WARN:#}");
        }
    }
    for note in &report.notes {
        let _infallible = writeln!(out, "{DIM}note: {}{DIM:#}", shown(note));
    }
    out
}

fn finding(out: &mut String, cause: &Cause, width: usize) {
    let effect = cause.effect.as_ref().map(|e| format!("{e}, ")).unwrap_or_default();
    let _infallible = writeln!(
        out,
        "\n{BOLD}{}. {}{BOLD:#} [{effect}proved{}]",
        cause.rank,
        shown(&cause.title),
        if cause.simulated { " by simulation" } else { "" }
    );
    let acts = match cause.acts {
        Acts::Alone => None,
        Acts::Interaction => Some("only together: none of these alone moves the result".to_owned()),
        Acts::AlsoSuffices => {
            Some("gives B's result by itself, too: taking away one cause is not enough".to_owned())
        }
        Acts::Masked => {
            Some("hidden in B by another cause, and at work as soon as that one is taken away".to_owned())
        }
    };
    if let Some(acts) = acts {
        item(out, "acts", &acts, width);
    }
    if let Some(commit) = &cause.commit {
        let names: Vec<&str> = commit.commits.iter().map(|c| c.get(..12).unwrap_or(c)).collect();
        let summary = commit.summary.as_ref().map(|s| format!(": {s}")).unwrap_or_default();
        let text = match names.as_slice() {
            [one] => format!("{one}{summary} (1 of {}, {} probes)", commit.among, commit.probes),
            many => format!("one of {} (those between them do not run)", many.join(", ")),
        };
        item(out, "commit", &text, width);
    }
    for line in &cause.evidence {
        item(out, "seen", line, width);
    }
    if let Some(magnitude) = &cause.magnitude {
        item(out, "how much", magnitude, width);
    }
    if let Some(why) = &cause.why {
        item(out, "why", why, width);
    }
    item(out, "remedy", &cause.remedy, width);
    if let Some(source) = cause.sources.first() {
        item(out, "source", &source.url, width);
    }
    if let Some(rule) = &cause.rule {
        item(out, "rule", rule, width);
    }
}

/// Whether the ends are what the snapshots recorded: else this machine is not theirs, and that shows.
fn recorded(out: &mut String, report: &Report, width: usize) {
    let Some(ground) = &report.ground else { return };
    let text = match (ground.a.as_recorded, ground.b.as_recorded) {
        (Some(true), Some(true)) => "A and B give here, bit by bit, what their snapshots recorded.",
        (Some(true), Some(false)) => {
            "A gives here what its snapshot recorded, B does not: something that cannot be set moves B."
        }
        (Some(false), Some(true)) => {
            "B gives here what its snapshot recorded, A does not: something that cannot be set moves A."
        }
        (Some(false), Some(false)) => {
            "Neither A nor B gives here what its snapshot recorded: something that cannot be set moves both."
        }
        (Some(true), None) => "A gives here, bit by bit, what its snapshot recorded.",
        (None, Some(true)) => "B gives here, bit by bit, what its snapshot recorded.",
        (Some(false), None) => {
            "A does not give here what its snapshot recorded: something that cannot be set moves it."
        }
        (None, Some(false)) => {
            "B does not give here what its snapshot recorded: something that cannot be set moves it."
        }
        (None, None) => return,
    };
    out.push('\n');
    for line in wrap(text, width) {
        let _infallible = writeln!(out, "{line}");
    }
}

/// A label and its text, indented.
fn item(out: &mut String, label: &str, text: &str, width: usize) {
    let text = shown(text.trim()).into_owned();
    for (i, line) in wrap(&text, width.saturating_sub(14)).iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        let _infallible = writeln!(out, "   {DIM}{label:<9}{DIM:#} {line}");
    }
}

fn factors(out: &mut String, report: &Report, width: u16) {
    if report.factors.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = report
        .factors
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let id = if f.simulated { format!("{} (simulated)", f.id) } else { f.id.clone() };
            let cells = [(i + 1).to_string(), id, f.a.clone(), f.b.clone(), f.standing.word().to_owned()];
            cells.iter().map(|c| shown(c).into_owned()).collect()
        })
        .collect();
    out.push('\n');
    out.push_str(&table::plain(&["", "factor", "A", "B", "expected"], &rows, width));
    let n = report.factors.len();
    let least = n.max(1).ilog2() as usize + 2;
    let _infallible = writeln!(
        out,
        "\nFirst A and B, each more than once; then about {least} probes, at most {}.",
        n * n + 3 * n
    );
}

fn probes(out: &mut String, report: &Report, width: u16) {
    let rows: Vec<Vec<String>> = report
        .probes
        .iter()
        .map(|p| {
            let outcome = match &p.why {
                Some(why) => format!("{} {why}", p.outcome),
                None => p.outcome.clone(),
            };
            let known = if p.cached { "known" } else { "" };
            [p.number.to_string(), p.what.clone(), outcome, known.to_owned()]
                .map(|c| shown(&c).into_owned())
                .to_vec()
        })
        .collect();
    out.push('\n');
    out.push_str(&table::plain(&["", "probe", "gives", ""], &rows, width));
}

fn uncontrolled(out: &mut String, report: &Report, width: u16) {
    let suspects = |fact: &String| report.suspects.contains(fact);
    let list: Vec<_> = match report.outcome {
        // The cause is proved: what cannot be set is no matter any more.
        Outcome::Proved | Outcome::Unstable | Outcome::Failed => return,
        Outcome::Planned => report.uncontrolled.iter().collect(),
        _ => report.uncontrolled.iter().filter(|u| suspects(&u.fact)).collect(),
    };
    if list.is_empty() {
        return;
    }
    let title = if report.outcome == Outcome::Planned { "Cannot be set here" } else { "Remaining suspects" };
    let _infallible = writeln!(out, "\n{BOLD}{title}{BOLD:#}");
    // What cannot be set for one reason stands together, below it.
    let mut by_reason: Vec<(&str, Vec<Vec<String>>)> = Vec::new();
    for u in list.iter().take(LISTED) {
        let row = [u.fact.clone(), clipped(&u.a), clipped(&u.b)].map(|c| shown(&c).into_owned()).to_vec();
        match by_reason.iter_mut().find(|(why, _)| *why == u.why) {
            Some((_, rows)) => rows.push(row),
            None => by_reason.push((&u.why, vec![row])),
        }
    }
    for (why, rows) in by_reason {
        for line in wrap(&format!("{}:", shown(why)), usize::from(width).saturating_sub(2)) {
            let _infallible = writeln!(out, "  {DIM}{line}{DIM:#}");
        }
        out.push_str(&table::plain(&[], &rows, width));
    }
    if list.len() > LISTED {
        let _infallible =
            writeln!(out, "  {DIM}and {} more (--format json lists all){DIM:#}", list.len() - LISTED);
    }
}

/// A value as a cell: of a digest what tells it from others, of a long text its beginning.
fn clipped(text: &str) -> String {
    let most = if text.starts_with("sha256:") { 16 } else { 40 };
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
