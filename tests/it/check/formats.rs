//! The forms of findings: each fits the grammar or schema of its readers, whatever text it is given.

use std::path::PathBuf;

use driftlock::explain::rule::{Confidence, Effect, Source};
use driftlock::gate::finding::{FactChange, Finding, Level, Location};
use driftlock::gate::report::Counts;
use driftlock::render::findings::{Format, Run, render};
use driftlock::snapshot::value::is_unprintable;
use serde_json::Value as Json;

use crate::common::root;

/// What a hostile file could put anywhere.
const HOSTILE: &str =
    "a%b\r\n::error::x <script>`|*_[x](javascript:1) \u{1b}[31m \u{202e} ]]> & \"'\u{0} ,:=";

fn finding(rule: &str, level: Level, fact: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level,
        title: "Another cuBLAS is loaded".to_owned(),
        effect: Some(Effect::Algorithm),
        confidence: Some(Confidence::Documented),
        why: Some("Another release may choose other kernels.".to_owned()),
        magnitude: Some("rounding level".to_owned()),
        remedy: Some("Pin the package: `pip install nvidia-cublas==13.1.0.3`.".to_owned()),
        facts: vec![FactChange {
            fact: fact.to_owned(),
            expected: Some("13.1.0.3".to_owned()),
            found: Some("13.2.1.1".to_owned()),
        }],
        location: Some(Location {
            path: PathBuf::from("./locks/driftlock.lock"),
            line: 57,
            column: Some(3),
            end_column: Some(9),
        }),
        sources: vec![Source {
            title: "cuBLAS: Results Reproducibility".to_owned(),
            url: "https://docs.nvidia.com/cuda/cublas/#results-reproducibility".to_owned(),
            read: "2026-11-22".to_owned(),
        }],
        page: Some("https://example.org/cublas.md#cublas-version".to_owned()),
    }
}

fn hostile() -> Finding {
    let text = || Some(HOSTILE.to_owned());
    Finding {
        rule: HOSTILE.to_owned(),
        title: HOSTILE.to_owned(),
        why: text(),
        magnitude: text(),
        remedy: text(),
        facts: vec![FactChange { fact: HOSTILE.to_owned(), expected: text(), found: None }],
        location: Some(Location { path: PathBuf::from(HOSTILE), line: 1, column: None, end_column: None }),
        sources: vec![Source { title: HOSTILE.to_owned(), url: HOSTILE.to_owned(), read: String::new() }],
        page: None,
        ..finding("x", Level::Deny, "x")
    }
}

fn run() -> Run {
    Run {
        command: "check",
        summary: "1 finding fails the gate".to_owned(),
        about: vec![("lock", "driftlock.lock".to_owned()), ("against", HOSTILE.to_owned())],
        fallback: "driftlock.lock".to_owned(),
        details: serde_json::Map::new(),
        all: false,
        width: 80,
    }
}

fn lists() -> Vec<Vec<Finding>> {
    let bare = Finding::new("require", Level::Warn, "x");
    vec![
        Vec::new(),
        vec![bare.clone()],
        vec![bare.clone(), bare, finding("allowed", Level::Allow, "os.kernel")],
        vec![finding("w", Level::Warn, "a.b"), finding("cublas-version", Level::Deny, "cuda.x"), hostile()],
        vec![hostile(), hostile()],
    ]
}

fn text(list: &[Finding], format: Format) -> String {
    render(list, &run(), format).unwrap()
}

#[test]
fn sarif_fits_the_official_schema() {
    let schema = std::fs::read_to_string(root().join("fixtures/check/sarif-schema-2.1.0.json")).unwrap();
    let schema: Json = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft4::options().should_validate_formats(true).build(&schema).unwrap();
    // The schema is one that can fail.
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": {} }] })));
    for list in lists() {
        let document: Json = serde_json::from_str(&text(&list, Format::Sarif)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
        let run = &document["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            assert_eq!(result["locations"].as_array().unwrap().len(), 1, "GitHub wants one");
        }
    }
    let document: Json = serde_json::from_str(&text(&lists()[3], Format::Sarif)).unwrap();
    let result = &document["runs"][0]["results"].as_array().unwrap()[0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"cublas-version".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "locks/driftlock.lock");
    assert_eq!(place["region"], serde_json::json!({ "startLine": 57, "startColumn": 3, "endColumn": 10 }));
}

/// A workflow command: its name, properties and message.
type Command = (String, Vec<(String, String)>, String);

/// What a reader of workflow commands makes of a line.
fn workflow_command(line: &str) -> Option<Command> {
    let unescape = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    };
    let (head, message) = line.strip_prefix("::")?.split_once("::")?;
    let (command, properties) = head.split_once(' ')?;
    let properties = properties.split(',').map(|p| {
        let (name, value) = p.split_once('=').unwrap();
        (name.to_owned(), unescape(value))
    });
    Some((command.to_owned(), properties.collect(), unescape(message)))
}

