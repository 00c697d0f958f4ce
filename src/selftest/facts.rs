//! The self-test as facts of a snapshot: `[selftest]`, of class `result`, and the whole of it in a file beside.
//!
//! Class `result`, not `identity`: digests are measured by a program that ran, like the outputs of a run. Two
//! captures of one machine with and without `--selftest` have one fingerprint, and so have two of a machine on which
//! an operation is unstable.

use super::result::SelfTest;
use crate::probes::sink::{Collected, Sink};

/// What the file's name adds to the snapshot's.
pub const SUFFIX: &str = "selftest.json";

/// The section's name.
pub const SECTION: &str = "selftest";

/// The facts, and the file.
pub fn of(test: &SelfTest) -> Collected {
    let out = Sink::new(SECTION);
    let library = test.library.module();
    out.set("library", library);
    out.set_opt("version", test.described("version"));
    out.set("catalogue", i64::from(test.catalogue));
    out.set("engine", test.engine.as_str());
    out.set("device", test.device.as_str());
    out.set_opt("device_name", test.described("device_name"));
    out.set_opt("cpu_capability", test.described("cpu_capability"));
    out.set("level", test.level.as_str());
    let judged = super::judge::judge(test);
    let mut unstable: Vec<String> = judged.unstable.iter().map(|u| u.operation.clone()).collect();
    unstable.sort();
    unstable.dedup();
    out.set("unstable", unstable);
    out.set("controls_failed", judged.controls_failed);
    for arm in &test.arms {
        out.set_at(["arms", &arm.name, "root"], short(&arm.root));
        if let Some(threads) = arm.described.get("threads").and_then(serde_json::Value::as_i64) {
            out.set_at(["arms", &arm.name, "threads"], threads);
        }
        for (family, digest) in &arm.families {
            out.set_at(["arms", &arm.name, "families", family], short(digest));
        }
        let left_out = test.unstable_in(arm);
        for (id, measured) in arm.operations.iter().filter(|(id, _)| !left_out.contains(&id.as_str())) {
            out.set_at(["arms", &arm.name, "operations", id], short(&measured.digest));
        }
        if let Some(fault) = &arm.fault {
            out.unknown_at(["arms", &arm.name], fault);
        }
    }
    let mut collected = out.snapshot(None);
    if let Ok(text) = serde_json::to_vec(test) {
        collected.attachments.insert(SUFFIX.to_owned(), text);
    }
    collected
}

/// The section where the self-test could not run.
pub fn failed(reason: &str) -> Collected {
    let out = Sink::new(SECTION);
    out.unknown("", reason);
    out.snapshot(None)
}

/// The self-test beside a snapshot, from what reads the file of a suffix. A file that is missing or not ours is none.
pub fn read(beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<SelfTest> {
    let test: SelfTest = serde_json::from_slice(&beside(SUFFIX)?).ok()?;
    (test.schema == super::result::SCHEMA).then_some(test)
}

/// The first 16 hexadecimal digits: 64 bits are enough to tell apart what is not chosen by an adversary.
fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}
