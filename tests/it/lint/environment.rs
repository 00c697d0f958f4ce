//! The part on the environment, over recorded machines.

use std::path::{Path, PathBuf};

use super::super::common;
use super::{json, lint};

/// The snapshot of a recorded machine.
fn recorded(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(format!("{name}.lock"));
    let host = common::root().join("fixtures/hosts").join(name);
    let out = common::driftlock()
        .args(["capture", "--replay"])
        .arg(host)
        .arg("-o")
        .arg(&path)
        .current_dir(dir)
        .output()
        .expect("driftlock runs");
    assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
    path
}

fn rules(dir: &Path, lock: &Path, args: &[&str]) -> Vec<String> {
    let name = lock.file_name().unwrap().to_str().unwrap();
    let report = json(dir, &[&[name], args].concat());
    let findings = report["findings"].as_array().unwrap().iter();
    let mut out: Vec<String> =
        findings.filter(|f| f["level"] == "deny").map(|f| f["rule"].as_str().unwrap().to_owned()).collect();
    out.sort();
    out
}

/// The snapshot with lines changed or added: `old` must be there.
fn changed(dir: &Path, lock: &Path, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = std::fs::read_to_string(lock).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old} is not in {}", lock.display());
        text = text.replacen(old, new, 1);
    }
    let path = dir.join(format!("{name}.lock"));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn hazards_of_recorded_machines() {
    let dir = common::folder();
    for (host, there, not) in [
        ("driver-mismatch", &["driver-mismatch"][..], &["gpus-mixed"][..]),
        ("t4-v100", &["gpus-unequal-unordered"], &["driver-mismatch", "gpus-mixed"]),
        ("debian-minimal", &[], &["gpus-mixed", "driver-mismatch", "tf32-by-variable"]),
    ] {
        let lock = recorded(dir.path(), host);
        let found = rules(dir.path(), &lock, &[]);
        for rule in there {
            assert!(found.iter().any(|f| f == rule), "{host}: {rule} is missing: {found:?}");
        }
        for rule in not {
            assert!(!found.iter().any(|f| f == rule), "{host}: {rule} is raised");
        }
        // A run on the CPU does not care.
        let on_cpu = rules(dir.path(), &lock, &["--scope", "cpu"]);
        assert!(!on_cpu.iter().any(|f| there.contains(&f.as_str())), "{host}: {on_cpu:?}");
    }
}

#[test]
fn a_hazard_points_at_the_line_of_the_snapshot() {
    let dir = common::folder();
    let lock = recorded(dir.path(), "driver-mismatch");
    let report = json(dir.path(), &["driver-mismatch.lock"]);
    let finding =
        report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "driver-mismatch").unwrap();
    let line = usize::try_from(finding["location"]["line"].as_u64().unwrap()).unwrap();
    let text = std::fs::read_to_string(&lock).unwrap();
    let at = text.lines().nth(line - 1).unwrap();
    assert!(
        at.starts_with("mismatch") || at.starts_with("version") || at.starts_with("kernel_module"),
        "{line}: {at}"
    );
    assert_eq!(finding["location"]["path"], "driver-mismatch.lock");
    assert_eq!(lint(dir.path(), &["driver-mismatch.lock"]).status.code(), Some(1));
}

#[test]
fn no_gpu_no_hazard_of_a_gpu() {
    let dir = common::folder();
    let lock = recorded(dir.path(), "debian-minimal");
    let variables = "[env]\nTORCH_ALLOW_TF32_CUBLAS_OVERRIDE = \"1\"\nCUDA_PROFILE = \"1\"\nCUBLAS_EMULATE_SINGLE_PRECISION = \"1\"\nCUDA_VISIBLE_DEVICES = \"-1\"\n";
    let text = std::fs::read_to_string(&lock).unwrap();
    let with = if text.contains("\n[env]\n") {
        text.replacen("\n[env]\n", &format!("\n{variables}"), 1)
    } else {
        format!("{text}\n{variables}")
    };
    let path = dir.path().join("moot.lock");
    std::fs::write(&path, with).unwrap();
    let report = json(dir.path(), &["moot.lock", "--all"]);
    let text = serde_json::to_string(&report["findings"]).unwrap();
    for rule in [
        "tf32-by-variable",
        "dcgm-bad-variables",
        "products-emulated",
        "gpus-all-hidden",
        "cublas-workspace-unset",
    ] {
        assert!(!text.contains(rule), "{rule} on a machine without a GPU");
    }
}

#[test]
fn what_the_source_says_decides_hazards_of_the_environment() {
    let dir = common::folder();
    // This machine: only what does not hang on it.
    let rules = |args: &[&str]| -> Vec<(String, String)> {
        let report = json(dir.path(), args);
        let all = report["findings"].as_array().unwrap();
        let pick = |f: &serde_json::Value, key: &str| f[key].as_str().unwrap().to_owned();
        all.iter()
            .map(|f| (pick(f, "rule"), pick(f, "level")))
            .filter(|(r, _)| r == "hash-seed-unset")
            .collect()
    };
    let of = |level: &str| vec![("hash-seed-unset".to_owned(), level.to_owned())];
    // Nobody knows what the program does: a note.
    assert_eq!(rules(&["--no-source"]), of("allow"));
    std::fs::write(dir.path().join("a.py"), "def f(x):\n    return list(set(x))\n").unwrap();
    assert_eq!(rules(&[]), of("deny"));
    std::fs::write(dir.path().join("a.py"), "def f(x):\n    return sorted(set(x))\n").unwrap();
    assert_eq!(rules(&[]), []);
}

#[test]
fn a_run_decides_for_itself() {
    let dir = common::folder();
    let lock = recorded(dir.path(), "debian-minimal");
    let workload = "\n[workload]\noperations = [\"python.set.iteration\"]\n";
    let path = changed(dir.path(), &lock, "run", &[]);
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text
        .find("\n[private")
        .or_else(|| text.find("\n[volatile"))
        .or_else(|| text.find("\n[meta"))
        .unwrap();
    std::fs::write(&path, format!("{}{workload}{}", &text[..at], &text[at..])).unwrap();
    let found = rules(dir.path(), &path, &[]);
    assert!(found.contains(&"hash-seed-unset".to_owned()), "{found:?}");
}

/// A hazard of operations that nobody knows the program to use is a note; one that it uses fails, one that it does not
/// use is none.
#[test]
fn a_hazard_of_unknown_operations_is_a_note() {
    let dir = common::folder();
    let level = |workload: &str| -> Option<(String, String)> {
        let text =
            format!("format = 1\n\n[cpu.threads]\ntorch = 4\n\n[torch]\nversion = \"2.11.0\"\n{workload}");
        std::fs::write(dir.path().join("a.lock"), text).unwrap();
        let report = json(dir.path(), &["a.lock"]);
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|f| f["rule"] == "torch-index-put-race")?;
        let pick = |key: &str| found[key].as_str().unwrap().to_owned();
        Some((pick("level"), pick("title")))
    };
    let (of_unknown, title) = level("").unwrap();
    assert_eq!(of_unknown, "allow");
    assert!(title.ends_with(", if the program does what the rule asks for"), "{title}");
    let (of_used, title) =
        level("\n[workload]\nframeworks = [\"torch\"]\noperations = [\"torch.scatter\"]\n").unwrap();
    assert_eq!((of_used.as_str(), title.as_str()), ("deny", "Accumulating by index on several CPU threads"));
    assert_eq!(level("\n[workload]\nframeworks = [\"torch\"]\noperations = [\"torch.matmul\"]\n"), None);
}
