//! An explanation as one self-contained page: no scripts, nothing fetched, light and dark, screen and paper.

use std::fmt::Write as _;

use super::{changes_of, rest, scope, values};
use crate::explain::report::{Cause, Change, Report};
use crate::explain::settle::{SideName, Standing};
use crate::render::html::escape;
use crate::snapshot::value::shown;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8885;--soft:#8882;--bad:#c0392b;--good:#1e8449;--warn:#b9770e}\
@media(prefers-color-scheme:dark){:root{--bad:#ff7b6b;--good:#58d68d;--warn:#f5b041}}\
body{font:15px/1.55 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.25rem;margin:0 0 .3rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}\
.verdict{border-left:.4rem solid;padding:.5rem 1rem;background:var(--soft);margin:1rem 0}\
.different{border-color:var(--bad)}.same,.identical{border-color:var(--good)}.unstable,.unknown{border-color:var(--warn)}\
.verdict b{text-transform:uppercase;letter-spacing:.04em;font-size:.85em}\
article{border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;margin:.8rem 0;break-inside:avoid}\
article h3{font-size:1rem;margin:.2rem 0}.tag{font-size:.8em;border:1px solid var(--line);border-radius:1rem;padding:.05rem .5rem;margin-left:.4rem}\
table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.92em}\
td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}\
td:first-child,code{font-family:ui-monospace,monospace;font-size:.92em}td:first-child{min-width:13rem}\
dl{display:grid;grid-template-columns:6.5rem 1fr;gap:.15rem .5rem;margin:.5rem 0}dt{opacity:.65}dd{margin:0;overflow-wrap:anywhere}\
summary{cursor:pointer;font-weight:600}.dim{opacity:.7}\
@media print{body{margin:0;max-width:none}details>*{display:revert}a{color:inherit}}";

/// The whole page.
pub fn text(report: &Report) -> String {
    let outcome = report.verdict.outcome.word();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>driftlock: {outcome}</title>\n\
         <style>{STYLE}</style>\n<h1>Why do two runs differ?</h1>\n<table>\n"
    );
    for (name, side) in [("A", &report.a), ("B", &report.b)] {
        let label = side.label.clone().unwrap_or_default();
        let _infallible = writeln!(
            out,
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            safe(&side.path),
            safe(&label),
            safe(side.fingerprint.get(..19).unwrap_or(&side.fingerprint))
        );
    }
    let _infallible = write!(
        out,
        "</table>\n<div class=\"verdict {outcome}\"><b>{outcome}</b><br>{}</div>\n<p class=\"dim\">Scope: {}</p>\n",
        safe(&report.verdict.summary),
        safe(&scope(report))
    );
    if !report.causes.is_empty() {
        out.push_str("<h2>Causes</h2>\n");
    }
    for cause in &report.causes {
        finding(&mut out, report, cause);
    }
    if !report.hazards.is_empty() {
        out.push_str("<h2>Hazards</h2>\n");
        for hazard in &report.hazards {
            hazard_item(&mut out, hazard);
        }
    }
    if !report.verdict.unknown.is_empty() {
        out.push_str("<h2>Not known</h2>\n<table>\n");
        for fact in &report.verdict.unknown {
            let unreadable = report.unreadable.iter().find(|u| u.fact == *fact);
            let why = unreadable.and_then(|u| u.a.clone().or_else(|| u.b.clone()));
            let why = why.unwrap_or_else(|| "no rule knows it".to_owned());
            let _infallible = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", safe(fact), safe(&why));
        }
        out.push_str("</table>\n");
    }
    others(&mut out, report);
    out.push_str("</html>\n");
    out
}

fn finding(out: &mut String, report: &Report, cause: &Cause) {
    let _infallible = writeln!(
        out,
        "<article>\n<h3>{}. {} <span class=\"tag\">{}</span><span class=\"tag\">{}</span></h3>\n<table>\n\
         <tr><th>fact</th><th>A</th><th>B</th></tr>",
        cause.rank,
        safe(&cause.title),
        cause.effect.word(),
        cause.confidence.word()
    );
    for change in changes_of(report, &cause.facts) {
        change_row(out, change, false);
    }
    out.push_str("</table>\n<dl>\n");
    let mut item = |name: &str, text: &str| {
        let _infallible = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", safe(text));
    };
    item("why", &cause.why);
    cause.magnitude.iter().for_each(|m| item("how much", m));
    cause.evidence.iter().for_each(|e| item("here", e));
    item("remedy", &cause.remedy);
    cause.wrong_when.iter().for_each(|w| item("wrong when", w));
    for source in &cause.sources {
        let title = safe(&source.title);
        let _infallible = match source.url.starts_with("https://") {
            true => writeln!(out, "<dt>source</dt><dd><a href=\"{}\">{title}</a></dd>", safe(&source.url)),
            false => writeln!(out, "<dt>source</dt><dd>{title}</dd>"),
        };
    }
    let _infallible =
        writeln!(out, "<dt>rule</dt><dd><code>{}</code></dd>\n</dl>\n</article>", safe(&cause.rule));
}

fn hazard_item(out: &mut String, hazard: &Cause) {
    let side = match hazard.side {
        Some(SideName::A) => "A",
        Some(SideName::B) => "B",
        _ => "A and B",
    };
    let _infallible = writeln!(
        out,
        "<article>\n<h3>{side}: {} <span class=\"tag\">{}</span></h3>\n<dl><dt>why</dt><dd>{}</dd>\
         <dt>remedy</dt><dd>{}</dd></dl>\n</article>",
        safe(&hazard.title),
        safe(&hazard.rule),
        safe(&hazard.why),
        safe(&hazard.remedy)
    );
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
        "<details><summary>Other differences: {}</summary>\n<table>\n\
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
    let _infallible =
        write!(out, "<tr><td>{}</td><td>{}</td><td>{}</td>", safe(&change.fact), safe(&a), safe(&b));
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
