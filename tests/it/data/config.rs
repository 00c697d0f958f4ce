//! `capture --config`: hyperparameters as facts.

use std::fs;
use std::path::Path;

use toml::Table;

use super::{put, refused};
use crate::common::folder;

/// A capture of the `config` section alone.
fn capture(dir: &Path, args: &[&str]) -> Table {
    crate::common::capture(dir, &[&["--section", "config"], args].concat())
}

/// The facts of the section, as TOML.
fn facts(dir: &Path, args: &[&str]) -> Table {
    capture(dir, args)["config"].as_table().unwrap().clone()
}

/// The same values in three formats.
const YAML: &str = "
train: {lr: 1e-3, steps: 1_000, warm: 0.1, seed: 18446744073709551615}
model:
  name: 'null'
  layers:
    - {size: 64, act: relu}
    - {size: 32, act: gelu}
  betas: [0.9, 0.999]
  grid: [[1, 2], [3, 4]]
  none: []
amp: yes
top: .inf
path: ${data.root}/x
text: \"a\\nb\"
day: 2024-01-02
";
const TOML: &str = "
amp = true
day = 2024-01-02
text = '''a
b'''
path = '${data.root}/x'
top = inf
[train]
lr = 0.001
steps = 1000
warm = 1e-1
seed = '18446744073709551615'
[model]
name = 'null'
betas = [0.90, 9.99e-1]
grid = [[1, 2], [3, 4]]
none = []
[[model.layers]]
size = 64
act = 'relu'
[[model.layers]]
size = 0x20
act = 'gelu'
";
const JSON: &str = r#"{"amp": true, "day": "2024-01-02", "text": "a\nb", "path": "${data.root}/x", "top": Infinity,
  "train": {"lr": 1e-3, "steps": 1000, "warm": 0.1, "seed": 18446744073709551615},
  "model": {"name": "null", "betas": [0.9, 0.999], "grid": [[1, 2], [3, 4]], "none": [],
            "layers": [{"size": 64, "act": "relu"}, {"size": 32, "act": "gelu"}]}}"#;

