//! `--fix`: the commands that bring B to A, and what no command can change.

use std::fmt::Write as _;

use crate::explain::Explanation;
use crate::explain::settle::Standing;
use crate::snapshot::value::shown;
use crate::snapshot::{FactPath, Value};

/// The script. Facts that no command sets stand as comments, so that the text can be run as it is.
pub fn text(explanation: &Explanation) -> String {
    let (mut exports, mut packages, mut others, mut hands) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (change, settled) in explanation.diff.changes.iter().zip(&explanation.settled) {
        if settled.standing != Standing::Cause {
            continue;
        }
        let segments: Vec<&str> = change.path.segments().iter().map(String::as_str).collect();
        match (segments.as_slice(), &change.a) {
            (["env", name], Some(value)) if is_name(name) => {
                exports.push(format!("export {name}={}", quote(&value.plain())));
            }
            (["env", name], None) if is_name(name) => exports.push(format!("unset {name}")),
            (["python", "packages", name, "version"], Some(version)) => {
                packages.push(quote(&format!("{name}=={}", version.plain())));
            }
            (["python", "packages", name, "version"], None) => {
                others.push(format!("uv pip uninstall {}", quote(name)));
            }
            (["git", "commit"], Some(commit)) => {
                others.push(format!("git checkout {}", quote(&commit.plain())));
            }
            _ => hands.push((change.path.clone(), change.a.clone())),
        }
    }
    let mut out = String::new();
    if exports.is_empty() && packages.is_empty() && others.is_empty() && hands.is_empty() {
        return "# Nothing to do: no difference is a cause.\n".to_owned();
    }
    let _infallible = writeln!(out, "# Brings B to A. Run this where B runs.");
    exports.iter().chain(&others).for_each(|line| out.push_str(&format!("{line}\n")));
    if !packages.is_empty() {
        let _infallible = writeln!(out, "uv pip install {}", packages.join(" "));
    }
    by_hand(&mut out, explanation, &hands);
    out
}

/// What no command of ours sets, under the rule whose remedy says what can be done.
fn by_hand(out: &mut String, explanation: &Explanation, hands: &[(FactPath, Option<Value>)]) {
    for cause in &explanation.causes {
        let facts: Vec<_> = hands.iter().filter(|(path, _)| cause.facts.contains(path)).collect();
        if facts.len() < cause.facts.len() || facts.is_empty() {
            // The commands above take the rest along: derived facts follow the variable.
            continue;
        }
        let _infallible = writeln!(out, "\n# Not by a command: {}", shown(&cause.rule.title));
        for (path, value) in facts {
            let value = value.as_ref().map_or_else(|| "absent".to_owned(), Value::plain);
            let _infallible = writeln!(out, "#   {} is to be {}", shown(&path.to_string()), shown(&value));
        }
        for line in super::human::wrap(&cause.rule.remedy, 76) {
            let _infallible = writeln!(out, "# {}", shown(&line));
        }
    }
}

/// Whether a shell takes this as the name of a variable (POSIX, "Name").
fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One word of a shell: single quotes where anything but plain characters is in it. Control characters would still
/// act on a terminal that shows the script, so they go in as `$'\xNN'`.
fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+=./:,@%^".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    if text.chars().any(crate::snapshot::value::is_unprintable) {
        let mut out = "$'".to_owned();
        for c in text.chars() {
            match c {
                '\'' | '\\' => out.extend(['\\', c]),
                c if crate::snapshot::value::is_unprintable(c) => {
                    c.to_string().bytes().for_each(|b| out.push_str(&format!("\\x{b:02x}")));
                }
                c => out.push(c),
            }
        }
        return out + "'";
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
