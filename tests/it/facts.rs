//! The catalogue: every probe is declared, every declaration is sound, and the generated references are current.

use driftlock::facts::{Class, Compare, FACTS, SECTIONS, Type};
use driftlock::probes::ALL;
use driftlock::render;
use driftlock::snapshot::{RESERVED, SECTION_ORDER};
use snapbox::Data;

use crate::common::{capture, driftlock, folder, root};

#[test]
fn every_probe_has_its_section_and_every_section_its_probe() {
    // What `driftlock run` writes around the probes.
    const OF_A_RUN: [&str; 4] = ["workload", "run", "outputs", "selftest"];
    let mut probes: Vec<&str> = ALL.iter().map(|p| p.section()).chain(OF_A_RUN).collect();
    assert_eq!(
        probes, SECTION_ORDER,
        "SECTION_ORDER (src/snapshot/mod.rs) and ALL (src/probes/mod.rs) go together"
    );
    probes.push("meta");
    probes.sort_unstable();
    probes.retain(|name| !OF_A_RUN.contains(name) || SECTIONS.iter().any(|s| s.name == *name));
    let sections: Vec<&str> = SECTIONS.iter().map(|s| s.name).collect();
    assert_eq!(sections, probes, "add src/facts/NAME.toml for a new probe");
    for name in sections.iter().filter(|s| **s != "meta") {
        assert!(!RESERVED.contains(name), "`{name}` is a reserved table");
    }
}

#[test]
fn declarations_are_sound() {
    for (i, fact) in FACTS.iter().enumerate() {
        let path = fact.path;
        assert!(FACTS[..i].iter().all(|f| f.path != path), "{path} is declared twice");
        assert!(
            fact.doc.ends_with(['.', ')', '?']) && fact.doc.len() > 10,
            "{path}: `doc` is not a sentence"
        );
        assert!(!fact.found_by.is_empty(), "{path}: `found_by` is empty");
        assert!(fact.source.as_ref().is_none_or(|s| !s.title.is_empty()), "{path}: a source has a title");
        let is_name = fact.compare == Compare::Exact;
        let unit = fact.kind != Type::Int || fact.unit.is_some() || is_name;
        assert!(
            unit,
            "{path}: a number has a unit (`count` for a count), or is a name and compares as exact"
        );
        assert!(
            fact.compare != Compare::Number || fact.kind == Type::Int,
            "{path}: only numbers compare as numbers"
        );
        let listed = matches!(fact.compare, Compare::Set | Compare::List);
        assert!(
            fact.kind == Type::Any || listed == (fact.kind == Type::List),
            "{path}: lists compare as set or list"
        );
        let digest = fact.compare == Compare::Digest;
        assert!(!digest || fact.kind == Type::String, "{path}: a digest is text");
        assert!(
            fact.class != Class::Private || fact.kind != Type::Bool,
            "{path}: a digest of a bool hides nothing"
        );
        assert_eq!(fact.since.split('.').count(), 3, "{path}: `since` is a version of driftlock");
    }
}

#[test]
fn references_are_current() {
    // Update with SNAPSHOTS=overwrite cargo test --test it references_are_current
    let reference = root().join("docs/reference");
    snapbox::assert_data_eq!(
        render::facts::markdown(),
        Data::read_from(&reference.join("snapshot.md"), None).raw()
    );
    let schema = render::json::text(&render::schema::snapshot());
    snapbox::assert_data_eq!(
        schema,
        Data::read_from(&reference.join("snapshot.schema.json"), Some(snapbox::data::DataFormat::Text)).raw()
    );
}

#[test]
fn a_capture_fits_the_schema_as_toml_and_as_json() {
    let dir = folder();
    let validator = jsonschema::validator_for(&render::schema::snapshot()).expect("the schema is a schema");
    let check = |instance: &serde_json::Value| {
        let errors: Vec<String> =
            validator.iter_errors(instance).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    };
    check(&serde_json::to_value(capture(dir.path(), &["--env-all", "--timings"])).unwrap());
    let out =
        driftlock().args(["capture", "--format", "json", "-o", "-"]).current_dir(&dir).output().unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    check(&json);
    json["os"]["family"] = serde_json::json!(7);
    assert!(!validator.is_valid(&json), "the schema refuses a wrong type");
    json["os"] = serde_json::json!({ "nonsense": "x" });
    assert!(!validator.is_valid(&json), "the schema refuses an undeclared fact");
}

#[test]
fn the_command_lists_filters_and_fits_the_width() {
    let out = driftlock().arg("facts").output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(FACTS.iter().all(|f| text.contains(f.path)));
    for line in text.lines() {
        assert!(line.chars().count() <= 80 || line.trim().split(' ').count() < 4, "{line}");
    }
    let out = driftlock().args(["facts", "os.", "--format", "json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(json["facts"].as_array().unwrap().iter().all(|f| f["path"].as_str().unwrap().contains("os.")));
    let none = driftlock().args(["facts", "no such fact"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
}
