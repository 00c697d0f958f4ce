//! The case of Megatron-LM #5059: a container bump moved cuBLAS, cuDNN and Transformer Engine, 72 functional tests
//! drifted, and nobody was told why. The gate says it, in every format.

use super::{Project, finding, rules};
use crate::common::root;

/// What has to be named: the rule, a fact, the two versions.
const CAUSES: [(&str, &str, &str, &str); 3] = [
    ("cublas-version", "cuda.libraries.cublas.version", "13.2.1.1", "13.4.0.1"),
    ("cudnn-version", "cuda.libraries.cudnn.version", "9.19.0", "9.21.0"),
    ("transformer-engine-version", "python.packages.transformer-engine.version", "2.12.0", "2.14.0"),
];

fn project() -> Project {
    let project = Project::empty();
    let fixture = |name: &str| std::fs::read_to_string(root().join("fixtures/check").join(name)).unwrap();
    project.write("driftlock.lock", &fixture("ngc-26.02.lock"));
    project.write("now.lock", &fixture("ngc-26.04.lock"));
    project.run(&["init"]);
    project
}

#[test]
fn every_format_names_the_causes() {
    let project = project();
    for format in ["human", "json", "github", "gitlab", "sarif", "junit", "markdown"] {
        let (code, out, messages) = project.check(&["--against", "now.lock", "--format", format]);
        assert_eq!((code, messages.as_str()), (1, ""), "{format}");
        for (rule, fact, was, is) in CAUSES {
            for words in [rule, fact, was, is] {
                assert!(out.contains(words), "{format}: {words}\n{out}");
            }
        }
        for title in ["Another cuBLAS is loaded", "Another cuDNN is loaded", "Another Transformer Engine"] {
            assert!(out.contains(title), "{format}: {title}");
        }
    }
}

#[test]
fn the_causes_fail_the_gate_at_their_lines() {
    let project = project();
    let (_, report) = project.report(&["--against", "now.lock"]);
    let denied = rules(&report, "deny");
    let lock = project.read("driftlock.lock");
    for (rule, fact, was, _) in CAUSES {
        assert!(denied.iter().any(|r| r == rule), "{rule} in {denied:?}");
        let found = finding(&report, rule);
        let line = usize::try_from(found["location"]["line"].as_u64().unwrap()).unwrap();
        let text = lock.lines().nth(line - 1).unwrap();
        // The first fact is a version, and the location is where it stands.
        let column = usize::try_from(found["location"]["column"].as_u64().unwrap()).unwrap();
        let end = usize::try_from(found["location"]["end_column"].as_u64().unwrap()).unwrap();
        let marked: String = text.chars().skip(column - 1).take(end + 1 - column).collect();
        let first = found["facts"][0]["fact"].as_str().unwrap();
        if first == fact {
            assert!(marked.starts_with("version = ") && marked.contains(was), "{rule}: {marked}");
        }
        assert!(found["sources"].as_array().is_some_and(|s| !s.is_empty()), "{rule}");
    }
    assert_eq!(finding(&report, "cublas-version")["facts"][0]["fact"], CAUSES[0].1);
    assert_eq!(finding(&report, "cudnn-version")["facts"][0]["fact"], CAUSES[1].1);
    assert_eq!(report["verdict"]["outcome"], "different");
}

#[test]
fn a_step_of_github_gets_annotations_and_a_summary() {
    let mut project = project();
    let summary = project.file("summary.md");
    std::fs::write(&summary, "what another tool wrote\n").unwrap();
    project.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let (code, out, messages) = project.check(&["--against", "now.lock", "--format", "github"]);
    assert_eq!((code, messages.as_str()), (1, ""));
    let first = out.lines().next().unwrap();
    assert!(first.starts_with("::error file=driftlock.lock,line="), "{first}");
    let text = project.read("summary.md");
    assert!(text.starts_with("what another tool wrote\n### driftlock check: failed"), "{text}");
    assert!(text.contains("| `cuda.libraries.cudnn.version` | `9.19.0` | `9.21.0` |"), "{text}");
    // Other formats leave it alone.
    project.check(&["--against", "now.lock", "--format", "json"]);
    assert_eq!(project.read("summary.md"), text);
}

#[test]
fn an_output_file_holds_what_would_be_printed() {
    let project = project();
    for format in ["human", "sarif", "junit"] {
        let args = ["--against", "now.lock", "--format", format];
        let (_, out, _) = project.check(&args);
        let (code, nothing, messages) = project.check(&[&args[..], &["-o", "report"]].concat());
        assert_eq!((code, nothing.as_str(), messages.as_str()), (1, "", ""));
        let strip = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(project.read("report"), strip(&out));
    }
    let (code, _, messages) = project.check(&["--against", "now.lock", "-o", "none/report"]);
    assert_eq!(code, 2);
    assert!(messages.contains("none/report"), "{messages}");
}

#[test]
fn json_fits_its_schema_and_lines_fit_the_terminal() {
    let project = project();
    let schema = driftlock::render::schema::check();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for args in [
        &["--against", "now.lock"][..],
        &["--against", "now.lock", "--write-ignores"],
        &["--against", "driftlock.lock"],
    ] {
        let (_, report) = project.report(args);
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
    }
    let bare = serde_json::json!({ "schema": "driftlock/check/1", "findings": [] });
    assert!(!validator.is_valid(&bare), "the schema is one that can fail");
    project.write("driftlock.toml", "");
    let (_, out, _) = project.check(&["--against", "now.lock"]);
    let long: Vec<&str> = out.lines().filter(|l| l.chars().count() > 80 && !l.contains("http")).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_schema_is_current() {
    // Update with SNAPSHOTS=overwrite cargo test --test it check::megatron::the_schema_is_current
    let file = root().join("docs/reference/check.schema.json");
    let text = snapbox::Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::assert_data_eq!(driftlock::render::json::text(&driftlock::render::schema::check()), text);
}
