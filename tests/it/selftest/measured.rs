//! What the engines compute, on the real library.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use driftlock::host::live::Live;
use driftlock::probes::PythonChoice;
use driftlock::selftest::arms::{Arm, EMULATIONS, Level, Wanted, emulations};
use driftlock::selftest::catalogue::{self, Library};
use driftlock::selftest::collect::{self, How, Watcher};
use driftlock::selftest::emulate;
use driftlock::selftest::engine::{Environment, Kind};
use driftlock::selftest::judge;
use driftlock::selftest::precision::{self, Precision};
use driftlock::selftest::result::SelfTest;
use driftlock::selftest::verdict::{self, Class};

use super::{json, selftest, text, venv, worker};
use crate::common::{driftlock, folder};

struct Silent;

impl Watcher for Silent {
    fn arm(&mut self, _: &str, _: usize) {}
    fn operation(&mut self, _: &str) {}
}

fn wanted() -> Wanted {
    let (library, device) = (Library::Torch, "cpu".to_owned());
    Wanted { library, device, level: Level::Default, cpus: 2, repeat: 66, processes: 1 }
}

/// Runs these arms with an engine; the worker where it is there, for speed.
fn run(engine: Kind, arms: &[Arm], simulate: Option<&str>) -> Option<SelfTest> {
    let mut environment = Environment::find(Arc::new(Live::new()), PythonChoice::Path(venv()?));
    if let Some(worker) = worker() {
        environment = environment.with_worker(worker);
    }
    let how = How { engine, limit: Duration::from_secs(600), simulate: simulate.map(str::to_owned) };
    Some(collect::run(&environment, &wanted(), arms, &how, &mut Silent).unwrap_or_else(|e| panic!("{e}")))
}

fn one_thread() -> Arm {
    Arm { name: "one-thread".to_owned(), threads: Some(1), runs: 1, signatures: true, ..Arm::default() }
}

fn quickest() -> Kind {
    if worker().is_some() { Kind::Tch } else { Kind::Python }
}

/// One run at one thread with signatures, shared by the tests.
fn base() -> Option<&'static SelfTest> {
    static BASE: OnceLock<Option<SelfTest>> = OnceLock::new();
    BASE.get_or_init(|| run(quickest(), &[one_thread()], None)).as_ref()
}

#[test]
fn both_engines_give_the_same_digests_at_one_thread() {
    if worker().is_none() {
        return;
    }
    let Some(base) = base() else { return };
    let python = run(Kind::Python, &[one_thread()], None).expect("an environment");
    let comparison = verdict::compare(base, &python);
    assert_eq!(comparison.class, Class::Equal, "{comparison:#?}");
    assert_eq!(comparison.arms[0].compared, catalogue::of(Library::Torch).operations.len());
    // Their signatures agree as well, so that results of different engines can be compared.
    let [a, b] = [base, &python].map(|t| t.arm("one-thread").unwrap());
    for (id, left) in &a.operations {
        for (name, output) in &left.outputs {
            let other = &b.operations[id].outputs[name];
            let size = |s: &Option<driftlock::selftest::result::Signature>| s.as_ref().map(|s| s.log2_l2);
            let (l, r) = (size(&output.signature), size(&other.signature));
            let near = match (l, r) {
                (Some(l), Some(r)) => (l - r).abs() <= 0.25,
                (l, r) => l == r,
            };
            assert!(near, "{id}/{name}: {l:?} {r:?}");
        }
    }
}

#[test]
fn the_controls_are_golden_and_a_wrong_one_is_found() {
    let Some(base) = base() else { return };
    let judged = judge::judge(base);
    assert_eq!((judged.controls, judged.controls_failed.as_slice()), (7, [].as_slice()));
    let mut broken = base.clone();
    let operation = broken.arms[0].operations.get_mut("ctl.layout").unwrap();
    operation.outputs.get_mut("flip").unwrap().digest = "0".repeat(16);
    assert_eq!(judge::judge(&broken).controls_failed, ["ctl.layout/flip in one-thread"]);
    assert_eq!(verdict::compare(base, &broken).class, Class::Controls);
}

