//! `--fix`: the script is a script, does what it says, and nothing that a snapshot put into it.

use std::path::Path;
use std::process::Command;

use driftlock::snapshot::Value;

use super::{diff, json, put, snapshot};
use crate::common::{driftlock, folder};

/// A rule that makes a cause of any variable with this prefix.
const OWN: &str = r#"
[[rule]]
id = "ours"
title = "A variable of ours"
on = "diff"
effect = "code"
confidence = "documented"
facts = ["env.OURS_*"]
why = "It counts."
remedy = "Export it."
"#;

const NAMES: [&str; 14] = [
    "OURS_COMMAND",
    "OURS_QUOTES",
    "OURS_LINES",
    "OURS_ESCAPE",
    "OURS_DIGITS",
    "OURS_UNICODE",
    "OURS_BIDI",
    "OURS_EMPTY",
    "OURS_SPACES",
    "OURS_HOME",
    "OURS_ONLY_A",
    "OURS_ONLY_B",
    "OMP_NUM_THREADS",
    "MKL_CBWR",
];

fn capture(dir: &Path, name: &str, env: &[(&str, &str)]) {
    let mut command = driftlock();
    command.args(["capture", "--no-python", "--section", "env", "--section", "cpu"]);
    command.args(["--env", "OURS_*", "-o", name]).envs(env.iter().copied()).current_dir(dir);
    assert!(command.output().unwrap().status.success());
}

#[test]
fn the_script_brings_b_to_a() {
    let dir = folder();
    let home = std::env::var("HOME").unwrap();
    std::fs::write(dir.path().join("driftlock.toml"), OWN).unwrap();
    let below_home = format!("{home}/da ta");
    let a: [(&str, &str); 13] = [
        ("OURS_COMMAND", "$(touch pwned) `touch pwned`; touch pwned & touch pwned"),
        ("OURS_QUOTES", "it's \"quoted\" \\ and 'more'"),
        ("OURS_LINES", "two\nlines\ttab"),
        ("OURS_ESCAPE", "\u{1b}[31m\u{1b}1f'"),
        ("OURS_DIGITS", "\u{7}007\u{7f}"),
        ("OURS_UNICODE", "é 你 🙂"),
        ("OURS_BIDI", "\u{202e}gnp\u{2028}"),
        ("OURS_EMPTY", ""),
        ("OURS_SPACES", "  a  b "),
        ("OURS_HOME", &below_home),
        ("OURS_ONLY_A", "1"),
        ("OMP_NUM_THREADS", "1"),
        ("MKL_CBWR", "COMPATIBLE"),
    ];
    let b = [("OURS_QUOTES", "x"), ("OURS_EMPTY", "x"), ("OURS_ONLY_B", "1"), ("OMP_NUM_THREADS", "2")];
    capture(dir.path(), "a.lock", &a);
    capture(dir.path(), "b.lock", &b);
    let before = super::changed(&json(dir.path(), &["a.lock", "b.lock", "--scope", "torch,cpu"]));
    for name in NAMES {
        assert!(before.contains(&format!("env.{name}")), "{name} of {before:?}");
    }
    let (code, script, messages) = diff(dir.path(), &["a.lock", "b.lock", "--fix", "--scope", "torch,cpu"]);
    assert_eq!((code, messages.as_str()), (1, ""));
    let unprintable = |c: char| c != '\n' && driftlock::snapshot::value::is_unprintable(c);
    assert!(!script.contains(unprintable), "{script:?}");
    std::fs::write(dir.path().join("fix.sh"), &script).unwrap();
    let check = Command::new("bash").args(["-n", "fix.sh"]).current_dir(&dir).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));

    // As a user would: in a shell that has B's environment.
    let mut again = Command::new("bash");
    let driftlock = env!("CARGO_BIN_EXE_driftlock");
    let capture = "capture --no-python --section env --section cpu --env 'OURS_*' -o again.lock";
    again.args(["-euc", &format!(". ./fix.sh && exec '{driftlock}' {capture}")]).envs(b).current_dir(&dir);
    for name in NAMES.iter().filter(|n| !b.iter().any(|(set, _)| set == *n)) {
        again.env_remove(name);
    }
    let out = again.env("DRIFTLOCK_NOW", "1700000000").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!dir.path().join("pwned").exists(), "a value was run: {script}");
    let after = super::changed(&json(dir.path(), &["a.lock", "again.lock", "--scope", "torch,cpu"]));
    let left: Vec<_> = after.iter().filter(|f| NAMES.iter().any(|n| **f == format!("env.{n}"))).collect();
    assert!(left.is_empty(), "{left:?} still differ after\n{script}");
}

#[test]
fn what_is_no_value_becomes_no_command() {
    let dir = folder();
    std::fs::write(dir.path().join("driftlock.toml"), OWN).unwrap();
    let list = |items: &[&str]| Value::from(items.to_vec());
    let hostile: [(&str, Value); 10] = [
        ("env.OURS_SECRET", "--key=secret:0123456789abcdef".into()),
        ("env.OURS_PROJECT", "{project}/x".into()),
        ("env.\"OURS_A=$(touch pwned)\"", "1".into()),
        ("env.\"OURS_\\ntouch pwned\"", "1".into()),
        ("env.OURS_LIST", list(&["~/a b", "/c"])),
        ("git.commit", "--force; touch pwned".into()),
        ("git.repository", true.into()),
        ("python.packages.\"--index-url=https://example.org/\".version", "1".into()),
        ("python.packages.\"-r /dev/stdin\".version", "1".into()),
        ("python.packages.torch.version", "2.0;touch pwned".into()),
    ];
    put(dir.path(), "a.lock", &snapshot(&["env", "git", "python"], &hostile));
    let b = [
        ("git.commit", "0123456789".into()),
        ("git.repository", true.into()),
        ("python.packages.torch.version", "2.1".into()),
    ];
    put(dir.path(), "b.lock", &snapshot(&["env", "git", "python"], &b));
    let (code, script, _) = diff(dir.path(), &["a.lock", "b.lock", "--fix"]);
    assert_eq!(code, 1);
    let commands: Vec<&str> = script.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect();
    assert_eq!(commands, ["export OURS_LIST=\"$HOME\"'/a b':/c"], "{script}");
    assert!(script.contains("is to be --force; touch pwned"), "what is done by hand is named: {script}");
    assert!(script.contains("env.OURS_SECRET is to be"), "{script}");
    let check = Command::new("bash").args(["-euc", &script]).current_dir(&dir).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    assert!(!dir.path().join("pwned").exists());
}

#[test]
fn nothing_to_do() {
    let dir = folder();
    super::two(dir.path());
    let (code, script, _) = diff(dir.path(), &["a.lock", "a.lock", "--fix"]);
    assert_eq!((code, script.lines().all(|l| l.starts_with('#'))), (0, true), "{script}");
}
