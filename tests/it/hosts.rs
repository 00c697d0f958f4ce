//! Every probe over every recorded machine under `fixtures/hosts`: docs/design/recorded-hosts.md.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driftlock::facts::{self, Type};
use driftlock::host::Host;
use driftlock::host::recorded::Recorded;
use driftlock::host::recording::Recording;
use driftlock::probes::{Context, Options};
use driftlock::snapshot::{FactPath, Facts, Snapshot, Value, digest, read, write};

use crate::common::{self, root};

/// Facts that no recorded machine shows, and why. A pattern as in `src/facts`; a `**` at the end takes all below.
const NOT_SEEN: &[(&str, &str)] = &[
    ("meta.**", "set by the command and not by a probe: tests/it/capture.rs"),
    ("outputs.**", "written by a command and not shown by a machine: tests/it/outputs"),
    ("data.*.content", "of files that hold arrays: tests/it/outputs"),
    ("selftest.**", "computed and not read"),
    ("run.**", "of a command and not of a machine: tests/it/run"),
    ("workload.**", "of a program and not of a machine: tests/it/workload_facts.rs"),
    ("env.**", "declared one by one for their class; which of them a machine sets is chance"),
    (
        "cuda.libraries.*.also_loaded",
        "two copies of a library in one process, held against the real loader: tests/it/cuda/loader.rs",
    ),
    ("python.deep.**", "asks a running interpreter: tests/it/python"),
    ("python.edited", "with --verify-packages, which reads every installed file: tests/it/python"),
    ("python.unverified", "with --verify-packages: tests/it/python"),
    ("python.verified_files", "with --verify-packages: tests/it/python"),
    ("jax.metadata_version", "a broken upgrade; one machine shows it for NumPy"),
    ("scipy.metadata_version", "a broken upgrade; one machine shows it for NumPy"),
    ("sklearn.metadata_version", "a broken upgrade; one machine shows it for NumPy"),
    ("tensorflow.metadata_version", "a broken upgrade; one machine shows it for NumPy"),
    ("torch.metadata_version", "a broken upgrade; one machine shows it for NumPy"),
    ("torch.xpu", "only in builds for Intel GPUs"),
    ("torch.rocm", "only in builds for AMD GPUs that are newer than those recorded"),
    (
        "cuda.libraries.*.also_loaded",
        "two copies in one process, by the real loader: tests/it/cuda/loader.rs",
    ),
    ("cpu.isa_on_some", "cores of one machine with different flags: src/probes/cpu"),
    ("data.*.listing", "of more than twenty files: tests/it/data.rs"),
];

fn folder() -> PathBuf {
    root().join("fixtures/hosts")
}

/// The names of the recorded machines, in order.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap());
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn machine(name: &str) -> Recorded {
    let path = folder().join(name).join("host.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Recorded::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What is asked of a machine: its data trees and its configuration file, where it has them, and all else.
fn options(host: &Recorded) -> Options {
    let config = [("config.yaml", "config.yaml"), ("outputs", "outputs/.hydra/config.yaml")];
    let config = config.iter().filter(|(_, file)| host.files.contains_key(&host.cwd.join(file)));
    Options {
        data: host.tree.keys().cloned().collect(),
        config: config.map(|(given, _)| given.into()).collect(),
        patch: true,
        // The probes of 17 machines share the cores with every other test.
        timeout: Duration::from_secs(120),
        ..Options::default()
    }
}

fn capture(host: Arc<dyn Host>, options: Options) -> Snapshot {
    driftlock::capture::run(&Arc::new(Context::new(host, options)), false).snapshot
}

fn replay(host: &Recorded) -> Snapshot {
    capture(Arc::new(host.clone()), options(host))
}

fn snapshots() -> BTreeMap<String, Snapshot> {
    names().into_iter().map(|name| (name.clone(), replay(&machine(&name)))).collect()
}

/// Every fact of a snapshot.
fn leaves(snapshot: &Snapshot) -> impl Iterator<Item = (&FactPath, &Value)> {
    [&snapshot.facts, &snapshot.private, &snapshot.volatile].into_iter().flatten()
}

#[test]
fn there_are_a_dozen_machines_and_each_says_where_it_is_from() {
    let names = names();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let host = machine(&name);
        assert!(!host.about.is_empty(), "{name}: `about` is empty");
        let honest = ["composed: ", "recorded "].iter().any(|begin| host.provenance.starts_with(begin));
        assert!(honest, "{name}: `provenance` says neither `composed: …` nor `recorded …`");
    }
}

#[test]
fn snapshots_are_as_they_were() {
    let mut different = Vec::new();
    for (name, snapshot) in snapshots() {
        let path = folder().join(&name).join("snapshot.lock");
        let text = write::to_string(&snapshot);
        let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
        let same = snapbox::Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV).try_eq(
            Some(&name),
            snapbox::Data::text(text).raw(),
            expected,
        );
        if let Err(error) = same {
            different.push(error.to_string());
        }
    }
    assert!(
        different.is_empty(),
        "{}\nIf this is meant, run `SNAPSHOTS=overwrite cargo test --test it hosts::` and read what changed with `git diff`.",
        different.join("\n")
    );
}