#[test]
fn three_fresh_processes_agree() {
    let arm = |n| Arm { name: format!("fresh-{n}"), signatures: false, ..one_thread() };
    let Some(test) = run(quickest(), &[arm(1), arm(2), arm(3)], None) else { return };
    assert_eq!(judge::judge(&test).unstable, []);
    let roots: BTreeSet<&str> = test.arms.iter().map(|a| a.root.as_str()).collect();
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_race_is_found_at_two_threads_and_gone_in_deterministic_mode() {
    if std::thread::available_parallelism().is_ok_and(|n| n.get() < 2) {
        eprintln!("skipped: one CPU");
        return;
    }
    let two = |name: &str| Arm {
        name: name.to_owned(),
        threads: Some(2),
        runs: 20,
        races: true,
        families: vec!["idx"],
        ..Arm::default()
    };
    let deterministic =
        Arm { flags: BTreeMap::from([("deterministic_algorithms".to_owned(), 1)]), ..two("deterministic") };
    // A race is found where two threads really run at once, which a busy machine does not grant every time.
    let mut found = None;
    for _ in 0..10 {
        let Some(test) = run(quickest(), &[two("found"), deterministic.clone()], None) else { return };
        let judged = judge::judge(&test);
        if let Some(race) = judged.unstable.iter().find(|u| u.operation == "idx.index_put_acc").cloned() {
            found = Some((race, judged));
            break;
        }
    }
    let (race, judged) = found.expect("a race in 200 runs at two threads");
    assert!(race.distinct > 1 && race.arm == "found" && race.expected);
    assert_eq!(race.stable_when_deterministic, Some(true));
    let refused = judged.raised.iter().find(|r| r.operation == "idx.put_dup").unwrap();
    assert_eq!((refused.kind.as_str(), refused.arm.as_str()), ("nondeterministic", "deterministic"));
}

#[test]
fn simulated_precisions_are_told_without_error() {
    let Some(base) = base() else { return };
    let products = Arm { families: vec!["mm", "conv"], ..one_thread() };
    let told = |test: &SelfTest| {
        let operations = &test.arm("one-thread").unwrap().operations;
        let all = operations.values().filter_map(|m| precision::of_operation(m.outputs.values()));
        all.collect::<Vec<_>>()
    };
    assert_eq!(told(base), vec![Precision::Full; 19]);
    let cases =
        [("tf32", Precision::Tf32), ("tf32-truncated", Precision::Tf32Truncated), ("bf16", Precision::Bf16)];
    for (simulate, expected) in cases {
        let test = run(quickest(), std::slice::from_ref(&products), Some(simulate)).unwrap();
        assert_eq!(told(&test), vec![expected; 19], "{simulate}");
        let comparison = verdict::compare(base, &test);
        assert_eq!(comparison.class, Class::Precision);
        let became = format!("full f32 became {}", expected.words());
        assert!(comparison.hints.iter().any(|h| h.contains(&became)), "{:?}", comparison.hints);
    }
}

#[test]
fn every_planted_cause_is_proved_by_emulation() {
    let Some(base) = base() else { return };
    // The planted machines and the emulation run in separate processes.
    let bare = |mut arm: Arm| {
        arm.name = "one-thread".to_owned();
        arm
    };
    let arms = emulate::candidates("one-thread", 2);
    let ran: Vec<SelfTest> =
        arms.iter().filter_map(|arm| run(quickest(), std::slice::from_ref(arm), None)).collect();
    let mut proved = 0;
    for (name, variable, value) in EMULATIONS {
        let arm = emulations(2).into_iter().find(|a| a.name == name).unwrap();
        let other = run(quickest(), &[bare(arm)], None).unwrap();
        let Some((asked, differ)) = emulate::question(base, &other) else {
            eprintln!("skipped: {variable}={value} moves nothing on this CPU");
            continue;
        };
        assert_eq!(asked, "one-thread");
        let tried =
            ran.iter().map(|t| emulate::held(asked, base, &other, &t.arms[0], &differ)).collect::<Vec<_>>();
        let explained = emulate::explained(asked, &differ, tried);
        assert!(explained.proved, "{name}: {}", explained.summary);
        let setting = format!("{variable}={value}");
        assert!(explained.summary.contains(&setting), "{name}: {}", explained.summary);
        assert_ne!(verdict::compare(base, &other).class, Class::Equal);
        proved += 1;
    }
    assert!(proved >= 1, "no emulation moves anything on this CPU");
    eprintln!("{proved} of {} planted causes proved", EMULATIONS.len());
}

#[test]
fn the_command_explains_another_number_of_threads() {
    let Some(venv) = venv() else { return };
    if worker().is_none() || std::thread::available_parallelism().is_ok_and(|n| n.get() != 2) {
        eprintln!("skipped: needs the worker and two CPUs");
        return;
    }
    let dir = folder();
    let other = dir.path().join("other.json");
    let run = |args: &[&str], threads: &str| {
        let mut command = selftest(&["--python", venv.to_str().unwrap(), "--device", "cpu"]);
        command.args(args).env("OMP_NUM_THREADS", threads);
        command.env("DRIFTLOCK_SELFTEST_WORKER", worker().unwrap()).output().unwrap()
    };
    let out = run(&["-o", other.to_str().unwrap()], "1");
    assert!(out.status.code().is_some_and(|c| c < 2), "{}", text(&out.stderr));
    let out = run(&["--explain", other.to_str().unwrap(), "--format", "json"], "2");
    let found = json(&out);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(found["explained"]["proved"], true, "{:#}", found["explained"]);
    assert_eq!(found["explained"]["tried"][0]["arm"], "threads-1");
    let hint = found["comparison"]["hints"][0].as_str().unwrap();
    assert!(hint.contains("the number of threads decides (2, 1)"), "{hint}");
}

#[test]
fn a_capture_holds_the_self_test_and_its_fingerprint_does_not() {
    let Some(venv) = venv() else { return };
    let Some(worker) = worker() else { return };
    let dir = folder();
    let capture = |args: &[&str], threads: &str| {
        let mut command = driftlock();
        command
            .args(["capture", "--python", venv.to_str().unwrap()])
            .args(args)
            .env("OMP_NUM_THREADS", threads);
        let out = command.env("DRIFTLOCK_SELFTEST_WORKER", &worker).current_dir(dir.path()).output().unwrap();
        assert!(out.status.success(), "{}", text(&out.stderr));
        let line = text(&out.stderr);
        line.split("sha256:").nth(1).unwrap().chars().take(12).collect::<String>()
    };
    let without = capture(&["-o", "without.lock"], "1");
    assert_eq!(capture(&["--selftest", "-o", "with.lock"], "1"), without);
    let snapshot = std::fs::read_to_string(dir.path().join("with.lock")).unwrap();
    assert!(snapshot.contains("[result.selftest"), "{snapshot}");
    let beside = std::fs::read(dir.path().join("with.lock.selftest.json")).unwrap();
    let test: SelfTest = serde_json::from_slice(&beside).unwrap();
    let root = &test.arm("one-thread").unwrap().root;
    assert!(snapshot.contains(&root[..16]));
    let verify = driftlock().args(["verify", "with.lock"]).current_dir(dir.path()).output().unwrap();
    assert!(verify.status.success(), "{}", text(&verify.stderr));

    // Another number of threads: the cause whose operations differ comes before those that torch does not exercise.
    if std::thread::available_parallelism().is_ok_and(|n| n.get() != 2) {
        eprintln!("skipped: the pair of one thread and two needs two CPUs");
        return;
    }
    capture(&["--selftest", "-o", "two.lock"], "2");
    let diff = |a: &str, b: &str| {
        json(&driftlock().args(["diff", a, b, "--format", "json"]).current_dir(dir.path()).output().unwrap())
    };
    let whole = diff("with.lock", "two.lock");
    for name in ["with", "two"] {
        std::fs::remove_file(dir.path().join(format!("{name}.lock.selftest.json"))).unwrap();
    }
    let bare = diff("with.lock", "two.lock");
    for found in [&whole, &bare] {
        let first = &found["causes"][0];
        assert_eq!(first["rule"], "torch-threads-omp-variable", "{found:#}");
        let evidence = first["evidence"].to_string();
        assert!(evidence.contains("operations that it moves differ"), "{evidence}");
        let openblas = found["causes"].as_array().unwrap().iter().filter(|c| c["rule"] != first["rule"]);
        openblas.for_each(|c| assert!(!c["evidence"].to_string().contains("self-test"), "{c:#}"));
        // Errors are measured at one thread, where nothing differs.
        assert_eq!(found["selftest"]["class"], "differs", "{found:#}");
    }
    let differ = |found: &serde_json::Value| {
        let arms = found["selftest"]["arms"].as_array().unwrap();
        arms.iter().find(|arm| arm["arm"] == "found").unwrap()["operations"].clone()
    };
    assert_eq!(differ(&whole), differ(&bare));

    // The same environment and other digests: nothing recorded explains it.
    let root = toml::from_str::<toml::Table>(&snapshot).unwrap()["result"]["selftest"]["arms"]["one-thread"]
        ["operations"]["mm.f32_512"]
        .as_str()
        .unwrap()
        .to_owned();
    std::fs::write(dir.path().join("moved.lock"), snapshot.replace(&root, "0123456789abcdef")).unwrap();
    let moved = diff("with.lock", "moved.lock");
    assert_eq!(moved["verdict"]["outcome"], "unknown", "{moved:#}");
    assert!(moved["selftest"]["arms"].to_string().contains("mm.f32_512"), "{moved:#}");
}
