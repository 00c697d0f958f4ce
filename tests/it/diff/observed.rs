//! What the runs wrote beside what their environments let one expect: real runs of a small program.

use std::path::Path;

use super::{diff, json};
use crate::common::{driftlock, folder, sh};

/// Runs the program with these variables and writes `NAME.lock`.
fn record(dir: &Path, name: &str, env: &[(&str, &str)], program: &str) {
    std::fs::write(dir.join("program.py"), program).unwrap();
    let python = python();
    let lock = format!("{name}.lock");
    let mut command = driftlock();
    command.args(["run", "-o", &lock, "--output", "out.json", "--", &python, "program.py"]).current_dir(dir);
    let out = command.envs(env.iter().copied()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The interpreter itself: a version manager's shim of that name starts a shell.
fn python() -> String {
    let ask = "import os, sys; print(os.path.realpath(sys.executable))";
    sh(Path::new("."), "python3", &["-c", ask]).trim().to_owned()
}

/// Writes the order in which a set of texts comes: it follows PYTHONHASHSEED.
const ORDER: &str = "import json
words = list({'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'})
numbers = [float(len(w)) * (i + 1) for i, w in enumerate(words)]
json.dump({'numbers': numbers}, open('out.json', 'w'))
";

/// The same set, sorted: it does not.
const SORTED: &str = "import json
words = sorted({'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'})
numbers = [float(len(w)) * (i + 1) for i, w in enumerate(words)]
json.dump({'numbers': numbers}, open('out.json', 'w'))
";

/// What no snapshot holds decides: a file that was not named.
const HIDDEN: &str = "import json
number = float(open(open('name').read()).read())
json.dump({'numbers': [number]}, open('out.json', 'w'))
";

#[test]
fn equal_environments_and_equal_outputs() {
    let dir = folder();
    for name in ["a", "b"] {
        record(dir.path(), name, &[("PYTHONHASHSEED", "1")], SORTED);
    }
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(report["outputs"]["same"], true);
    assert!(["identical", "same"].contains(&report["verdict"]["outcome"].as_str().unwrap()), "{report:#}");
    let (code, out, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    assert!(code == 0 && out.contains("agree"), "{out}");
}

#[test]
fn a_cause_that_did_not_matter() {
    let dir = folder();
    record(dir.path(), "a", &[("PYTHONHASHSEED", "1")], SORTED);
    record(dir.path(), "b", &[("PYTHONHASHSEED", "2")], SORTED);
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(report["verdict"]["outcome"], "same", "{report:#}");
    assert_eq!(report["causes"], serde_json::json!([]));
    let changes = report["changes"].as_array().unwrap();
    assert!(changes.iter().any(|c| c["fact"] == "env.PYTHONHASHSEED"), "{report:#}");
    assert!(changes.iter().all(|c| c["standing"] != "cause"), "{report:#}");
    let (code, out, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    assert!(code == 0 && out.contains("the outputs agree bit by bit"), "{out}");
}

#[test]
fn a_cause_that_mattered() {
    let dir = folder();
    record(dir.path(), "a", &[("PYTHONHASHSEED", "1")], ORDER);
    record(dir.path(), "b", &[("PYTHONHASHSEED", "2")], ORDER);
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(report["outputs"]["same"], false);
    assert_eq!(report["verdict"]["outcome"], "different", "{report:#}");
    let facts = report["causes"][0]["facts"].as_array().unwrap();
    assert!(facts.contains(&"env.PYTHONHASHSEED".into()), "{report:#}");
    let (code, out, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    assert!(code == 1 && out.contains("the outputs differ"), "{out}");
}

#[test]
fn outputs_that_nothing_recorded_explains() {
    let dir = folder();
    // The path of the file is nowhere in the program.
    std::fs::write(dir.path().join("name"), "hidden").unwrap();
    for (name, number) in [("a", "1.5"), ("b", "2.5")] {
        std::fs::write(dir.path().join("hidden"), number).unwrap();
        record(dir.path(), name, &[("PYTHONHASHSEED", "1")], HIDDEN);
    }
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(report["verdict"]["outcome"], "unknown", "{report:#}");
    let (code, out, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    assert!(code == 1 && out.contains("the outputs differ") && out.contains("not recorded"), "{out}");
}
