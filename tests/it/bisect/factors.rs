//! Each kind of factor.

use std::path::Path;

use super::{Bench, causes, noise};
use crate::common::sh;

fn git(dir: &Path, args: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    sh(dir, "git", &[&who[..], args].concat())
}

/// A repository with so many commits, of which one changes what the program prints.
fn history(bench: &Bench, commits: usize, guilty: usize) -> String {
    let dir = bench.project();
    git(&dir, &["init", "-q", "-b", "main"]);
    let mut found = String::new();
    for n in 0..commits {
        let loss = if n < guilty { "0.5" } else { "0.6" };
        bench.put("prog.sh", &format!("cat data.txt; . ./lib.sh; echo $loss # {n}\n"));
        bench.put("lib.sh", &format!("loss={loss}\n"));
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", &format!("change {n}")]);
        if n == guilty {
            found = git(&dir, &["rev-parse", "HEAD"]).trim().to_owned();
        }
        if n == 0 {
            git(&dir, &["tag", "first"]);
        }
    }
    found
}

#[test]
fn a_commit_among_fifty() {
    let bench = Bench::new();
    let guilty = history(&bench, 51, 37);
    // Not tracked, and read by the program in every commit.
    bench.put("data.txt", "data\n");
    let dir = bench.project();
    bench.snapshot("b.lock", &noise(3, "b"));
    git(&dir, &["checkout", "-q", "first"]);
    bench.snapshot("a.lock", &noise(3, "a"));
    git(&dir, &["checkout", "-q", "main"]);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["git.commit"]], "{report:#}");
    let commit = &report["causes"][0]["commit"];
    assert_eq!(commit["commits"], serde_json::json!([guilty]));
    assert_eq!(commit["among"], 50);
    assert_eq!(commit["summary"], "change 37");
    assert!(commit["probes"].as_u64().unwrap() <= 6);
    // The other way round it is the same commit.
    std::fs::rename(bench.beside("a.lock"), bench.beside("c.lock")).unwrap();
    std::fs::rename(bench.beside("b.lock"), bench.beside("a.lock")).unwrap();
    std::fs::rename(bench.beside("c.lock"), bench.beside("b.lock")).unwrap();
    let report = bench.program(&[]);
    assert_eq!(report["causes"][0]["commit"]["commits"], serde_json::json!([guilty]));
}

#[test]
fn an_uncommitted_patch() {
    let bench = Bench::new();
    history(&bench, 2, 9);
    bench.put("data.txt", "data\n");
    let args = ["--section", "env", "--section", "git", "--no-python", "--patch"];
    bench.capture("a.lock", &noise(3, "a"), &args);
    bench.put("lib.sh", "loss=0.7\n");
    bench.capture("b.lock", &noise(3, "b"), &args);
    git(&bench.project(), &["checkout", "-q", "lib.sh"]);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["git.patch"]], "{report:#}");
    // A patch that nobody kept cannot be set, unless it is here.
    let text = std::fs::read_to_string(bench.beside("b.lock")).unwrap();
    let kept: Vec<&str> = text.split("\n[volatile.git]").collect();
    assert_eq!(kept.len(), 2, "{text}");
    let rest = kept[1].split_once("\n[").map(|(_, rest)| format!("\n[{rest}")).unwrap_or_default();
    std::fs::write(bench.beside("b.lock"), format!("{}{rest}", kept[0])).unwrap();
    let report = bench.program(&[]);
    assert!(
        report["uncontrolled"].as_array().unwrap().iter().any(|u| u["fact"] == "git.diff_digest"),
        "{report:#}"
    );
    bench.put("lib.sh", "loss=0.7\n");
    assert_eq!(causes(&bench.program(&[])), [["git.patch"]]);
}

#[test]
fn a_value_of_a_configuration_file() {
    let bench = Bench::with("grep lr conf.yaml\n");
    let args = ["--section", "env", "--section", "config", "--no-python", "--config", "conf.yaml"];
    bench.put("conf.yaml", "# why\ntrain: {lr: 1e-3, epochs: 3}\nname: a\nlist: [1, 2]\n");
    bench.capture("a.lock", &noise(2, "a"), &args);
    bench.put("conf.yaml", "train:\n  lr: 1.0e-5\n  epochs: 4\nname: b\nlist: [1, 3]\n");
    bench.capture("b.lock", &noise(2, "b"), &args);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["config.train.lr"]], "{report:#}");
    let ids: Vec<&str> =
        report["factors"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"config.list") && ids.contains(&"config.name"), "{ids:?}");
    let text = std::fs::read_to_string(bench.project().join("conf.yaml")).unwrap();
    assert!(text.contains("name: b"), "the user's file is as it was");
}