#[test]
fn github_commands_hold_what_they_were_given() {
    for list in lists() {
        let text = text(&list, Format::Github);
        let commands: Vec<_> = text.lines().filter_map(workflow_command).collect();
        let shown = list.iter().filter(|f| f.level != Level::Allow).count();
        assert_eq!(commands.len(), shown, "{text}");
        assert_eq!(text.lines().count(), shown + 1, "{text}");
    }
    let text = text(&lists()[3], Format::Github);
    let (command, properties, message) = workflow_command(text.lines().next().unwrap()).unwrap();
    assert_eq!(command, "error");
    let expected = [
        ("file", "locks/driftlock.lock"),
        ("line", "57"),
        ("col", "3"),
        ("endColumn", "9"),
        ("title", "driftlock check: Another cuBLAS is loaded"),
    ];
    assert_eq!(properties, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(message.starts_with("cuda.x: 13.1.0.3 → 13.2.1.1\nWhy: "), "{message}");
    let last = workflow_command(text.lines().nth(2).unwrap()).unwrap();
    assert_eq!(last.0, "warning", "the gravest come first");
}

#[test]
fn gitlab_has_its_keys_and_unique_fingerprints_that_stay() {
    let read = |list: &[Finding]| -> Vec<Json> {
        serde_json::from_str::<Json>(&text(list, Format::Gitlab)).unwrap().as_array().unwrap().clone()
    };
    for list in lists() {
        let issues = read(&list);
        let mut prints: Vec<&str> = issues.iter().map(|i| i["fingerprint"].as_str().unwrap()).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), issues.len());
        for issue in &issues {
            assert!(issue["description"].is_string() && issue["check_name"].is_string());
            assert!(
                ["info", "minor", "major", "critical", "blocker"]
                    .contains(&issue["severity"].as_str().unwrap())
            );
            assert!(
                issue["location"]["path"].is_string()
                    && issue["location"]["lines"]["begin"].as_u64() >= Some(1)
            );
        }
    }
    // Another value at another line is the same finding; another fact is another.
    let first = finding("cublas-version", Level::Deny, "cuda.x");
    let mut later = first.clone();
    later.facts[0].found = Some("13.3".to_owned());
    later.location.as_mut().unwrap().line = 99;
    let print = |f: &Finding| read(std::slice::from_ref(f))[0]["fingerprint"].clone();
    assert_eq!(print(&first), print(&later));
    assert_ne!(print(&first), print(&finding("cublas-version", Level::Deny, "cuda.y")));
}

#[test]
fn junit_is_xml_that_counts_right() {
    for list in lists() {
        let text = text(&list, Format::Junit);
        let denied = list.iter().filter(|f| f.level == Level::Deny).count();
        assert_eq!(text.matches("<failure").count(), denied, "{text}");
        assert!(text.contains("<testcase"), "never without a case: {text}");
        let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
        assert_eq!(report.failures, denied);
    }
}

#[test]
fn json_counts_and_lists_everything() {
    let list = &lists()[2];
    let report: Json = serde_json::from_str(&text(list, Format::Json)).unwrap();
    assert_eq!(report["schema"], "driftlock/check/1");
    assert_eq!(report["passed"], true);
    assert_eq!(report["counts"], serde_json::json!({ "deny": 0, "warn": 2, "allow": 1 }));
    assert_eq!(report["findings"].as_array().unwrap().len(), 3);
    assert_eq!(Counts::of(list), Counts { deny: 0, warn: 2, allow: 1 });
}

#[test]
fn nothing_from_a_file_acts() {
    for list in lists() {
        for format in [
            Format::Human,
            Format::Json,
            Format::Github,
            Format::Gitlab,
            Format::Sarif,
            Format::Junit,
            Format::Markdown,
        ] {
            let text = anstream::adapter::strip_str(&text(&list, format)).to_string();
            let bad: Vec<char> = text.chars().filter(|c| *c != '\n' && is_unprintable(*c)).collect();
            assert!(bad.is_empty(), "{format:?} {bad:?}\n{text}");
            if format == Format::Markdown {
                assert!(!text.contains("<script") || text.contains("`<script"), "{text}");
                assert!(!text.contains("](javascript"), "{text}");
            }
            if format == Format::Human {
                assert!(text.lines().all(|l| l.chars().count() <= 80 || !l.contains(' ')), "{text}");
            }
        }
    }
}