#[test]
fn a_second_capture_gives_the_same_bytes() {
    for name in names() {
        let host = machine(&name);
        assert_eq!(write::to_string(&replay(&host)), write::to_string(&replay(&host)), "{name}");
    }
}

#[test]
fn a_snapshot_reads_back_and_its_digests_hold() {
    for (name, snapshot) in snapshots() {
        let read = read::from_str(&write::to_string(&snapshot)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.snapshot, snapshot, "{name}");
        let digests = digest::sections(&read.snapshot);
        assert_eq!(read.digests, digests, "{name}");
        assert_eq!(read.fingerprint, Some(digest::fingerprint(&digests)), "{name}");
    }
}

#[test]
fn every_fact_is_declared_and_of_its_type() {
    for (name, snapshot) in snapshots() {
        for (path, value) in leaves(&snapshot) {
            let fact = facts::find(path);
            let fact = fact
                .unwrap_or_else(|| panic!("{name}: `{path}` is not in src/facts/{}.toml", path.section()));
            let fits = match fact.kind {
                Type::String => matches!(value, Value::Str(_)),
                Type::Int => matches!(value, Value::Int(_)),
                Type::Float => matches!(value, Value::Float(_)),
                Type::Bool => matches!(value, Value::Bool(_)),
                Type::List => {
                    matches!(value, Value::List(items) if items.iter().all(|i| matches!(i, Value::Str(_))))
                }
                Type::Any => true,
            };
            assert!(
                fits,
                "{name}: `{path} = {value}` is not of the type that src/facts/{}.toml says",
                path.section()
            );
            let known = fact.values.is_empty() || value.as_str().is_none_or(|v| fact.values.contains(&v));
            assert!(known, "{name}: `{path} = {value}` is not among its `values` {:?}", fact.values);
        }
        for (path, reason) in &snapshot.unknown {
            assert!(!reason.contains("bug in driftlock"), "{name}: {path}: {reason}");
        }
    }
}

#[test]
fn every_declared_fact_is_seen_on_a_machine() {
    let mut seen = BTreeSet::new();
    for snapshot in snapshots().values() {
        let unknown = snapshot.unknown.keys().filter(|path| path.segments().len() > 1);
        seen.extend(
            leaves(snapshot)
                .map(|(path, _)| path)
                .chain(unknown)
                .filter_map(facts::find)
                .map(|fact| fact.path),
        );
    }
    let excused = |path: &str| NOT_SEEN.iter().find(|(pattern, _)| covers(pattern, path));
    let unseen: Vec<&str> = facts::FACTS
        .iter()
        .map(|fact| fact.path)
        .filter(|path| !seen.contains(path) && excused(path).is_none())
        .collect();
    assert!(
        unseen.is_empty(),
        "no machine under fixtures/hosts shows {unseen:#?}: extend one, or say why not in NOT_SEEN"
    );
    for (pattern, _) in NOT_SEEN {
        let mut covered = facts::FACTS.iter().filter(|fact| covers(pattern, fact.path));
        let needed = covered.any(|fact| !seen.contains(fact.path));
        assert!(
            needed,
            "`{pattern}` is in NOT_SEEN, but no such fact is declared any more, or all are seen: take it out"
        );
    }
}

/// Whether an exception's pattern takes in a declared path.
fn covers(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix("**").map_or(pattern == path, |beginning| path.starts_with(beginning))
}

#[test]
fn every_section_is_filled_somewhere() {
    let snapshots = snapshots();
    for section in facts::SECTIONS
        .iter()
        .filter(|section| !["meta", "run", "workload", "outputs", "selftest"].contains(&section.name))
    {
        let filled = snapshots.values().any(|s| leaves(s).any(|(path, _)| path.section() == section.name));
        assert!(filled, "no machine fills the section `{}`", section.name);
    }
}

#[test]
fn a_recording_of_a_replay_gives_an_equal_snapshot() {
    for name in names() {
        let host = machine(&name);
        let recording = Arc::new(Recording::new(Arc::new(host.clone())));
        let first = capture(Arc::clone(&recording) as Arc<dyn Host>, options(&host));
        let text = recording.finish().unwrap().to_text().unwrap();
        let again = Recorded::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
        let options = Options { data: again.tree.keys().cloned().collect(), ..options(&again) };
        let second = capture(Arc::new(again), options);
        let (first, second) = (comparable(first), comparable(second));
        for (path, value) in &first {
            assert_eq!(second.get(path), Some(value), "{name}: {path}");
        }
        assert_eq!(
            first.len(),
            second.len(),
            "{name}: {:?}",
            second.keys().filter(|p| !first.contains_key(*p)).collect::<Vec<_>>()
        );
        for hidden in private_names(&host) {
            assert!(!text.contains(&hidden), "{name}: `{hidden}` is in the recording");
        }
    }
}

