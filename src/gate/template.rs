//! What `driftlock init` and `check --write-ignores` write.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::finding::{Finding, Level};
use crate::snapshot::value::write_str;

/// A policy with every key, commented.
pub const POLICY: &str = include_str!("template.toml");

/// Findings of these are about the policy itself.
const OWN: [&str; 2] = ["ignore-expired", "ignore-unmatched"];

/// An `[[ignore]]` for each denied finding: its rule, its facts, and as the reason what was accepted, and when.
pub fn ignores(findings: &[Finding], today: Date) -> (usize, String) {
    let mut out = String::new();
    let mut count = 0;
    let denied = findings.iter().filter(|f| f.level == Level::Deny && !OWN.contains(&f.rule.as_str()));
    for finding in denied {
        count += 1;
        let facts: Vec<String> = finding.facts.iter().map(|f| quoted(&f.fact)).collect();
        let _infallible = writeln!(out, "\n[[ignore]]\nrule = {}", quoted(&finding.rule));
        match facts.as_slice() {
            [] => {}
            [one] => drop(writeln!(out, "fact = {one}")),
            many => drop(writeln!(out, "facts = [\n  {},\n]", many.join(",\n  "))),
        }
        let first = finding.facts.first().map(|fact| {
            let expected = fact.expected.as_deref().unwrap_or("nothing");
            format!(" ({expected} -> {})", fact.found.as_deref().unwrap_or("absent"))
        });
        let reason = format!("accepted on {today}: {}{}", finding.title, first.unwrap_or_default());
        let _infallible = writeln!(out, "reason = {}", quoted(&reason));
    }
    (count, out)
}

/// An `[[environment]]`.
pub fn environment(name: &str, lock: &str) -> String {
    format!("\n[[environment]]\nname = {}\nlock = {}\n", quoted(name), quoted(lock))
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    let _infallible = write_str(&mut out, text);
    out
}
