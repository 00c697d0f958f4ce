//! The snapshot as one HTML file: no scripts, nothing fetched, light and dark.

use std::fmt::Write as _;

use super::{rows, summary, title};
use crate::snapshot::{Snapshot, digest};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}\
td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884;overflow-wrap:anywhere}\
td:first-child{font-family:ui-monospace,monospace;font-size:.9em;min-width:14rem}\
summary{font-weight:600;cursor:pointer;margin-top:.5rem}code{overflow-wrap:anywhere}.unknown{font-style:italic}\
@media print{details{display:block}}";

/// A whole page.
pub fn snapshot(snapshot: &Snapshot) -> String {
    let fingerprint = digest::fingerprint(&digest::sections(snapshot));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>driftlock snapshot</title>\n\
         <style>{STYLE}</style>\n<h1>Snapshot</h1>\n<p><code>{fingerprint}</code></p>\n<table>\n"
    );
    for (name, text) in summary::lines(snapshot) {
        line(&mut out, &[name, &text], "");
    }
    out.push_str("</table>\n");
    for section in snapshot.ordered_sections() {
        let is_result = crate::facts::is_result(section);
        let laid = rows(if is_result { &snapshot.results } else { &snapshot.facts }, section);
        let _infallible =
            writeln!(out, "<details open><summary>{}</summary>\n<table>", escape(title(section)));
        for (path, value) in &laid.plain {
            line(&mut out, &[path, value], "");
        }
        for (path, reason) in snapshot.unknown.iter().filter(|(p, _)| p.section() == section) {
            let shown = crate::snapshot::value::shown(reason);
            line(&mut out, &[&path.to_string(), &format!("unknown: {shown}")], " class=\"unknown\"");
        }
        out.push_str("</table>\n");
        for family in &laid.families {
            out.push_str("<table>\n<tr><th>");
            out.push_str(&escape(&family.header));
            for column in &family.columns {
                let _infallible = write!(out, "</th><th>{}", escape(column));
            }
            out.push_str("</th></tr>\n");
            for cells in &family.rows {
                line(&mut out, &cells.iter().map(String::as_str).collect::<Vec<_>>(), "");
            }
            out.push_str("</table>\n");
        }
        out.push_str("</details>\n");
    }
    out.push_str("</html>\n");
    out
}

fn line(out: &mut String, cells: &[&str], attributes: &str) {
    let _infallible = write!(out, "<tr{attributes}>");
    for cell in cells {
        let _infallible = write!(out, "<td>{}</td>", escape(cell));
    }
    out.push_str("</tr>\n");
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
