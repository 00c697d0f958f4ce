//! The snapshot for people on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Family, Rows, rows, table, title};
use crate::snapshot::{Facts, Snapshot, digest};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

/// Every section as a table that fits `width` columns; `only` keeps one section.
pub fn snapshot(snapshot: &Snapshot, only: Option<&str>, width: u16) -> String {
    let mut out = String::new();
    if only.is_none() {
        let fingerprint = digest::fingerprint(&digest::sections(snapshot));
        let _infallible = writeln!(out, "{HEADING}Fingerprint{HEADING:#}\n  {fingerprint}");
    }
    for section in snapshot.ordered_sections().into_iter().filter(|s| only.is_none_or(|o| o == *s)) {
        if !out.is_empty() {
            out.push('\n');
        }
        let _infallible = writeln!(out, "{HEADING}{}{HEADING:#} {DIM}[{section}]{DIM:#}", title(section));
        let is_result = crate::facts::is_result(section);
        let laid = rows(if is_result { &snapshot.results } else { &snapshot.facts }, section);
        if laid.plain.is_empty() && laid.families.is_empty() {
            out.push_str("  nothing found\n");
        }
        facts(&mut out, &laid, width);
        part(&mut out, "not part of the fingerprint", &snapshot.volatile, section, width);
        part(&mut out, "private, as digests", &snapshot.private, section, width);
        for (path, reason) in snapshot.unknown.iter().filter(|(p, _)| p.section() == section) {
            let line = format!("unknown: {path}: {reason}");
            let line = crate::snapshot::value::shown(&line).into_owned();
            let _infallible = write!(out, "{NOTE}{}{NOTE:#}", wrap(&line, width));
            out.push('\n');
        }
    }
    if only.is_none() {
        let _infallible = writeln!(out, "\n{HEADING}{}{HEADING:#} {DIM}[meta]{DIM:#}", title("meta"));
        facts(&mut out, &rows(&snapshot.meta, "meta"), width);
        part(&mut out, "private, as digests", &snapshot.private, "meta", width);
    }
    out
}

/// The facts of one section that stand apart in the file.
fn part(out: &mut String, what: &str, map: &Facts, section: &str, width: u16) {
    let laid = rows(map, section);
    if !laid.plain.is_empty() || !laid.families.is_empty() {
        let _infallible = writeln!(out, "  {DIM}{what}:{DIM:#}");
        facts(out, &laid, width);
    }
}

fn facts(out: &mut String, laid: &Rows, width: u16) {
    let plain: Vec<Vec<String>> = laid.plain.iter().map(|(k, v)| vec![k.clone(), v.clone()]).collect();
    if !plain.is_empty() {
        out.push_str(&table::plain(&[], &plain, width));
    }
    for family in &laid.families {
        let (columns, rows) = fitting(family, usize::from(width));
        let hidden: Vec<&str> =
            family.columns.iter().map(String::as_str).filter(|c| !columns.contains(c)).collect();
        let hidden =
            if hidden.is_empty() { String::new() } else { format!("; not shown: {}", hidden.join(", ")) };
        let _infallible = writeln!(out, "  {DIM}{} ({}{hidden}):{DIM:#}", family.header, family.rows.len());
        let headers: Vec<&str> = [""].into_iter().chain(columns).collect();
        out.push_str(&table::plain(&headers, &rows, width));
    }
}

/// The columns of a family that fit side by side without wrapping, the version first and then the narrowest ones,
/// and the rows of these columns.
fn fitting(family: &Family, width: usize) -> (Vec<&str>, Vec<Vec<String>>) {
    let widest = |i: usize| {
        let cells = family.rows.iter().map(|row| row.get(i).map_or(0, |cell| cell.chars().count()));
        cells.max().unwrap_or(0).max(family.columns.get(i.wrapping_sub(1)).map_or(0, String::len)) + 2
    };
    let mut order: Vec<usize> = (1..=family.columns.len()).collect();
    order.sort_by_key(|i| (family.columns[i - 1] != "version", widest(*i)));
    let mut used = widest(0) + 2;
    let shown: Vec<usize> = order
        .into_iter()
        .take_while(|i| {
            used += widest(*i);
            used <= width
        })
        .collect();
    let cells = |row: &Vec<String>| {
        [0].iter().chain(&shown).map(|i| row.get(*i).cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    let rows = family.rows.iter().map(cells).collect();
    (shown.iter().map(|i| family.columns[i - 1].as_str()).collect(), rows)
}

/// `text` in lines of at most `width` columns, indented by two spaces; words longer than a line are kept whole.
fn wrap(text: &str, width: u16) -> String {
    let mut lines = vec![String::from("  ")];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].trim().is_empty() {
            lines[last].push_str(word);
        } else if lines[last].chars().count() + 1 + word.chars().count() <= usize::from(width) {
            lines[last].push(' ');
            lines[last].push_str(word);
        } else {
            lines.push(format!("    {word}"));
        }
    }
    lines.join("\n")
}