/// Through the command, on the machine that runs the test.
#[test]
fn a_recording_of_this_machine_replays_to_the_same_facts() {
    let dir = common::folder();
    let recording = dir.path().join("recording");
    let recording = recording.to_str().unwrap();
    let live = common::capture(dir.path(), &["--timeout", "120", "--record", recording]);
    let replayed = common::capture(dir.path(), &["--timeout", "120", "--replay", recording]);
    let sections: Vec<&String> = live["digest"].as_table().unwrap().keys().collect();
    assert!(sections.len() > 10, "{sections:?}");
    for section in sections {
        assert_eq!(replayed.get(section), live.get(section), "[{section}]");
    }
    let named: Vec<&str> =
        ["os", "cpu", "memory", "env"].into_iter().filter(|s| !live.contains_key(*s)).collect();
    assert!(named.is_empty(), "{named:?} are empty on this machine");
}

/// What must survive a recording: everything but the names that a recording replaces.
fn comparable(snapshot: Snapshot) -> BTreeMap<FactPath, Result<Value, String>> {
    // A configuration file loses its secrets, and so has another digest.
    let kept = |path: &FactPath| path.segments().get(1).is_none_or(|segment| segment != "--config");
    let known = |facts: Facts| {
        let kept = facts.into_iter().filter(move |(path, _)| kept(path));
        kept.map(|(path, value)| (path, Ok(value)))
    };
    let private = snapshot.private.into_keys().map(|path| (path, Ok(Value::from("replaced"))));
    let unknown = snapshot.unknown.into_iter().map(|(path, reason)| (path, Err(reason)));
    known(snapshot.facts).chain(known(snapshot.volatile)).chain(private).chain(unknown).collect()
}

/// The names of a machine that no recording may hold.
fn private_names(host: &Recorded) -> Vec<String> {
    let system = &host.system;
    let mut names = system.addresses.clone();
    // The words by which many machines and users are called hide nobody and are kept.
    names.extend(system.user.clone().filter(|user| !["root", "user", "nvidia"].contains(&user.as_str())));
    names.extend(Some(system.hostname.clone()).filter(|name| name != "host"));
    let devices = host.nvml.iter().flat_map(|nvml| &nvml.devices);
    names.extend(devices.flat_map(|device| [device.uuid.clone(), device.serial.clone()]).flatten());
    names
}

/// `expected.toml` of each machine is written by hand, so that a golden file that was taken over unread is noticed.
#[test]
fn the_machines_say_what_they_must() {
    let mut wrong = Vec::new();
    for (name, snapshot) in snapshots() {
        let expected = std::fs::read_to_string(folder().join(&name).join("expected.toml"));
        let expected: toml::Table =
            expected.unwrap_or_else(|e| panic!("{name}/expected.toml: {e}")).parse().unwrap();
        let (mut checked, said) = (0, |path: &str| said(&snapshot, path));
        for (kind, found) in expected {
            let facts: Vec<(String, String)> = match found {
                toml::Value::Table(values) if kind == "value" => values
                    .into_iter()
                    .map(|(path, value)| (path, read::value_of(&value).unwrap().to_string()))
                    .collect(),
                toml::Value::Array(paths) if kind == "absent" || kind == "unknown" => {
                    paths.iter().map(|path| (path.as_str().unwrap().to_owned(), kind.clone())).collect()
                }
                _ => panic!("{name}/expected.toml: `{kind}` is none of `value`, `absent`, `unknown`"),
            };
            checked += facts.len();
            let differs = facts.into_iter().filter(|(path, expected)| said(path) != *expected);
            wrong.extend(
                differs.map(|(path, expected)| format!("{name}: {path} is {}, not {expected}", said(&path))),
            );
        }
        assert!(checked > 0, "{name}/expected.toml is empty");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A fact as the snapshot writes it, `unknown` or `absent`.
fn said(snapshot: &Snapshot, path: &str) -> String {
    let path: FactPath = path.parse().unwrap();
    match [&snapshot.facts, &snapshot.volatile].into_iter().find_map(|facts| facts.get(&path)) {
        Some(value) => value.to_string(),
        None if snapshot.unknown.keys().any(|unknown| unknown.covers(&path)) => "unknown".to_owned(),
        None => "absent".to_owned(),
    }
}

/// A path that is only used by a test on this machine must not get into a fixture.
#[test]
fn no_machine_is_this_one() {
    let home = std::env::var("HOME").unwrap_or_default();
    for name in names() {
        let text = std::fs::read_to_string(folder().join(&name).join("host.toml")).unwrap();
        let here = root();
        for private in [here.display().to_string(), home.clone()].iter().filter(|p| p.len() > "/root".len()) {
            assert!(!text.contains(private.as_str()), "{name}: {private}");
        }
        assert!(
            Path::new(&machine(&name).cwd).is_absolute(),
            "{name}: the working directory is not absolute"
        );
    }
}
