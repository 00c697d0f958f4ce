//! `driftlock lint`: the programs of the guides, wrong and corrected, and everything that a project can hold.

mod environment;
mod robust;

use std::path::Path;
use std::process::Output;

use super::common;

/// `driftlock lint` in `dir`.
fn lint(dir: &Path, args: &[&str]) -> Output {
    common::driftlock().arg("lint").args(args).current_dir(dir).output().expect("driftlock runs")
}

/// The findings as JSON.
fn json(dir: &Path, args: &[&str]) -> serde_json::Value {
    let out = lint(dir, &[&["--format", "json"], args].concat());
    let text = String::from_utf8_lossy(&out.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

/// `path:line:column rule`, in order.
fn places(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|f| {
            let l = &f["location"];
            format!("{}:{}:{} {}", l["path"].as_str().unwrap_or("-"), l["line"], l["column"], f["rule"])
                .replace('"', "")
        })
        .collect()
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn every_hazard_of_the_guides_programs_and_no_other() {
    let folder = common::root().join("fixtures/lint");
    let found = places(&json(&folder.join("wrong"), &["."]));
    let expected = [
        "mlp_classifier.py:11:9 program-unseeded",
        "mlp_classifier.py:12:36 random-state-missing",
        "mlp_classifier.py:14:9 random-state-missing",
        "mlp_classifier.py:18:61 seed-from-clock",
        "simple_cnn.py:15:1 hash-seed-set-late",
        "simple_cnn.py:16:1 cudnn-benchmark-true",
        "simple_cnn.py:17:1 tf32-allowed",
        "simple_cnn.py:44:9 loader-workers-unseeded",
        "simple_cnn.py:50:38 program-unseeded",
        "simple_cnn.py:59:9 deterministic-mode-missing",
        "simple_cnn.py:64:30 files-unsorted",
        "simple_cnn.py:68:27 seed-from-clock",
        "simple_rnn.py:10:42 deterministic-mode-only-warns",
        "simple_rnn.py:11:1 tf32-allowed",
        "simple_rnn.py:13:51 files-unsorted",
        "simple_rnn.py:14:16 set-order",
        "simple_rnn.py:21:20 program-unseeded",
        "simple_rnn.py:39:13 program-unseeded",
        "simple_rnn.py:48:8 hash-as-value",
        "three_frameworks.py:16:13 program-unseeded",
        "three_frameworks.py:21:33 program-unseeded",
        "three_frameworks.py:35:9 program-unseeded",
        "three_frameworks.py:44:30 seed-from-clock",
        "three_frameworks.py:45:11 generator-without-seed",
        "three_frameworks.py:62:17 set-order",
    ];
    assert_eq!(found, expected, "{found:#?}");
    assert_eq!(lint(&folder.join("wrong"), &["."]).status.code(), Some(1));
    let out = lint(&folder.join("corrected"), &["."]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stdout));
    assert_eq!(places(&json(&folder.join("corrected"), &["."])), [""; 0]);
}

#[test]
fn comments_take_findings_back_and_are_judged_themselves() {
    let dir = common::folder();
    let text = "import os\nimport time\nimport random\n\
        files = list(os.listdir('.'))[0]  # driftlock: ignore[files-unsorted] there is only one\n\
        # driftlock: ignore[seed-from-clock] the seed is logged\n\
        seed = int(time.time())\n\
        random.seed(time.time())  # noqa: S311  # driftlock: ignore[seed-from-clock]\n\
        x = 1  # driftlock: ignore[set-order] nothing here\n\
        y = 2  # driftlock: ignore[set-ordr] a slip\n\
        z = 3  # driftlock: ignore everything\n\
        text = '# driftlock: ignore[set-order] in a text'\n\
        # driftlock: ignored things are no such comment\n\
        a = hash('a') % 2  # driftlock: ignore[seed-from-clock, hash-as-value]: both\n";
    write(dir.path(), &[("a.py", text)]);
    let report = json(dir.path(), &["a.py"]);
    assert_eq!(
        places(&report),
        [
            "a.py:7:41 ignore-without-reason",
            "a.py:8:8 ignore-unmatched",
            "a.py:9:8 ignore-unmatched",
            "a.py:10:8 ignore-unmatched",
            "a.py:13:20 ignore-unmatched",
        ]
    );
    assert_eq!(report["ignored"], 4);
    assert_eq!(report["counts"]["warn"], 5);
    assert_eq!(lint(dir.path(), &["a.py"]).status.code(), Some(0), "warnings do not fail");
    let titles = serde_json::to_string(&report["findings"]).unwrap();
    assert!(titles.contains("there is no rule of this name") && titles.contains("names no rule"), "{titles}");
    // Without the comments all of it is there.
    write(dir.path(), &[("a.py", &text.replace("driftlock:", "x:"))]);
    assert_eq!(places(&json(dir.path(), &["a.py"])).len(), 4);
}

#[test]
fn a_program_is_judged_by_all_of_its_modules() {
    let dir = common::folder();
    let train = "from lib.seeds import set_seed\nfrom lib import data\n\n\
        if __name__ == '__main__':\n    set_seed(0)\n    print(data.noise(3))\n";
    let data = "import numpy as np\n\n\ndef noise(n):\n    return np.random.rand(n)\n\n\ndef unused():\n    import random\n    return random.random()\n";
    let seeds = "import numpy as np\n\n\ndef set_seed(seed):\n    np.random.seed(seed)\n";
    write(
        dir.path(),
        &[("train.py", train), ("lib/data.py", data), ("lib/seeds.py", seeds), ("lib/__init__.py", "")],
    );
    assert_eq!(places(&json(dir.path(), &["."])), [""; 0]);
    // A file that is named alone still has its helpers.
    assert_eq!(places(&json(dir.path(), &["train.py"])), [""; 0]);
    // A function that is called `set_seed` and seeds something else does not count.
    write(dir.path(), &[("lib/seeds.py", "import random\n\n\ndef set_seed(seed):\n    random.seed(seed)\n")]);
    assert_eq!(places(&json(dir.path(), &["."])), ["lib/data.py:5:12 program-unseeded"]);
    // Of a library that is not ours it does.
    write(dir.path(), &[("train.py", &train.replace("lib.seeds", "transformers"))]);
    assert_eq!(places(&json(dir.path(), &["."])), [""; 0]);
    // A module by itself is no program.
    assert_eq!(places(&json(dir.path(), &["lib/data.py"])), [""; 0]);
}

#[test]
fn only_what_git_tracks() {
    let dir = common::folder();
    let bad = "import random\nrandom.seed()\n";
    let files = [
        ("a.py", bad),
        ("sub/b.py", bad),
        ("new.py", bad),
        ("tool", &format!("#!/usr/bin/env python3\n{bad}")),
        ("notes.txt", bad),
    ];
    write(dir.path(), &files);
    // Without git: everything below.
    let all =
        ["a.py:2:1", "new.py:2:1", "sub/b.py:2:1", "tool:3:1"].map(|p| format!("{p} generator-without-seed"));
    assert_eq!(places(&json(dir.path(), &["--no-source", "--source", "--scope", "cpu", "."])), all);
    common::sh(dir.path(), "git", &["init", "-q"]);
    common::sh(dir.path(), "git", &["add", "a.py", "sub", "tool"]);
    let of_source = |dir: &Path| -> Vec<String> {
        places(&json(dir, &["--source"])).into_iter().filter(|p| !p.starts_with('-')).collect()
    };
    assert_eq!(
        of_source(dir.path()),
        ["a.py:2:1", "sub/b.py:2:1", "tool:3:1"].map(|p| format!("{p} generator-without-seed"))
    );
    // Below the working directory, and named from there.
    assert_eq!(of_source(&dir.path().join("sub")), ["b.py:2:1 generator-without-seed"]);
    // A tracked file that is gone is no trouble.
    std::fs::remove_file(dir.path().join("a.py")).unwrap();
    assert_eq!(of_source(dir.path()).len(), 2);
}

#[test]
fn notebooks() {
    let dir = common::folder();
    let text = "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"%matplotlib inline\\n\",\n    \"import numpy as np\\n\",\n    \"x = np.random.rand(3)\"\n   ]\n  },\n  {\"cell_type\": \"markdown\", \"source\": [\"import random\"]},\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\"!ls\\n\", \"rng = np.random.default_rng()\"]\n  }\n ],\n \"nbformat\": 4\n}\n";
    write(dir.path(), &[("a.ipynb", text), ("bad.ipynb", "{\"cells\": 3}")]);
    let out = lint(dir.path(), &["a.ipynb", "bad.ipynb", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(places(&report), ["a.ipynb:8:10 program-unseeded", "a.ipynb:14:31 generator-without-seed"]);
    assert_eq!(String::from_utf8_lossy(&out.stderr), "skipped bad.ipynb:1: is no notebook\n");
}

#[test]
fn scope_narrows_the_source_too() {
    let dir = common::folder();
    let text = "import torch\nimport random\ntorch.backends.cudnn.benchmark = True\nrandom.seed()\n";
    write(dir.path(), &[("a.py", text)]);
    let rules = |args: &[&str]| places(&json(dir.path(), &[&["a.py"], args].concat()));
    assert_eq!(rules(&[]).len(), 2);
    assert_eq!(rules(&["--scope", "cpu"]), ["a.py:4:1 generator-without-seed"]);
    assert_eq!(rules(&["--scope", "jax,cuda"]), ["a.py:4:1 generator-without-seed"]);
    assert_eq!(rules(&["--scope", "torch,cuda"]).len(), 2);
}

#[test]
fn every_format_says_it() {
    let dir = common::folder();
    write(dir.path(), &[("a.py", "import random\nrandom.seed()\n")]);
    for (format, expected) in [
        ("human", "at        a.py:2:1"),
        ("json", "\"schema\": \"driftlock/lint/1\""),
        ("github", "file=a.py,line=2"),
        ("gitlab", "\"path\": \"a.py\""),
        ("sarif", "\"startColumn\": 1"),
        ("junit", "<failure"),
        ("markdown", "generator-without-seed"),
    ] {
        let out = lint(dir.path(), &["a.py", "--format", format]);
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(text.contains(expected) && text.contains("generator-without-seed"), "{format}: {text}");
        assert_eq!(out.status.code(), Some(1), "{format}");
    }
    // A user's own wording takes the place of ours; a check that does not exist is refused.
    write(dir.path(), &[("driftlock.toml", OWN)]);
    let out = lint(dir.path(), &["a.py"]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("Our own words"));
    write(dir.path(), &[("driftlock.toml", &OWN.replace("generator-without-seed", "no-such-check"))]);
    let out = lint(dir.path(), &["a.py"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("lint has no check `no-such-check`"));
}

const OWN: &str = "[[rule]]\nid = \"generator-without-seed\"\ntitle = \"Our own words\"\non = \"source\"\neffect = \"stream\"\n\
    confidence = \"documented\"\nwhy = \"Because.\"\nremedy = \"Seed it.\"\n";

#[test]
fn what_cannot_be_looked_at() {
    let dir = common::folder();
    write(dir.path(), &[("a.lock", "nonsense"), ("b.lock", "nonsense"), ("a.py", "x = 1\n")]);
    for (args, expected) in [
        (&["missing.py"][..], "no such file"),
        (&["a.lock"], "a.lock"),
        (&["a.lock", "b.lock"], "second snapshot"),
        (&["--no-source", "a.py"], "--no-source"),
    ] {
        let out = lint(dir.path(), args);
        let text = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && text.contains(expected), "{args:?}: {text}");
    }
}

/// Where no file could be read, nothing was looked at, and that is no passing.
#[test]
fn a_gate_does_not_pass_for_what_it_could_not_read() {
    let dir = common::folder();
    write(dir.path(), &[("bad.py", "def f(:\n"), ("worse.py", "print 1\n"), ("sub/ok.py", "x = 1\n")]);
    let out = lint(dir.path(), &["bad.py", "worse.py"]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{text}");
    assert!(
        text.starts_with("error: cannot read the source: bad.py:1: ") && text.contains("nor 1 more"),
        "{text}"
    );
    assert!(text.contains("\nhint: "), "{text}");
    // Among others it is named, and the sum says so.
    let out = lint(dir.path(), &["."]);
    assert_eq!(out.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&out.stderr).contains("skipped bad.py:1: "));
    assert!(String::from_utf8_lossy(&out.stdout).ends_with("no hazard found in what could be read\n"));
    assert!(String::from_utf8_lossy(&lint(dir.path(), &["sub"]).stdout).ends_with("no hazard found\n"));
}

/// Update with `SNAPSHOTS=overwrite cargo test --test it lint::the_schema_is_current`.
#[test]
fn the_schema_is_current() {
    let schema = driftlock::render::schema::lint();
    let path = common::root().join("docs/reference/lint.schema.json");
    snapbox::assert_data_eq!(
        driftlock::render::json::text(&schema),
        snapbox::Data::read_from(&path, None).raw()
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = json(&common::root().join("fixtures/lint/wrong"), &["."]);
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(!validator.is_valid(&serde_json::json!({ "schema": "driftlock/lint/1" })));
}
