//! Outputs as facts of a snapshot, and back.

use driftlock::outputs::model::Outputs;
use driftlock::outputs::record;
use driftlock::snapshot::{FactPath, Looked, Snapshot, digest, read, write};

use super::{folder, run, written};

/// A snapshot of nothing but these outputs.
fn snapshot(outputs: &Outputs) -> Snapshot {
    let collected = record::facts(outputs);
    let mut snapshot =
        Snapshot { results: collected.facts, unknown: collected.unknown, ..Snapshot::default() };
    snapshot.sections.insert("outputs".to_owned());
    for path in snapshot.results.keys() {
        assert!(driftlock::facts::find(path).is_some(), "{path} is not declared");
    }
    snapshot
}

#[test]
fn outputs_survive_the_file() {
    let Some((dir, _)) = written() else { return };
    let outputs = super::read(dir);
    let before = snapshot(&outputs);
    let text = write::to_string(&before);
    let back = read::from_str(&text).unwrap().snapshot;
    assert_eq!(back, before);
    assert_eq!(write::to_string(&back), text);
    // NaN is no equal of itself: the texts are compared.
    let again = record::outputs(&back, &|_| None);
    assert_eq!(snapshot(&again), before);
    assert_eq!(digest::sections(&back).len(), 0, "results have no digest");
    assert_eq!(text.lines().filter(|l| l.starts_with("[outputs")).count(), 0);
    let validator = jsonschema::validator_for(&driftlock::render::schema::snapshot()).unwrap();
    let mut json = driftlock::render::json::snapshot(&back);
    json["meta"] = serde_json::json!({});
    let errors: Vec<String> =
        validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn results_do_not_move_the_fingerprint() {
    let dir = folder();
    std::fs::write(dir.path().join("x.json"), "{\"a\": 1}").unwrap();
    let with = snapshot(&super::read(dir.path()));
    std::fs::write(dir.path().join("x.json"), "{\"a\": 2").unwrap();
    let other = snapshot(&super::read(dir.path()));
    let fingerprint = |s: &Snapshot| digest::fingerprint(&digest::sections(s));
    assert_eq!(fingerprint(&with), fingerprint(&Snapshot::default()));
    assert_eq!(fingerprint(&other), fingerprint(&with), "what is unknown of results does not either");
    let path: FactPath = "outputs.\"x.json\".tensors.a.norm".parse().unwrap();
    assert!(matches!(with.look(&path), Looked::Value(_)));
    assert!(matches!(other.look(&path), Looked::Unknown(_)));
}

#[test]
fn many_tensors_go_beside_the_snapshot() {
    let dir = folder();
    let code = "import torch; torch.save({f'w{i}': torch.ones(2) * i for i in range(1500)}, 'x.pt')";
    if run(dir.path(), code).is_none() {
        return;
    }
    let outputs = super::read(dir.path());
    let collected = record::facts(&outputs);
    assert!(collected.facts.len() < 10 && collected.attachments.len() == 1);
    let snapshot = Snapshot { results: collected.facts, ..Snapshot::default() };
    let back = record::outputs(&snapshot, &|name| collected.attachments.get(name).cloned());
    assert_eq!(back, outputs);
    let without = record::outputs(&snapshot, &|_| None);
    assert!(without.files[0].contents.tensors().is_empty());
    let report = driftlock::outputs::compare::sketches(&outputs, &back);
    assert!(report.same);
}

#[test]
fn data_with_the_same_arrays_has_the_same_content() {
    let dir = folder();
    let code = "
import numpy as np
x = np.arange(100.0)
np.savez('a.npz', x=x); np.savez_compressed('b.npz', x=x); np.savez('c.npz', x=x + 1)
np.save('o.npy', np.array([{}], dtype=object), allow_pickle=True)";
    if run(dir.path(), code).is_none() {
        return;
    }
    let told = crate::common::capture(
        dir.path(),
        &["--section", "data", "--data", "a.npz", "--data", "b.npz", "--data", "c.npz", "--data", "o.npy"],
    );
    let fact = |file: &str, key: &str| told["data"][file].get(key).map(|v| v.as_str().unwrap().to_owned());
    assert!(fact("a.npz", "content").is_some());
    assert_eq!(fact("a.npz", "content"), fact("b.npz", "content"));
    assert_ne!(fact("a.npz", "digest"), fact("b.npz", "digest"));
    assert_ne!(fact("a.npz", "content"), fact("c.npz", "content"));
    assert_eq!(fact("o.npy", "content"), None);
}
