//! Findings as workflow commands of GitHub Actions: `::error file=…,line=…,title=…::message`.
//!
//! The grammar is that of "Workflow commands for GitHub Actions"
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>), the escapes those of
//! `escapeData` and `escapeProperty` in `packages/core/src/command.ts` of <https://github.com/actions/toolkit>. GitHub
//! shows ten errors and ten warnings of a step, the first ones; every one is in its log.

use std::fmt::Write as _;

use super::{Run, message, place};
use crate::gate::finding::{Finding, Level};
use crate::snapshot::value::shown;

/// One line for each finding, and a line of summary.
pub fn text(findings: &[Finding], run: &Run) -> String {
    let mut out = String::new();
    for finding in findings {
        let command = match finding.level {
            Level::Deny => "error",
            Level::Warn => "warning",
            Level::Allow => "notice",
        };
        let (path, line) = place(finding, run);
        let mut properties = vec![("file", path), ("line", line.to_string())];
        if let Some(location) = &finding.location {
            let columns = [("col", location.column), ("endColumn", location.end_column)];
            properties.extend(columns.into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))));
        }
        // The title stands in bold above the message, which need not repeat it.
        properties.push(("title", format!("driftlock {}: {}", run.command, finding.title)));
        let properties: Vec<String> =
            properties.iter().map(|(name, value)| format!("{name}={}", property(&shown(value)))).collect();
        let message = message(finding);
        let message = message.split_once('\n').map_or(message.as_str(), |(_, rest)| rest);
        let _infallible = writeln!(out, "::{command} {}::{}", properties.join(","), data(message));
    }
    // A line that begins with `::` would be a command.
    let _infallible = writeln!(out, "driftlock {}: {}", run.command, shown(&run.summary));
    out
}

/// The text behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// What GitHub takes of a step's summary: 1 MiB ("Step isolation and limits" of the page above).
pub const SUMMARY_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(data("100%\r\n::error::x, y"), "100%25%0D%0A::error::x, y");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
