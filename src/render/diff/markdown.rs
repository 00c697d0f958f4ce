//! An explanation as Markdown, to paste into an issue: the verdict and the causes open, everything else folded away.

use std::fmt::Write as _;

use super::{OPEN, changes_of, rest, scope, values};
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
        literal(&label(&report.a)),
        literal(&label(&report.b)),
        prose(&scope(report))
    );
    if let Some(tests) = &report.selftest {
        let _infallible = writeln!(out, "Self-test: {}\n", prose(&tests.summary));
        for hint in &tests.hints {
            let _infallible = writeln!(out, "- {}", prose(hint));
        }
        if !tests.hints.is_empty() {
            out.push('\n');
        }
    }
    for cause in report.causes.iter().take(OPEN) {
        finding(&mut out, report, cause);
    }
    if report.causes.len() > OPEN {
        let more = report.causes.len() - OPEN;
        let _infallible = writeln!(out, "<details><summary>{more} more causes</summary>\n");
        report.causes.iter().skip(OPEN).for_each(|cause| finding(&mut out, report, cause));
        out.push_str("</details>\n\n");
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
        let facts: Vec<String> = report.verdict.unknown.iter().take(20).map(|f| literal(f)).collect();
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
                    &[literal(&change.fact), cell(&a), cell(&b), change.standing.word().to_owned(), rule],
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
        row(out, &[literal(&change.fact), cell(&a), cell(&b)]);
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
            let url = s.url.replace('(', "%28").replace(')', "%29");
            if url.starts_with("https://") {
                format!("[{}]({url})", prose(&s.title))
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

/// A value in a cell; long ones are cut.
fn cell(text: &str) -> String {
    if ["absent", "nothing more"].contains(&text) {
        return text.to_owned();
    }
    let cut: String = text.chars().take(120).collect();
    let mark = if cut.len() < text.len() { "…" } else { "" };
    literal(&format!("{cut}{mark}"))
}

/// Text from a file, as it is: a code span, in which nothing acts, or escaped where it would end one or a cell.
fn literal(text: &str) -> String {
    let text = shown(text);
    if text.contains(['`', '|']) || text.trim().is_empty() { escaped(&text) } else { format!("`{text}`") }
}

/// Sentences: code spans stay, and outside them nothing acts.
fn prose(text: &str) -> String {
    let text = shown(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of marks, or two in a row, parts text and code otherwise than it looks.
    if parts.len().is_multiple_of(2) || text.contains("``") {
        return escaped(&text);
    }
    let part = |(i, part): (usize, &&str)| if i % 2 == 0 { escaped(part) } else { (*part).to_owned() };
    parts.iter().enumerate().map(part).collect::<Vec<_>>().join("`").replace('|', "&#124;")
}

/// Text of which nothing acts: no markup of Markdown or HTML, no link, no mention of a person or an issue. GitHub
/// looks for mentions after it has resolved escapes, so a zero-width space parts the sign from the name.
fn escaped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (i, c) in chars.iter().enumerate() {
        let is_word =
            |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        match c {
            '@' | '#' => out.extend([*c, '\u{200b}']),
            // Within a word it is no emphasis (GFM, "Emphasis and strong emphasis").
            '_' if is_word(i.checked_sub(1)) && is_word(Some(i + 1)) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$' | '!' => {
                let _infallible = write!(out, "&#{};", *c as u32);
            }
            // Bare addresses become links ("Autolinks").
            ':' if chars.get(i + 1) == Some(&'/') => out.push_str("&#58;"),
            '.' if i >= 3 && chars[i - 3..i].iter().all(|c| matches!(c, 'w' | 'W')) => out.push_str("&#46;"),
            c => out.push(*c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts() {
        for (text, expected) in [
            ("set `OMP_NUM_THREADS=1` on 2 nodes", "set `OMP_NUM_THREADS=1` on 2 nodes"),
            ("`a|b` <b>", "`a&#124;b` &#60;b&#62;"),
            ("a ` b", "a &#96; b"),
            ("``a`` ", "&#96;&#96;a&#96;&#96; "),
            ("![x](https://e.org/x)", "&#33;&#91;x&#93;(https&#58;//e.org/x)"),
            ("@team #12 my_name _x_", "@\u{200b}team #\u{200b}12 my_name &#95;x&#95;"),
        ] {
            assert_eq!(prose(text), expected);
        }
        assert_eq!(literal("a|b"), "a&#124;b");
        assert_eq!(literal("<script>"), "`<script>`");
        assert_eq!(cell(&"é".repeat(121)), format!("`{}…`", "é".repeat(120)));
    }
}
