//! `driftlock diff` through the built binary.

mod fix;
mod formats;
mod hostile;
mod observed;
mod sources;
mod user;

use std::path::Path;
use std::process::Output;

use driftlock::snapshot::{FactPath, Snapshot, Value, read, write};

use crate::common::{driftlock, folder, root};

/// A snapshot in which these sections were looked at and hold these facts.
fn snapshot(sections: &[&str], facts: &[(&str, Value)]) -> Snapshot {
    let mut out =
        Snapshot { sections: sections.iter().map(|s| (*s).to_owned()).collect(), ..Snapshot::default() };
    for (path, value) in facts {
        out.facts.insert(path.parse().unwrap(), value.clone());
    }
    out.meta.insert(FactPath::new(["meta", "label"]), "a label".into());
    out
}

fn put(dir: &Path, name: &str, snapshot: &Snapshot) {
    std::fs::write(dir.join(name), write::to_string(snapshot)).unwrap();
}

/// The snapshot of a recorded machine.
fn host(name: &str) -> Snapshot {
    let path = root().join("fixtures/hosts").join(name).join("snapshot.lock");
    read::from_str(&std::fs::read_to_string(path).unwrap()).unwrap().snapshot
}

fn run(dir: &Path, args: &[&str]) -> Output {
    driftlock().arg("diff").args(args).current_dir(dir).output().unwrap()
}

