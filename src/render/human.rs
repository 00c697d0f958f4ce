//! The snapshot for people on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Rows, rows, table, title};
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
    for section in snapshot
        .ordered_sections()
        .into_iter()
        .filter(|s| only.is_none_or(|o| o == *s))
    {
        let _infallible = writeln!(
            out,
            "\n{HEADING}{}{HEADING:#} {DIM}[{section}]{DIM:#}",
            title(section)
        );
        let laid = rows(&snapshot.facts, section);
        if laid.plain.is_empty() && laid.families.is_empty() {
            out.push_str("  nothing found\n");
        }
        facts(&mut out, &laid, width);
        part(&mut out, "changes by itself", &snapshot.volatile, section, width);
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
    let plain: Vec<Vec<String>> = laid
        .plain
        .iter()
        .map(|(k, v)| vec![k.clone(), v.clone()])
        .collect();
    if !plain.is_empty() {
        out.push_str(&table::plain(&[], &plain, width));
    }
    for family in &laid.families {
        let _infallible = writeln!(out, "  {DIM}{} ({}):{DIM:#}", family.header, family.rows.len());
        let columns: Vec<&str> = [""]
            .into_iter()
            .chain(family.columns.iter().map(String::as_str))
            .collect();
        out.push_str(&table::plain(&columns, &family.rows, width));
    }
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
