//! The snapshot as Markdown, for a bug report: the summary first, every section folded away.

use std::fmt::Write as _;

use super::{Family, rows, summary, title};
use crate::snapshot::{Snapshot, digest};

/// A block to paste into an issue.
pub fn snapshot(snapshot: &Snapshot, only: Option<&str>) -> String {
    let mut out = String::new();
    if only.is_none() {
        out.push_str("### Environment\n\n| | |\n| --- | --- |\n");
        for (name, text) in summary::lines(snapshot) {
            row(&mut out, &[name.to_owned(), text]);
        }
        let fingerprint = digest::fingerprint(&digest::sections(snapshot));
        row(&mut out, &["fingerprint".to_owned(), format!("`{fingerprint}`")]);
        out.push('\n');
    }
    for section in snapshot.ordered_sections().into_iter().filter(|s| only.is_none_or(|o| o == *s)) {
        let is_result = crate::facts::is_result(section);
        let laid = rows(if is_result { &snapshot.results } else { &snapshot.facts }, section);
        let unknown: Vec<_> = snapshot.unknown.iter().filter(|(p, _)| p.section() == section).collect();
        if laid.plain.is_empty() && laid.families.is_empty() && unknown.is_empty() {
            continue;
        }
        let _infallible = writeln!(out, "<details><summary>{}</summary>\n", title(section));
        if !laid.plain.is_empty() || !unknown.is_empty() {
            out.push_str("| fact | value |\n| --- | --- |\n");
            for (path, value) in laid.plain {
                row(&mut out, &[format!("{section}.{path}"), value]);
            }
            for (path, reason) in unknown {
                row(
                    &mut out,
                    &[path.to_string(), format!("*unknown: {}*", crate::snapshot::value::shown(reason))],
                );
            }
            out.push('\n');
        }
        for family in &laid.families {
            families(&mut out, family);
        }
        out.push_str("</details>\n");
    }
    out
}

fn families(out: &mut String, family: &Family) {
    let heading: Vec<String> =
        [family.header.clone()].into_iter().chain(family.columns.iter().cloned()).collect();
    row(out, &heading);
    row(out, &vec!["---".to_owned(); heading.len()]);
    for cells in &family.rows {
        let mut cells = cells.clone();
        cells.resize(heading.len(), String::new());
        row(out, &cells);
    }
    out.push('\n');
}

/// One row; what would end a cell, start HTML or mention a user is escaped.
fn row(out: &mut String, cells: &[String]) {
    for cell in cells {
        let cell = cell.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;").replace('@', "&#64;");
        let _infallible = write!(out, "| {cell} ");
    }
    out.push_str("|\n");
}