/// Exit code, standard output, standard error.
fn diff(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = run(dir, args);
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn json(dir: &Path, args: &[&str]) -> serde_json::Value {
    let (code, out, messages) = diff(dir, &[args, &["--format", "json"]].concat());
    assert!(code < 2, "{messages}");
    serde_json::from_str(&out).unwrap()
}

/// The changed facts of a diff in JSON.
fn changed(report: &serde_json::Value) -> Vec<String> {
    let facts = report["changes"].as_array().unwrap().iter();
    facts.map(|c| c["fact"].as_str().unwrap().to_owned()).collect()
}

/// Two snapshots that differ in a cause (two threads of torch), a benign fact and one out of scope.
fn two(dir: &Path) {
    let sections = ["cpu", "env", "torch", "gpu", "os"];
    let side = |threads: i64, kernel: &str, fraction: &str| {
        snapshot(
            &sections,
            &[
                ("torch.version", "2.11.0".into()),
                ("cpu.threads.torch", threads.into()),
                ("env.OMP_NUM_THREADS", threads.to_string().into()),
                ("env.CUBLAS_WORKSPACE_CONFIG", fraction.into()),
                ("os.kernel", kernel.into()),
            ],
        )
    };
    put(dir, "a.lock", &side(1, "6.1.0", ":4096:8"));
    put(dir, "b.lock", &side(2, "6.2.0", ":16:8"));
}

#[test]
fn exit_codes() {
    let dir = folder();
    two(dir.path());
    assert_eq!(diff(dir.path(), &["a.lock", "a.lock"]).0, 0);
    assert_eq!(diff(dir.path(), &["a.lock", "b.lock"]).0, 1);
    let (code, out, messages) = diff(dir.path(), &["a.lock", "none.lock"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(messages.contains("`none.lock`"), "{messages}");
    assert_eq!(diff(dir.path(), &["a.lock"]).0, 2, "usage");
    // What cannot alter the run is a difference and no finding.
    assert_eq!(diff(dir.path(), &["a.lock", "b.lock", "--scope", "python"]).0, 0);
}

#[test]
fn equal_snapshots_say_so_in_one_line() {
    let dir = folder();
    two(dir.path());
    let (code, out, messages) = diff(dir.path(), &["a.lock", "a.lock"]);
    assert_eq!((code, messages.as_str()), (0, ""));
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("identical: "), "{out}");
}

#[test]
fn scope_and_all() {
    let dir = folder();
    two(dir.path());
    let standing = |report: &serde_json::Value, fact: &str| -> String {
        let changes = report["changes"].as_array().unwrap();
        changes.iter().find(|c| c["fact"] == fact).unwrap()["standing"].as_str().unwrap().to_owned()
    };
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(report["scope"]["from"], "inferred");
    assert_eq!(standing(&report, "env.OMP_NUM_THREADS"), "cause");
    assert_eq!(standing(&report, "os.kernel"), "benign");
    assert_eq!(standing(&report, "env.CUBLAS_WORKSPACE_CONFIG"), "out-of-scope");
    let report = json(dir.path(), &["a.lock", "b.lock", "--scope", "torch,cuda"]);
    assert_eq!(report["scope"]["from"], "flag");
    assert_eq!(report["scope"]["devices"], serde_json::json!(["cuda"]));
    assert_eq!(standing(&report, "env.OMP_NUM_THREADS"), "cause");
    let (_, brief, _) = diff(dir.path(), &["a.lock", "b.lock"]);
    let (_, all, _) = diff(dir.path(), &["a.lock", "b.lock", "--all"]);
    assert!(!brief.contains("os.kernel") && brief.contains("--all shows them"), "{brief}");
    assert!(all.contains("os.kernel") && all.contains("Out of scope"), "{all}");
}

#[test]
fn devices_in_another_order_are_no_change() {
    let dir = folder();
    for (name, order) in [("slurm-a100", vec!["2", "0", "3", "1"]), ("t4-v100", vec!["1", "0"])] {
        let a = host(name);
        let mut b = a.clone();
        // Device `i` of A stands at `order[i]` in B, with all that is known of it.
        let moved = |path: &FactPath| -> FactPath {
            let mut segments = path.segments().to_vec();
            if segments[0] == "gpu"
                && segments.len() > 2
                && let Ok(i) = segments[1].parse::<usize>()
            {
                segments[1] = order[i].to_owned();
            }
            FactPath::new(segments)
        };
        for facts in [&mut b.facts, &mut b.private, &mut b.volatile] {
            *facts = std::mem::take(facts).iter().map(|(p, v)| (moved(p), v.clone())).collect();
        }
        let topologies = b.facts.iter_mut().filter(|(p, _)| p.to_string().ends_with(".topology"));
        for (_, value) in topologies {
            let Value::List(items) = value else { panic!() };
            let old = items.clone();
            for (i, to) in order.iter().enumerate() {
                items[to.parse::<usize>().unwrap()] = old[i].clone();
            }
        }
        assert_ne!(a.facts, b.facts);
        put(dir.path(), "a.lock", &a);
        put(dir.path(), "b.lock", &b);
        let report = json(dir.path(), &["a.lock", "b.lock"]);
        assert_eq!(changed(&report), Vec::<String>::new(), "{name}");
        // Without UUIDs the devices are told by their kind.
        b.private.clear();
        put(dir.path(), "b.lock", &b);
        if name == "t4-v100" {
            assert_eq!(changed(&json(dir.path(), &["a.lock", "b.lock"])), Vec::<String>::new());
        }
        // Another device is a change.
        b.facts.insert("gpu.0.name".parse().unwrap(), "NVIDIA H100".into());
        put(dir.path(), "b.lock", &b);
        assert_ne!(changed(&json(dir.path(), &["a.lock", "b.lock"])), Vec::<String>::new());
    }
}

#[test]
fn a_renamed_package_is_one_change() {
    let dir = folder();
    let side = |name: &str, version: &str, other: &str| {
        snapshot(
            &["python"],
            &[
                (&format!("python.packages.{name}.version"), version.into()),
                (&format!("python.packages.{other}.version"), "1.0".into()),
            ],
        )
    };
    put(dir.path(), "a.lock", &side("nvidia-cublas-cu12", "12.8.4.1", "tensorflow"));
    put(dir.path(), "b.lock", &side("nvidia-cublas", "13.1.0.3", "tensorflow-cpu"));
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(changed(&report), ["python.packages.nvidia-cublas-cu12.version"]);
    let change = &report["changes"][0];
    assert_eq!((&change["a"], &change["b"]), (&"12.8.4.1".into(), &"13.1.0.3".into()));
    // Two packages of one stem on one side are two packages.
    put(dir.path(), "b.lock", &side("nvidia-cublas", "13.1.0.3", "nvidia-cublas-cu13"));
    let report = json(dir.path(), &["a.lock", "b.lock"]);
    assert_eq!(changed(&report).len(), 3, "{report:#}");
}

/// What `--deep` and `--verify-packages` add on one side is not gone on the other.
#[test]
fn what_only_one_side_was_asked_for() {
    let dir = folder();
    let plain = [("python.version", Value::from("3.12.1")), ("torch.version", "2.11.0".into())];
    let deep = [("python.deep.interpreter.version", Value::from("3.12.1")), ("python.edited", Value::Int(0))];
    put(dir.path(), "plain.lock", &snapshot(&["python", "torch"], &plain));
    put(dir.path(), "deep.lock", &snapshot(&["python", "torch"], &[plain.as_slice(), &deep].concat()));
    for sides in [["plain.lock", "deep.lock"], ["deep.lock", "plain.lock"]] {
        let out = driftlock().arg("diff").args(sides).current_dir(dir.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stdout));
    }
}

/// Two lists of packages say nothing of the libraries themselves, and all the same a framework changed.
#[test]
fn lists_of_packages_stand_in_for_frameworks() {
    let dir = folder();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("a.txt", "numpy==1.26.4\nrequests==2.32.3\n");
    write("b.txt", "numpy==2.4.6\nrequests==2.32.3\n");
    let report = json(dir.path(), &["a.txt", "b.txt"]);
    assert_eq!(report["verdict"]["outcome"], "different", "{report:#}");
    assert_eq!(report["causes"][0]["facts"], serde_json::json!(["numpy.version"]));
    assert_eq!(report["scope"]["frameworks"], serde_json::json!(["numpy", "python"]));
    // Where one side has looked at the library itself, its list is not asked: the two names of one build differ.
    let facts =
        [("numpy.version", Value::from("2.4.6+local")), ("python.packages.numpy.version", "2.4.6".into())];
    put(dir.path(), "c.lock", &snapshot(&["python", "numpy"], &facts));
    let report = json(dir.path(), &["b.txt", "c.lock"]);
    assert!(!changed(&report).contains(&"numpy.version".to_owned()), "{report:#}");
}
