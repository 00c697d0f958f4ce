//! An explanation as one self-contained page: no scripts, nothing fetched, light and dark, screen and paper.

use std::fmt::Write as _;

use super::{OPEN, changes_of, rest, scope, values};
use crate::explain::report::{Cause, Change, Report, Side};
use crate::explain::settle::{SideName, Standing};
use crate::render::html::escape;
use crate::snapshot::value::shown;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn text(report: &Report) -> String {
    let outcome = report.verdict.outcome.word();
    let style: String = STYLE.lines().map(str::trim).collect();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>driftlock: {outcome}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <h1>Two runs compared</h1>\n<table class=\"sides\">\n"
    );
    side(&mut out, "A", &report.a);
    side(&mut out, "B", &report.b);
    let _infallible = write!(
        out,
        "</table>\n<div class=\"verdict {outcome}\"><b>{outcome}</b><p>{}</p></div>\n<p class=\"dim\">Scope: {}</p>\n",
        prose(&report.verdict.summary),
        safe(&scope(report))
    );
    if let Some(tests) = &report.selftest {
        let _infallible = writeln!(out, "<h2>Self-test</h2>\n<p>{}</p>", prose(&tests.summary));
        if !tests.hints.is_empty() {
            out.push_str("<ul>\n");
            for hint in &tests.hints {
                let _infallible = writeln!(out, "<li>{}</li>", prose(hint));
            }
            out.push_str("</ul>\n");
        }
    }
    if !report.causes.is_empty() {
        out.push_str("<h2>Causes</h2>\n");
    }
    for (i, cause) in report.causes.iter().enumerate() {
        finding(&mut out, report, cause, i < OPEN);
    }
    if !report.hazards.is_empty() {
        out.push_str("<h2>Hazards</h2>\n<p class=\"dim\">A run may not repeat itself.</p>\n");
        for hazard in &report.hazards {
            hazard_item(&mut out, hazard);
        }
    }
    not_known(&mut out, report);
    others(&mut out, report);
    out.push_str("</body>\n</html>\n");
    out
}

fn side(out: &mut String, name: &str, side: &Side) {
    let _infallible = writeln!(
        out,
        "<tr><th>{name}</th><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
        safe(&side.path),
        safe(side.label.as_deref().unwrap_or_default()),
        safe(side.fingerprint.get(..19).unwrap_or(&side.fingerprint))
    );
}

fn finding(out: &mut String, report: &Report, cause: &Cause, open: bool) {
    let (effect, confidence) = (cause.effect.word(), cause.confidence.word());
    let open = if open { " open" } else { "" };
    let _infallible = writeln!(
        out,
        "<details class=\"finding\"{open}>\n<summary>{}. {} <span class=\"tag {effect}\">{effect}</span>\
         <span class=\"tag\">{confidence}</span></summary>\n<table>\n<tr><th>fact</th><th>A</th><th>B</th></tr>",
        cause.rank,
        prose(&cause.title),
    );
    for change in changes_of(report, &cause.facts) {
        change_row(out, change, false);
    }
    out.push_str("</table>\n<dl>\n");
    let mut item = |name: &str, text: &str| {
        let _infallible = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", prose(text));
    };
    item("why", &cause.why);
    cause.magnitude.iter().for_each(|m| item("how much", m));
    cause.evidence.iter().for_each(|e| item("here", e));
    item("remedy", &cause.remedy);
    cause.wrong_when.iter().for_each(|w| item("wrong when", w));
    let links: Vec<String> = cause
        .sources
        .iter()
        .map(|source| match source.url.starts_with("https://") {
            true => format!("<a href=\"{}\">{}</a>", safe(&source.url), safe(&source.title)),
            false => safe(&source.title),
        })
        .collect();
    if !links.is_empty() {
        let _infallible = writeln!(out, "<dt>sources</dt><dd>{}</dd>", links.join("<br>"));
    }
    let _infallible =
        writeln!(out, "<dt>rule</dt><dd><code>{}</code></dd>\n</dl>\n</details>", safe(&cause.rule));
}

fn hazard_item(out: &mut String, hazard: &Cause) {
    let side = match hazard.side {
        Some(SideName::A) => "A",
        Some(SideName::B) => "B",
        _ => "A and B",
    };
    let _infallible = writeln!(
        out,
        "<details class=\"finding\" open>\n<summary>{side}: {}</summary>\n<dl>\n<dt>why</dt><dd>{}</dd>\n\
         <dt>remedy</dt><dd>{}</dd>\n<dt>rule</dt><dd><code>{}</code></dd>\n</dl>\n</details>",
        prose(&hazard.title),
        prose(&hazard.why),
        prose(&hazard.remedy),
        safe(&hazard.rule)
    );
}

fn not_known(out: &mut String, report: &Report) {
    if report.verdict.unknown.is_empty() {
        return;
    }
    out.push_str("<h2>Not known</h2>\n<table>\n");
    for fact in &report.verdict.unknown {
        let unreadable = report.unreadable.iter().find(|u| u.fact == *fact);
        let why = unreadable.and_then(|u| u.a.clone().or_else(|| u.b.clone()));
        let why = why.unwrap_or_else(|| "no rule knows it".to_owned());
        let _infallible = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", safe(fact), safe(&why));
    }
    out.push_str("</table>\n");
}

/// The changes that are no cause, folded away on a screen.
fn others(out: &mut String, report: &Report) {
    let rest = rest(report);
    if rest.is_empty() {
        return;
    }
    let words: Vec<String> = rest.iter().map(|(_, n, word)| format!("{n} {word}")).collect();
    let _infallible = write!(
        out,
        "<h2>Other differences</h2>\n<details><summary>{}</summary>\n<table>\n\
         <tr><th>fact</th><th>A</th><th>B</th><th>standing</th><th>rule</th></tr>\n",
        words.join(", ")
    );
    for change in report.changes.iter().filter(|c| c.standing != Standing::Cause) {
        change_row(out, change, true);
    }
    out.push_str("</table>\n</details>\n");
}

fn change_row(out: &mut String, change: &Change, standing: bool) {
    let (a, b) = values(change);
    let cell = |text: &str, value: bool| match value {
        true => format!("<td>{}</td>", safe(text)),
        // Not the text "absent".
        false => format!("<td class=\"dim\">{}</td>", safe(text)),
    };
    let _infallible = write!(
        out,
        "<tr><td>{}</td>{}{}",
        safe(&change.fact),
        cell(&a, change.a.is_some()),
        cell(&b, change.b.is_some())
    );
    if standing {
        let rule = change.rules.first().map_or("", String::as_str);
        let _infallible = write!(out, "<td>{}</td><td>{}</td>", change.standing.word(), safe(rule));
    }
    out.push_str("</tr>\n");
}

/// Text that is only text: nothing of it acts in a browser or on the reading order.
fn safe(text: &str) -> String {
    escape(&shown(text))
}

/// Sentences with Markdown's code spans; an odd mark is itself.
fn prose(text: &str) -> String {
    let text = safe(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let part = |(i, part): (usize, &&str)| {
        if i % 2 == 0 { (*part).to_owned() } else { format!("<code>{part}</code>") }
    };
    parts.iter().enumerate().map(part).collect()
}
