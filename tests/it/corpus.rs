//! Explanations over the dumps of the corpus, where it is at hand.

use std::path::PathBuf;

use driftlock::explain::settle::Standing;
use driftlock::explain::{Catalogue, explain};
use driftlock::import;

fn dumps() -> Option<Vec<PathBuf>> {
    let folder = super::common::root().join("../shared/corpus/collect_env");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    (!files.is_empty()).then_some(files)
}

/// Fewer than one changed fact in a hundred is of no rule, over every pair of neighbouring dumps.
#[test]
fn nearly_every_changed_fact_is_known() {
    let Some(files) = dumps() else {
        eprintln!("skipped: no corpus beside the project");
        return;
    };
    let rules = Catalogue::built_in();
    let snapshots: Vec<_> = files
        .iter()
        .map(|path| {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            import::read_any(path, &text, None).unwrap()
        })
        .collect();
    let (mut all, mut unknown) = (0, std::collections::BTreeMap::new());
    for pair in snapshots.windows(2) {
        let found = explain(&pair[0], &pair[1], &rules, &[], None);
        for (change, settled) in found.diff.changes.iter().zip(&found.settled) {
            all += 1;
            if settled.standing == Standing::Unclassified {
                *unknown.entry(change.path.to_string()).or_insert(0) += 1;
            }
        }
    }
    let count: usize = unknown.values().sum();
    assert!(all > 1000, "{all} changes");
    assert!(count * 100 < all, "{count} of {all} changed facts are of no rule: {unknown:?}");
}