/// INI and `.env`: the program sees A's comments with B's values, and the user's files stay as they were.
#[test]
fn values_of_files_of_lines() {
    let bench = Bench::with("grep -v tag conf.ini .env\n");
    let args = [
        "--section",
        "env",
        "--section",
        "config",
        "--no-python",
        "--config",
        "conf.ini",
        "--config",
        ".env",
    ];
    bench.put("conf.ini", "; why\n[train]\nLR = 0.1\ntag = a\nlayers =\n  1\n  2\n");
    bench.put(".env", "SEED=1 # one\nX_tag=a\n");
    bench.capture("a.lock", &noise(2, "a"), &args);
    bench.put("conf.ini", "; why\n[train]\nLR = 0.2\ntag = b\nlayers =\n  1\n  2\n[new]\ntag = b\n");
    bench.put(".env", "SEED=1 # one\nX_tag=b\nY_tag=b\n");
    bench.capture("b.lock", &noise(2, "b"), &args);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["config.train.lr"]], "{report:#}");
    let ids: Vec<&str> =
        report["factors"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    for id in ["config.train.tag", "config.new.tag", "config.X_tag", "config.Y_tag"] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    assert_eq!(report["touched"], serde_json::json!([]));
}

#[test]
fn a_word_of_the_command_line() {
    let bench = Bench::with("[ \"$2\" = 0.1 ] && echo 1 || echo 2\n");
    for (name, words, env) in [
        ("a.lock", ["--lr", "0.1", "--tag=a"], noise(2, "a")),
        ("b.lock", ["--lr", "0.2", "--tag=b"], noise(2, "b")),
    ] {
        let out = crate::common::driftlock()
            .args(["run", "--no-python", "-o"])
            .arg(bench.beside(name))
            .args(["--", "sh", "prog.sh"])
            .args(words)
            .envs(env)
            .current_dir(bench.project())
            .output()
            .unwrap();
        assert!(out.status.success());
    }
    let report = bench.json(&[], &["sh", "prog.sh", "--lr", "0.1", "--tag=a"]);
    assert_eq!(causes(&report), [["arguments.lr"]], "{report:#}");
    let other = bench.json(&[], &["sh", "prog.sh"]);
    let why = other["uncontrolled"].as_array().unwrap().iter().find(|u| u["fact"] == "run.command");
    assert!(why.unwrap()["why"].as_str().unwrap().contains("neither"), "{other:#}");
}

/// Edits a snapshot as another machine would have written it.
fn edit(bench: &Bench, name: &str, edits: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(bench.beside(name)).unwrap();
    for (start, line) in edits {
        let old = text.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{text}"));
        text = text.replacen(old, line, 1);
    }
    std::fs::write(bench.beside(name), text).unwrap();
}

/// Another CPU is simulated by the switches of the libraries, and that is said.
#[test]
fn another_processor_is_simulated() {
    let bench = Bench::with("echo ${ATEN_CPU_CAPABILITY:-full}\n");
    let args = ["--section", "env", "--section", "cpu", "--no-python"];
    bench.capture("a.lock", &[], &args);
    bench.capture("b.lock", &[], &args);
    let text = std::fs::read_to_string(bench.beside("a.lock")).unwrap();
    if !text.contains("aten = \"avx512\"") {
        eprintln!("skipped: this CPU has no AVX-512, so the test's smaller CPU would be this one");
        return;
    }
    edit(
        &bench,
        "b.lock",
        &[
            ("model = ", "model = \"AMD EPYC 7702 64-Core Processor\""),
            ("aten = ", "aten = \"avx2\""),
            ("onednn = ", "onednn = \"avx2\""),
        ],
    );
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["cpu.dispatch.aten"]], "{report:#}");
    assert_eq!(report["causes"][0]["simulated"], true);
    let uncontrolled = report["uncontrolled"].as_array().unwrap();
    assert!(uncontrolled.iter().any(|u| u["fact"] == "cpu.model"), "{uncontrolled:#?}");
}

#[test]
fn affinity() {
    let bench = Bench::with("nproc\n");
    let args = ["--section", "env", "--section", "cpu", "--no-python"];
    bench.capture("a.lock", &noise(2, "a"), &args);
    bench.capture("b.lock", &noise(2, "b"), &args);
    let text = std::fs::read_to_string(bench.beside("a.lock")).unwrap();
    if text.contains("\ncount = 1\n") {
        eprintln!("skipped: one CPU has no part");
        return;
    }
    edit(&bench, "b.lock", &[("cpus = ", "cpus = \"0\""), ("count = ", "count = 1")]);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["cpu.affinity"]], "{report:#}");
}
