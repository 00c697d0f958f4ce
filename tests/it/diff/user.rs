//! The user's own rules, in `driftlock.toml`.

use std::path::Path;

use super::{diff, json, put, snapshot};
use crate::common::{TempDir, driftlock, folder};

const OWN: &str = r#"
[policy]
other = "keys are not rules"

[[rule]]
id = "our-cache"
title = "The feature cache is of another build"
on = "diff"
effect = "code"
confidence = "documented"
facts = ["env.FEATURE_CACHE"]
why = "Features of another build are other features."
remedy = "Export `FEATURE_CACHE` as on the other side."

[[rule.case]]
name = "another cache"
expect = "hit"
a = { "env.FEATURE_CACHE" = "1" }
b = { "env.FEATURE_CACHE" = "2" }
"#;

fn project() -> TempDir {
    let dir = folder();
    for (name, value) in [("a.lock", "1"), ("b.lock", "2")] {
        put(dir.path(), name, &snapshot(&["env"], &[("env.FEATURE_CACHE", value.into())]));
    }
    dir
}

fn own(dir: &Path, text: &str) {
    std::fs::write(dir.join("driftlock.toml"), text).unwrap();
}

fn said(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let out = driftlock().args(args).current_dir(dir).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

/// Whether our own rule speaks for the change.
fn ours(report: &serde_json::Value) -> bool {
    report["changes"][0]["rules"].as_array().unwrap().contains(&"our-cache".into())
}

#[test]
fn the_rules_of_the_working_directory() {
    let dir = project();
    let before = json(dir.path(), &["a.lock", "b.lock"]);
    assert!(!ours(&before));
    own(dir.path(), OWN);
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert!(ours(&report));
    assert_eq!(
        (&report["causes"][0]["rule"], &report["causes"][0]["effect"]),
        (&"our-cache".into(), &"code".into())
    );
    let (code, out, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    assert!(code == 1 && out.contains("The feature cache is of another build"), "{out}");
    let (code, out, _) = said(dir.path(), &["explain", "our-cache"]);
    assert!(code == 0 && out.contains("Features of another build") && out.contains("another cache"), "{out}");
    let (_, out, _) = said(dir.path(), &["rules"]);
    assert!(out.contains("\nuser\n") && out.contains("our-cache"), "{out}");
    let (_, out, _) = said(dir.path(), &["rules", "--format", "json"]);
    assert!(out.contains("\"our-cache\""));
}

#[test]
fn up_to_the_root_of_the_repository_and_no_further() {
    let outer = project();
    let root = outer.path().join("repository");
    let deep = root.join("src/deep");
    std::fs::create_dir_all(&deep).unwrap();
    let found = |dir: &Path| {
        let report = json(
            dir,
            &[&outer.path().join("a.lock").to_string_lossy(), &outer.path().join("b.lock").to_string_lossy()],
        );
        ours(&report)
    };
    own(&root, OWN);
    assert!(!found(&deep), "outside a repository only the working directory counts");
    std::fs::create_dir(root.join(".git")).unwrap();
    assert!(found(&deep) && found(&root));
    // The nearest file alone.
    own(&deep, "");
    assert!(!found(&deep) && found(&root));
    std::fs::remove_file(deep.join("driftlock.toml")).unwrap();
    std::fs::remove_file(root.join("driftlock.toml")).unwrap();
    own(outer.path(), OWN);
    assert!(!found(&deep), "what stands above the repository is not the project's");
}

#[test]
fn an_id_of_ours_is_overridden() {
    let dir = project();
    super::two(dir.path());
    let before = json(dir.path(), &["a.lock", "b.lock"]);
    let id = before["causes"][0]["rule"].as_str().unwrap();
    let (_, theirs, _) = said(dir.path(), &["explain", id]);
    let text = OWN
        .replace("our-cache", id)
        .replace("\"code\"", "\"none\"")
        .replace("env.FEATURE_CACHE", "env.OMP_NUM_THREADS");
    own(dir.path(), &text);
    let after = json(dir.path(), &["a.lock", "b.lock"]);
    assert!(after["causes"].as_array().unwrap().iter().all(|c| c["rule"] != id), "{after:#}");
    let (_, ours, _) = said(dir.path(), &["explain", id]);
    assert!(ours != theirs && ours.contains("Features of another build") && ours.contains("another cache"));
}

#[test]
fn errors_name_the_file_the_line_and_the_rule() {
    let dir = project();
    for (from, to, expected) in [
        (
            "effect = \"code\"",
            "effect = \"loud\"",
            "`driftlock.toml`, line 9: rule `our-cache`: unknown variant `loud`",
        ),
        (
            "env.FEATURE_CACHE\"]",
            "evn.FEATURE_CACHE\"]",
            "`driftlock.toml`, line 5: rule `our-cache`: no fact",
        ),
        (
            "expect = \"hit\"",
            "expect = \"miss\"",
            "line 5: rule `our-cache`: its case `another cache` is no miss",
        ),
        ("[policy]", "[policy", "`driftlock.toml`, line 2: "),
        ("our-cache", "our\\u001bcache", "line 5: rule `our\\u{1b}cache`: an id is made of"),
    ] {
        own(dir.path(), &OWN.replacen(from, to, 1));
        for args in [&["diff", "a.lock", "b.lock"][..], &["rules"], &["explain", "our-cache"]] {
            let (code, out, messages) = said(dir.path(), args);
            assert_eq!((code, out.as_str()), (2, ""), "{to}");
            assert!(messages.contains(expected) && messages.contains("hint:"), "{to}: {messages}");
            assert!(!messages.contains('\u{1b}'));
        }
    }
    std::fs::remove_file(dir.path().join("driftlock.toml")).unwrap();
    std::fs::create_dir(dir.path().join("driftlock.toml")).unwrap();
    let (code, _, messages) = said(dir.path(), &["rules"]);
    assert!(code == 2 && messages.contains("driftlock.toml"), "{messages}");
}

#[test]
fn their_text_does_not_act() {
    let dir = project();
    let hostile = OWN
        .replace("another build\"", "another\\u001b[31m build <script>alert(1)</script>\"")
        .replace("are other features", "are\\u0007 other \\u202efeatures");
    own(dir.path(), &hostile);
    let texts = [
        said(dir.path(), &["rules"]).1,
        said(dir.path(), &["explain", "our-cache"]).1,
        diff(dir.path(), &["a.lock", "b.lock"]).1,
        diff(dir.path(), &["a.lock", "b.lock", "--format", "html"]).1,
        diff(dir.path(), &["a.lock", "b.lock", "--format", "markdown"]).1,
        diff(dir.path(), &["a.lock", "b.lock", "--fix"]).1,
    ];
    for text in texts {
        assert!(text.contains("31m build") || text.contains("export FEATURE_CACHE=1"), "{text}");
        assert!(
            !text.chars().any(|c| c != '\n' && driftlock::snapshot::value::is_unprintable(c)),
            "{text:?}"
        );
    }
    let html = diff(dir.path(), &["a.lock", "b.lock", "--format", "html"]).1;
    assert!(!html.contains("<script"), "{html}");
}
