//! `--fix`: the commands that bring B to A, and what no command can change.
//!
//! The snapshot may come from a stranger and the text is run by a shell, so a value becomes part of a command only
//! where it can be nothing but a value: variables by quoting, names and versions of packages and commits by their form.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::explain::Explanation;
use crate::explain::settle::Standing;
use crate::snapshot::value::{is_unprintable, shown};
use crate::snapshot::{FactPath, Value};

/// The script. Facts that no command sets stand as comments, so that the text can be run as it is.
pub fn text(explanation: &Explanation) -> String {
    let (mut exports, mut packages, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut set, mut hands) = (BTreeSet::new(), Vec::new());
    for (change, settled) in explanation.diff.changes.iter().zip(&explanation.settled) {
        if settled.standing != Standing::Cause {
            continue;
        }
        let segments: Vec<&str> = change.path.segments().iter().map(String::as_str).collect();
        let command = match (segments.as_slice(), &change.a) {
            (["env", name], Some(value)) if is_name(name) => {
                variable(value).map(|value| exports.push(format!("export {name}={value}")))
            }
            (["env", name], None) if is_name(name) => {
                exports.push(format!("unset {name}"));
                Some(())
            }
            (["python", "packages", name, "version"], Some(Value::Str(version))) if is_project(name) => {
                is_version(version).then(|| packages.push(format!("'{name}=={version}'")))
            }
            (["python", "packages", name, "version"], None) if is_project(name) => {
                others.push(format!("uv pip uninstall {name}"));
                Some(())
            }
            (["git", "commit"], Some(Value::Str(commit))) if is_commit(commit) => {
                others.push(format!("git checkout {commit}"));
                Some(())
            }
            _ => None,
        };
        match command {
            Some(()) => drop(set.insert(&change.path)),
            None => hands.push((&change.path, &change.a)),
        }
    }
    if set.is_empty() && hands.is_empty() {
        return "# Nothing to do: no difference is a cause.\n".to_owned();
    }
    let mut out = String::new();
    if set.is_empty() {
        out.push_str("# No command brings B to A.\n");
    } else {
        out.push_str("# Brings B to A. Run this where B runs.\n");
    }
    exports.iter().chain(&others).for_each(|line| out.push_str(&format!("{line}\n")));
    if !packages.is_empty() {
        let _infallible = writeln!(out, "uv pip install {}", packages.join(" "));
    }
    by_hand(&mut out, explanation, &set, &hands);
    out
}

/// What no command of ours sets, under the rule whose remedy says what can be done.
fn by_hand(
    out: &mut String,
    explanation: &Explanation,
    set: &BTreeSet<&FactPath>,
    hands: &[(&FactPath, &Option<Value>)],
) {
    // A fact that is derived from another follows it: threads follow OMP_NUM_THREADS.
    let led = explanation.causes.iter().filter(|c| c.facts.iter().any(|f| set.contains(f)));
    let follows: BTreeSet<&FactPath> = led.flat_map(|c| &c.facts).filter(|f| !is_raw(f)).collect();
    for cause in &explanation.causes {
        let facts: Vec<_> =
            hands.iter().filter(|(p, _)| cause.facts.contains(p) && !follows.contains(p)).collect();
        if facts.is_empty() {
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

/// Whether a fact is what somebody sets, and no consequence of it.
fn is_raw(path: &FactPath) -> bool {
    matches!(path.section(), "env" | "git" | "data" | "config" | "gpu")
        || matches!(path.segments(), [python, packages, ..] if python == "python" && packages == "packages")
}

/// Whether a shell takes this as the name of a variable (POSIX, "Name").
fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether this is the name of a project ("Names and normalization", packaging.python.org): no option, no path, no
/// address.
fn is_project(text: &str) -> bool {
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    ends(text.as_bytes().first())
        && ends(text.as_bytes().last())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Whether this is a version and nothing else ("Version specifiers", packaging.python.org).
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+!_-".contains(&b))
}

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The value of a variable as one word of a shell; `None` where the snapshot does not hold all of it: a secret, a
/// name or a folder that it replaced. A list is one of paths, joined with colons; `~` is the home folder there.
fn variable(value: &Value) -> Option<String> {
    let entries: Vec<String> = match value {
        Value::List(items) => items.iter().map(Value::plain).collect(),
        other => vec![other.plain()],
    };
    let words: Option<Vec<String>> = entries.iter().map(|entry| entry_of(entry)).collect();
    Some(words?.join(":"))
}

fn entry_of(text: &str) -> Option<String> {
    let hidden = ["secret:", "private:", "{project}", "{env}", "{user}", "{host}", "{domain}", "{uuid}"];
    let more = ["{serial}", "{mac}", "{ip}"];
    if hidden.iter().chain(&more).any(|mark| text.contains(mark)) {
        return None;
    }
    match text.strip_prefix('~') {
        Some("") => Some("\"$HOME\"".to_owned()),
        Some(rest) if rest.starts_with('/') && !rest.contains("~/") => {
            Some(format!("\"$HOME\"{}", quote(rest)))
        }
        // `--dump=~/x`: a shell would not put a home folder there.
        _ if text.contains("~/") => None,
        _ => Some(quote(text)),
    }
}

/// One word of a shell: single quotes where anything but plain characters is in it. Control characters would still
/// act on a terminal that shows the script, so they go in as `$'\xNN'` (POSIX.1-2024, "Dollar-Single-Quotes").
fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+=./:,@%^".contains(&b);
    if text.bytes().all(plain) && !text.is_empty() {
        return text.to_owned();
    }
    if !text.chars().any(is_unprintable) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut out = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            // Three octal digits, never more: no digit of the value can be taken for one of the escape.
            c if is_unprintable(c) => c.to_string().bytes().for_each(|b| out.push_str(&format!("\\{b:03o}"))),
            c => out.push(c),
        }
    }
    out + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (text, word) in [
            ("4", Some("4")),
            ("", Some("''")),
            ("a b", Some("'a b'")),
            ("it's", Some("'it'\\''s'")),
            ("$(reboot)`x`", Some("'$(reboot)`x`'")),
            ("a\u{1b}1'", Some("$'a\\0331\\''")),
            ("~", Some("\"$HOME\"")),
            ("~/a b", Some("\"$HOME\"'/a b'")),
            ("~ada", Some("'~ada'")),
            ("--dump=~/x", None),
            ("secret:0123456789abcdef", None),
            ("{env}/lib", None),
        ] {
            assert_eq!(entry_of(text).as_deref(), word, "{text}");
        }
        let list = Value::from(vec!["~/bin", "", "/usr/bin"]);
        assert_eq!(variable(&list).as_deref(), Some("\"$HOME\"/bin:'':/usr/bin"));
        assert_eq!(variable(&Value::List(Vec::new())).as_deref(), Some(""));
    }

    #[test]
    fn what_is_no_option() {
        assert!(is_project("nvidia-cublas") && is_project("ruamel.yaml"));
        for bad in ["", "-r", "--index-url=x", "a b", "a@https://x", "./a", "a-", "é"] {
            assert!(!is_project(bad), "{bad}");
        }
        assert!(is_version("2.11.0+cu130") && is_version("1!2.0rc1") && !is_version("1.0;reboot"));
        assert!(!is_version("-1") && !is_version("") && !is_commit("--force") && is_commit("0123abc"));
    }
}