#[test]
fn equal_values_in_yaml_toml_and_json_are_equal_facts() {
    let dir = folder();
    let digests: Vec<String> = [("a.yaml", YAML), ("b.toml", TOML), ("c.json", JSON)]
        .into_iter()
        .map(|(name, text)| {
            put(dir.path().join(name), text);
            let snapshot = capture(dir.path(), &["--config", name]);
            format!("{}\n{}", snapshot["digest"]["config"], snapshot["config"])
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
    let facts = facts(dir.path(), &["--config", "a.yaml"]);
    assert_eq!(facts["train"]["lr"].as_float(), Some(0.001));
    assert_eq!(facts["train"]["steps"].as_integer(), Some(1000));
    assert_eq!(facts["model"]["layers"]["1"]["act"].as_str(), Some("gelu"));
    assert_eq!(facts["model"]["betas"].as_array().unwrap().len(), 2);
    assert_eq!(facts["model"]["name"].as_str(), Some("\"null\""), "the text differs from nothing");
    assert_eq!(facts["path"].as_str(), Some("${data.root}/x"));
}

#[test]
fn what_differs_in_python_differs_here() {
    let dir = folder();
    let values = [
        "1", "1.0", "'1'", "null", "'null'", "{}", "[]", "''", "true", "'true'", "nan", ".nan", "[1]",
        "[1, 1]",
    ];
    let mut seen: Vec<String> = vec!["absent".to_owned()];
    for value in values {
        put(dir.path().join("c.yaml"), format!("a: {value}\n"));
        let fact = facts(dir.path(), &["--config", "c.yaml"])["a"].to_string();
        assert!(!seen.contains(&fact), "{value}: {fact}");
        seen.push(fact);
    }
}

#[test]
fn yaml_anchors_merges_tags_and_documents() {
    let dir = folder();
    let text = "base: &b {lr: 0.1, wd: 0}\nother: &o {lr: 7, mu: 1}\nrun:\n  <<: [*b, *o]\n  wd: 5\nagain: *b\n\
                obj: !!python/object:mine.Adam {lr: 1}\nshape: !!python/tuple [1, 2]\ns: !!str 1\nf: !!float 1\n";
    put(dir.path().join("a.yaml"), text);
    let facts = facts(dir.path(), &["--config", "a.yaml"]);
    let run: Table = "lr = 0.1\nmu = 1\nwd = 5".parse().unwrap();
    assert_eq!(facts["run"].as_table(), Some(&run));
    assert_eq!(facts["again"], facts["base"]);
    assert_eq!(facts["obj"]["!"].as_str(), Some("!!python/object:mine.Adam"));
    assert_eq!(facts["shape"].as_array().unwrap().len(), 2);
    assert_eq!((facts["s"].as_str(), facts["f"].as_float()), (Some("1"), Some(1.0)));
    put(dir.path().join("b.yaml"), "a: 1\n---\na: 2\n---\n- 3\n");
    let expected: Table = "0.a = 1\n1.a = 2\n2.0 = 3".parse().unwrap();
    assert_eq!(super::config::facts(dir.path(), &["--config", "b.yaml"]), expected);
}

#[test]
fn ini_and_dotenv_hold_text() {
    let dir = folder();
    put(dir.path().join("a.ini"), "[train]\nLR = 1e-3\nname: x = y\n[DEFAULT]\nk = %(v)s\n");
    let expected: Table = "DEFAULT.k = '%(v)s'\n[train]\nlr = '1e-3'\nname = 'x = y'".parse().unwrap();
    assert_eq!(facts(dir.path(), &["--config", "a.ini"]), expected);
    put(dir.path().join(".env"), "export LR=1e-3 # c\nNAME='a b'\nREF=\"${LR}\\n\"\nNOTHING\n");
    let expected: Table = "LR = '1e-3'\nNAME = 'a b'\nREF = \"${LR}\\n\"\nNOTHING = 'null'".parse().unwrap();
    assert_eq!(facts(dir.path(), &["--config", ".env"]), expected);
}

#[test]
fn the_name_of_the_file_is_no_part_of_the_path_unless_it_is_given_one() {
    let dir = folder();
    put(dir.path().join("a.yaml"), "lr: 1\nsame: x\n");
    put(dir.path().join("b.yaml"), "wd: 2\nsame: x\n");
    put(dir.path().join("c.yaml"), "lr: 3\n");
    put(dir.path().join("d.yaml"), "lr: {max: 3}\n");
    put(dir.path().join("x=y.yaml"), "z: 1\n");
    let expected: Table = "lr = 1\nsame = 'x'\nwd = 2".parse().unwrap();
    assert_eq!(facts(dir.path(), &["--config", "a.yaml", "--config", "b.yaml"]), expected);
    let expected: Table = "lr = 1\nsame = 'x'\nm.lr = 3".parse().unwrap();
    assert_eq!(facts(dir.path(), &["--config", "a.yaml", "--config", "m=c.yaml"]), expected);
    assert_eq!(facts(dir.path(), &["--config", "x=y.yaml"]), "z = 1".parse().unwrap());
    for (one, other) in [("a.yaml", "c.yaml"), ("a.yaml", "d.yaml"), ("d.yaml", "a.yaml")] {
        let messages = refused(dir.path(), &["--config", one, "--config", other]);
        assert!(
            messages.contains("`lr") && messages.contains(one) && messages.contains("NAME=FILE"),
            "{messages}"
        );
    }
}

#[test]
fn comments_change_the_files_digest_and_no_fact() {
    let dir = folder();
    let run = |text: &str| {
        put(dir.path().join("a.yaml"), text);
        let snapshot = capture(dir.path(), &["--config", "a.yaml"]);
        let file =
            snapshot["volatile"]["config"]["--config"]["a.yaml"]["digest"].as_str().unwrap().to_owned();
        (snapshot["digest"]["config"].as_str().unwrap().to_owned(), file)
    };
    let (before, after) = (run("a: 1\nb: 2\n"), run("b: 2 # two\na: 1\n"));
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1);
    assert_ne!(before.0, run("a: 1\nb: 3\n").0);
}

#[test]
fn a_hydra_run_is_its_configuration_its_overrides_and_its_choices() {
    let dir = folder();
    let hydra = |name: &str, text: &str| put(dir.path().join("run/.hydra").join(name), text);
    hydra("config.yaml", "optimizer:\n  name: adam\nlr: 0.002\nname: run_${lr}\n");
    hydra("overrides.yaml", "- lr=2e-3\n- +wandb.mode=offline\n");
    // Cut down from what Hydra 1.3.2 writes.
    let own = "hydra:\n  run:\n    dir: outputs/${now:%Y-%m-%d}\n  mode: RUN\n  overrides:\n    hydra:\n    - hydra.mode=RUN\n    \
               task:\n    - lr=2e-3\n    - +wandb.mode=offline\n  job:\n    name: app\n    chdir: null\n    config_name: config\n    \
               env_set: {}\n  runtime:\n    version: 1.3.2\n    cwd: /home/me\n    output_dir: /home/me/outputs/2024-01-01\n    \
               choices:\n      optimizer: adam\n      hydra/launcher: basic\n";
    hydra("hydra.yaml", own);
    let expected: Table = "lr = 0.002\nname = 'run_${lr}'\noptimizer.name = 'adam'\n\
                           hydra.overrides.task = ['lr=2e-3', '+wandb.mode=offline']\nhydra.runtime.version = '1.3.2'\n\
                           hydra.runtime.choices.optimizer = 'adam'\nhydra.job = {chdir = 'null', config_name = 'config', env_set = '{}'}"
        .parse()
        .unwrap();
    assert_eq!(facts(dir.path(), &["--config", "run"]), expected);
    assert_eq!(facts(dir.path(), &["--config", "run/.hydra"]), expected);
    hydra("hydra.yaml", &own.replace("2024-01-01", "2024-01-02"));
    let (one, other) =
        (capture(dir.path(), &["--config", "run"]), capture(dir.path(), &["--config", "run/.hydra"]));
    assert_eq!(one["fingerprint"], other["fingerprint"], "the time of the run is no part of it");
}

#[test]
fn a_file_that_does_not_parse_is_refused_with_its_line() {
    let dir = folder();
    let cases: [(&str, &[u8], &str); 16] = [
        ("a.yaml", b"a: 1\nb: [\n", "a.yaml:3"),
        ("tab.yaml", b"a: 1\nb:\n\t- c\n", "tab.yaml:3"),
        ("key.yaml", b"? [a]\n: 1\n", "key.yaml:1"),
        ("alias.yaml", b"a: &a [*a]\n", "alias.yaml:1"),
        ("scalar.yaml", b"just text\n", "single value"),
        ("a.toml", b"a = 1\n\nb = = 2\n", "a.toml:3"),
        ("twice.toml", b"a = 1\na = 2\n", "twice.toml:2"),
        ("a.json", b"{\n \"a\": 1,\n}\n", "a.json:3"),
        ("a.ini", b"[s]\nword\n", "a.ini:2"),
        ("x.env", b"A=1\nB='open\n", "x.env:2"),
        ("latin.yaml", b"a: 1\nb: \xe9\n", "latin.yaml:2: not UTF-8"),
        ("a.txt", b"a: 1\n", "does not tell its format"),
        ("a.py", b"lr = 1\n", "a program"),
        ("deep.json", &[b'['; 5_000], "deep.json"),
        ("deep.yaml", &[b'['; 100], "deep.yaml:1: nested deeper than 64 levels"),
        ("dir/x", b"", "dir"),
    ];
    for (name, content, words) in cases {
        put(dir.path().join(name), content);
        let given = if name == "dir/x" { "dir" } else { name };
        let messages = refused(dir.path(), &["--config", given]);
        assert!(messages.contains(words), "{name}: {messages}");
    }
    assert!(refused(dir.path(), &["--config", "missing.yaml"]).contains("missing.yaml: no such file"));
    fs::File::create(dir.path().join("large.json")).unwrap().set_len((10 << 20) + 1).unwrap();
    assert!(refused(dir.path(), &["--config", "large.json"]).contains("larger than 10 MB"));
}

#[test]
fn an_empty_file_has_no_facts_and_a_digest() {
    let dir = folder();
    for name in ["a.yaml", "a.toml", "a.json", "a.ini", ".env"] {
        put(dir.path().join(name), "");
        let snapshot = capture(dir.path(), &["--config", name]);
        assert!(snapshot.get("config").is_none(), "{snapshot}");
        assert!(snapshot["volatile"]["config"]["--config"][name].get("digest").is_some());
    }
}
