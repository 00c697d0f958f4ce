//! The self-test as facts of a snapshot: `[selftest]`, of class `result`, and the whole of it in a file beside.
//!
//! Class `result`, not `identity`: digests are measured by a program that ran, like the outputs of a run. Two
//! captures of one machine with and without `--selftest` have one fingerprint, and so have two of a machine on which
//! an operation is unstable.

use std::collections::BTreeMap;

use super::catalogue::{self, Library};
use super::protocol::Measured;
use super::result::{ArmResult, SelfTest};
use crate::probes::sink::{Collected, Sink};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

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
fn read_beside(beside: Beside<'_>) -> Option<SelfTest> {
    let test: SelfTest = serde_json::from_slice(&beside(SUFFIX)?).ok()?;
    (test.schema == super::result::SCHEMA).then_some(test)
}

/// What the section itself holds of a self-test: every digest, and nothing of how results are wrong. For a snapshot
/// that came without the file beside it.
pub fn from_snapshot(snapshot: &Snapshot) -> Option<SelfTest> {
    let look = |names: &[&str]| match snapshot.look(&FactPath::new([SECTION].iter().chain(names).copied())) {
        Looked::Value(value) => Some(value.clone()),
        _ => None,
    };
    let text = |name: &str| look(&[name]).and_then(|v| v.as_str().map(str::to_owned));
    let list = |name: &str| match look(&[name]) {
        Some(Value::List(items)) => items.iter().map(Value::plain).collect(),
        _ => Vec::new(),
    };
    let module = text("library")?;
    let library = *Library::ALL.iter().find(|l| l.module() == module)?;
    let unstable: Vec<String> = list("unstable");
    // Controls cannot be judged by the digest of an operation alone; the section says how they ended.
    let controls_hold = list("controls_failed").is_empty();
    let is_control = |id: &str| {
        catalogue::of(library).operations.iter().any(|o| o.id == id && o.tier == catalogue::Tier::Control)
    };
    let counts = |id: &String| !unstable.contains(id) && (!controls_hold || !is_control(id));
    let mut arms: BTreeMap<String, ArmResult> = BTreeMap::new();
    for (path, value) in &snapshot.results {
        let [section, table, name, rest @ ..] = path.segments() else { continue };
        if section != SECTION || table != "arms" {
            continue;
        }
        let arm = arms.entry(name.clone()).or_insert_with(|| {
            // Which arms ran in one state is in the file only: each counts as a state of its own, and what was not
            // stable is left out already.
            let env = BTreeMap::from([("arm".to_owned(), name.clone())]);
            ArmResult { name: name.clone(), env, ..ArmResult::default() }
        });
        match rest {
            [root] if root == "root" => arm.root = value.plain(),
            [threads] if threads == "threads" => {
                arm.described.insert("threads".to_owned(), value.as_int().into());
            }
            [families, family] if families == "families" => {
                arm.families.insert(family.clone(), value.plain());
            }
            [operations, id] if operations == "operations" && counts(id) => {
                let measured =
                    Measured { digest: value.plain(), runs: 1, distinct: 1, often: 1, ..Measured::default() };
                arm.operations.insert(id.clone(), measured);
            }
            _ => {}
        }
    }
    (!arms.is_empty()).then(|| SelfTest {
        schema: super::result::SCHEMA.to_owned(),
        library,
        catalogue: look(&["catalogue"])
            .and_then(|v| v.as_int())
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0),
        engine: text("engine").unwrap_or_default(),
        device: text("device").unwrap_or_default(),
        level: text("level").unwrap_or_default(),
        load_average_percent: None,
        seconds: 0.0,
        arms: arms.into_values().collect(),
    })
}

/// Reads the file beside a snapshot that has this suffix.
pub type Beside<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// The self-tests of two snapshots in the fullest form that both have; `None` where either has none.
pub fn of_both(snapshots: [&Snapshot; 2], beside: [Beside<'_>; 2]) -> Option<[SelfTest; 2]> {
    let [a, b] = snapshots.map(from_snapshot);
    let (a, b) = (a?, b?);
    // A file that is not the one written with this snapshot would speak of another machine.
    let whole = |of: &SelfTest, read: Beside<'_>| {
        read_beside(read).filter(|test| {
            of.arms.iter().all(|arm| test.arm(&arm.name).is_some_and(|full| short(&full.root) == arm.root))
        })
    };
    match (whole(&a, beside[0]), whole(&b, beside[1])) {
        (Some(a), Some(b)) => Some([a, b]),
        _ => Some([a, b]),
    }
}

/// The first 16 hexadecimal digits: 64 bits are enough to tell apart what is not chosen by an adversary.
fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}
