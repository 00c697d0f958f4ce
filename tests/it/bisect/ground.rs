//! What is proved before the search, and where it ends there.

use super::{Bench, noise};

#[test]
fn an_unstable_run_is_said_to_be_one() {
    let bench = Bench::with("[ \"$V1_SEED\" = a ] && echo 1 || date +%N\n");
    bench.pair(&noise(3, "a"), &noise(3, "b"));
    let out = bench.run(&["--repeat", "3"], &["sh", "prog.sh"]);
    assert_eq!(out.status.code(), Some(1));
    let report = bench.program(&["--repeat", "3"]);
    assert_eq!(report["outcome"], "unstable");
    assert_eq!(report["ground"]["a"]["distinct"], 1);
    assert_eq!(report["ground"]["b"]["distinct"], 3, "{report:#}");
    assert!(report["summary"].as_str().unwrap().starts_with("B gave 3 results in 3 runs"));
    assert_eq!(report["searched"], 0);
}

#[test]
fn equal_sides_are_harmless() {
    let bench = Bench::with("echo same\n");
    bench.pair(&noise(3, "a"), &noise(3, "b"));
    let out = bench.run(&[], &["sh", "prog.sh"]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{text}");
    assert!(text.contains("harmless"), "{text}");
}

#[test]
fn a_command_that_does_not_run_is_no_ground() {
    let bench = Bench::with("echo nothing works here >&2; exit 3\n");
    bench.pair(&noise(2, "a"), &noise(2, "b"));
    let out = bench.run(&[], &["sh", "prog.sh"]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains("exit code 3") && text.contains("nothing works here"), "{text}");
    assert_eq!(bench.run(&[], &["no-such-program"]).status.code(), Some(2));
    let slow = Bench::with("sleep 60\n");
    slow.pair(&noise(2, "a"), &noise(2, "b"));
    let out = slow.run(&["--timeout", "1"], &["sh", "prog.sh"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stdout).contains("longer than 1 s"));
}

/// What nothing here sets is named, and what is left where all else is equal.
#[test]
fn what_cannot_be_set_is_named() {
    let bench = Bench::with("echo same\n");
    bench.capture("a.lock", &[("V1_SEED", "a")], &["--section", "env", "--section", "os", "--no-python"]);
    bench.capture("b.lock", &[("V1_SEED", "b")], &["--section", "env", "--section", "os", "--no-python"]);
    let text = std::fs::read_to_string(bench.beside("b.lock")).unwrap();
    let line = text.lines().find(|l| l.starts_with("libc_version")).unwrap();
    std::fs::write(bench.beside("b.lock"), text.replace(line, "libc_version = \"2.17\"")).unwrap();
    let report = bench.program(&[]);
    assert_eq!(report["outcome"], "equal");
    let facts: Vec<&str> =
        report["uncontrolled"].as_array().unwrap().iter().map(|u| u["fact"].as_str().unwrap()).collect();
    assert!(facts.contains(&"os.libc_version"), "{facts:?}");
    assert_eq!(report["suspects"][0], "os.libc_version", "{report:#}");
}

/// A secret is in no snapshot, so no mixture can have it.
#[test]
fn a_value_that_a_snapshot_hides_cannot_be_set() {
    let bench = Bench::with("echo same\n");
    let args = ["--section", "env", "--no-python", "--env", "MY_TOKEN"];
    bench.capture("a.lock", &[("MY_TOKEN", "ghp_0123456789abcdefghijklmnopqrstuvwxyzA")], &args);
    bench.capture("b.lock", &[("MY_TOKEN", "ghp_0123456789abcdefghijklmnopqrstuvwxyzB")], &args);
    let report = bench.program(&[]);
    let factors = report["factors"].as_array().unwrap();
    assert!(factors.iter().all(|f| f["id"] != "env.MY_TOKEN"), "{factors:#?}");
    assert!(!report.to_string().contains("ghp_"), "no secret is shown");
}

/// The recorded runs differed, and here they do not: what is recorded does not explain it.
#[test]
fn what_nothing_recorded_explains() {
    let bench = Bench::with("cat ../hidden > out.txt\n");
    for (name, hidden) in [("a.lock", "1\n"), ("b.lock", "2\n")] {
        std::fs::write(bench.beside("hidden"), hidden).unwrap();
        let out = crate::common::driftlock()
            .args(["run", "--no-python", "--output", "out.txt", "-o"])
            .arg(bench.beside(name))
            .args(["--", "sh", "prog.sh"])
            .env("V1_SEED", hidden.trim())
            .current_dir(bench.project())
            .output()
            .unwrap();
        assert!(out.status.success());
    }
    bench.put("prog.sh", "echo 1 > out.txt\n");
    let report = bench.json(&["--output", "out.txt"], &["sh", "prog.sh"]);
    assert_eq!(report["outcome"], "unexplained", "{report:#}");
    assert_eq!(report["ground"]["a"]["as_recorded"], true);
    assert_eq!(report["ground"]["b"]["as_recorded"], false);
    assert_eq!(bench.run(&["--output", "out.txt"], &["sh", "prog.sh"]).status.code(), Some(1));
}

/// Another text of the program, and no commit to set: nothing is called harmless that was not tried.
#[test]
fn another_text_without_a_commit_is_left() {
    let bench = Bench::new();
    for (name, text) in [("a.lock", "print(1 + 1)\n"), ("b.lock", "print(1 + 2)\n")] {
        bench.put("prog.py", text);
        let out = crate::common::driftlock()
            .args(["run", "-o"])
            .arg(bench.beside(name))
            .args(["--", "python3", "prog.py"])
            .env("V1_SEED", text)
            .current_dir(bench.project())
            .output()
            .unwrap();
        assert!(out.status.success());
    }
    let report = bench.json(&[], &["python3", "prog.py"]);
    assert_eq!(report["outcome"], "equal", "{report:#}");
    assert!(report["summary"].as_str().unwrap().contains("what cannot be set is left"));
    assert!(report["suspects"].to_string().contains("workload.code"), "{report:#}");
}
