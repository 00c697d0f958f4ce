//! `driftlock init`: what it writes, and what it never overwrites.

use std::path::Path;

use driftlock::explain::Catalogue;
use driftlock::gate::{read, template};

use super::{Project, rules};

/// The template with every commented key in force, but those that do not go together.
fn everything() -> String {
    let key = regex::Regex::new(r#"^# (\[.*\]|("[^"]*"|[A-Za-z0-9_-]+)(\.[A-Za-z0-9_-]+)* = .*)$"#).unwrap();
    let is_key = |line: &str| key.captures(line).map(|found| found[1].to_owned());
    let lines = template::POLICY.lines().map(|line| is_key(line).unwrap_or_else(|| line.to_owned()));
    let kept = lines.filter(|line| !line.starts_with("no-python"));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_template_is_a_policy_and_so_is_all_that_it_comments_out() {
    let rules = Catalogue::built_in();
    let path = Path::new("driftlock.toml");
    let plain = read::policy(path, template::POLICY, &rules).unwrap();
    assert!(plain.base.levels.is_empty() && plain.base.ignore.is_empty() && plain.environments.is_empty());
    let text = everything();
    let full = read::policy(path, &text, &rules).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(full.profiles.keys().collect::<Vec<_>>(), ["ci", "cluster"]);
    assert_eq!(full.base.levels.len(), 4);
    assert_eq!((full.base.versions.len(), full.base.require.len(), full.base.tolerance.len()), (2, 6, 2));
    assert_eq!((full.base.ignore.len(), full.environments.len()), (1, 1));
    assert!(full.base.scope.is_some() && full.base.confidence.is_some() && full.lock.is_some());
    assert!(full.capture.timeout.is_some() && full.capture.python.is_some() && full.capture.data.len() == 1);
    // Its commented rule is one, too.
    let own = driftlock::explain::user::rules(path, &text).unwrap();
    assert_eq!(own.len(), 1);
}

#[test]
fn every_key_that_is_read_is_in_the_template() {
    let keys = [
        "lock",
        "fail-on",
        "confidence",
        "unknown",
        "unclassified",
        "hazards",
        "scope",
        "levels",
        "versions",
        "require",
        "tolerance",
        "ignore",
        "profile",
        "environment",
        "capture",
        "rule",
        "python",
        "no-python",
        "env",
        "data",
        "config",
        "timeout",
    ];
    for key in keys {
        let stands = template::POLICY.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ', '[']);
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', ']', '.']))
        });
        assert!(stands, "{key}");
    }
}

#[test]
fn it_writes_both_files_and_they_pass() {
    let project = Project::empty();
    let (code, out, messages) = project.run(&["init"]);
    assert_eq!((code, out.as_str()), (0, ""), "{messages}");
    assert!(
        messages.contains("wrote driftlock.lock") && messages.contains("wrote driftlock.toml"),
        "{messages}"
    );
    assert_eq!(project.read("driftlock.toml"), template::POLICY);
    let (code, out, messages) = project.check(&[]);
    assert_eq!(code, 0, "{out}{messages}");
    assert!(out.contains("passed"), "{out}");
    // Nothing is left over from writing.
    let names = std::fs::read_dir(project.path()).unwrap();
    let names: Vec<String> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|n| n.starts_with(".driftlock")), "{names:?}");
}

#[test]
fn it_never_overwrites() {
    let mut project = Project::new();
    let policy = project.read("driftlock.toml");
    project.init();
    assert_eq!(project.read("driftlock.toml"), policy, "a policy that is there is kept");
    let lock = project.read("driftlock.lock");
    project.set("OMP_NUM_THREADS", "1");
    let (code, _, messages) = project.run(&["init"]);
    assert_eq!(code, 2, "{messages}");
    assert!(messages.contains("there already") && messages.contains("--renew"), "{messages}");
    assert_eq!(
        (project.read("driftlock.lock"), project.read("driftlock.toml")),
        (lock.clone(), policy.clone())
    );
    let (code, _, messages) = project.run(&["init", "--renew"]);
    assert_eq!(code, 0, "{messages}");
    assert_ne!(project.read("driftlock.lock"), lock);
    assert_eq!(project.read("driftlock.toml"), policy);
    let (code, _, messages) = project.run(&["init", "--force"]);
    assert_eq!(code, 0, "{messages}");
    assert_eq!(project.read("driftlock.toml"), template::POLICY);
}

#[test]
fn a_wrong_policy_or_folder_stops_it_before_anything_is_written() {
    let project = Project::new();
    project.write("driftlock.toml", "fail-on = 3\n");
    let (code, _, messages) = project.run(&["init"]);
    assert_eq!(code, 2);
    assert!(messages.contains("driftlock.toml:1:11"), "{messages}");
    assert!(!project.file("driftlock.lock").exists());
    let (code, _, messages) = project.run(&["init", "none"]);
    assert_eq!(code, 2);
    assert!(messages.contains("`none` is no folder"), "{messages}");
}

#[test]
fn what_the_policy_records_is_compared() {
    let project = Project::new();
    project.write(
        "driftlock.toml",
        "[capture]\nno-python = true\nconfig = [\"conf.json\"]\nenv = [\"OUR_*\"]\n",
    );
    project.write("conf.json", "{\"lr\": 0.1}\n");
    project.init();
    assert!(project.read("driftlock.lock").contains("lr = 0.1"));
    project.write("conf.json", "{\"lr\": 0.2}\n");
    // Config values are the run's own: they warn, wherever the user stands.
    for folder in [".", "sub/deeper"] {
        std::fs::create_dir_all(project.file(folder)).unwrap();
        let mut command = project.command(&["check", "--format", "json"]);
        let out = command.current_dir(project.file(folder)).output().unwrap();
        let (code, out, messages) = super::outcome(&out);
        assert_eq!(code, 0, "{out}{messages}");
        let report = serde_json::from_str(&out).unwrap();
        assert_eq!(rules(&report, "warn"), ["config-values"], "{folder}");
    }
    project.write("driftlock.toml", &(project.read("driftlock.toml") + "[levels]\nconfig = \"deny\"\n"));
    let (code, report) = project.report(&[]);
    assert_eq!((code, rules(&report, "deny")), (1, vec!["config-values".to_owned()]));
    project.write("driftlock.toml", "[capture]\nconfig = [\"none.json\"]\n");
    let (code, _, messages) = project.check(&[]);
    assert_eq!(code, 2);
    assert!(messages.contains("[capture]") && messages.contains("none.json"), "{messages}");
}
