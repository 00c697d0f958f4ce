//! What is found, in programs of which the truth is known.

use super::{Bench, causes, join, noise};

fn check(validator: &jsonschema::Validator, report: &serde_json::Value) {
    let errors: Vec<String> =
        validator.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

#[test]
fn one_of_ten_variables() {
    let bench = Bench::with("echo \"loss ${OMP_NUM_THREADS}\"\n");
    bench.pair(
        &join(&noise(9, "1"), &[("OMP_NUM_THREADS", "1")]),
        &join(&noise(9, "2"), &[("OMP_NUM_THREADS", "2")]),
    );
    let out = bench.run(&[], &["sh", "prog.sh"]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&out.stderr));
    assert!(text.starts_with("proved: env.OMP_NUM_THREADS did it"), "{text}");
    let report = bench.program(&[]);
    check(&jsonschema::validator_for(&driftlock::render::schema::bisect()).unwrap(), &report);
    assert_eq!(causes(&report), [["env.OMP_NUM_THREADS"]]);
    assert_eq!(report["causes"][0]["confidence"], "proved");
    assert_eq!(report["verified"]["a_with"], "B");
    assert_eq!(report["verified"]["b_without"], "A");
    assert!(report["searched"].as_u64().unwrap() <= 6, "{report:#}");
    assert_eq!(report["factors"].as_array().unwrap().len(), 10);
}

/// The explanation ranks it last, and it is found all the same.
#[test]
fn a_variable_that_no_rule_suspects() {
    let bench = Bench::with("echo \"loss ${V8_SEED}\"\n");
    bench.pair(
        &join(&noise(9, "1"), &[("OMP_NUM_THREADS", "1")]),
        &join(&noise(9, "2"), &[("OMP_NUM_THREADS", "2")]),
    );
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V8_SEED"]]);
    assert!(report["searched"].as_u64().unwrap() <= 10 * 13);
    assert_eq!(report["causes"][0]["acts"], "alone");
}

#[test]
fn two_that_act_only_together() {
    let bench = Bench::with("[ \"$V2_SEED$V5_SEED\" = bb ] && echo 2 || echo 1\n");
    bench.pair(&noise(8, "a"), &noise(8, "b"));
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V2_SEED", "env.V5_SEED"]]);
    assert_eq!(report["causes"][0]["acts"], "interaction");
    assert_eq!(report["outcome"], "proved");
}

#[test]
fn two_independent_causes() {
    let bench = Bench::with("echo $V1_SEED $V6_SEED\n");
    bench.pair(&noise(8, "a"), &noise(8, "b"));
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V1_SEED"], ["env.V6_SEED"]]);
    assert_eq!(report["outcome"], "proved");
    assert_eq!(report["verified"]["b_without"], "A");
}

#[test]
fn two_of_which_each_suffices() {
    let bench = Bench::with("[ \"$V1_SEED\" = b ] || [ \"$V6_SEED\" = b ] && echo 2 || echo 1\n");
    bench.pair(&noise(8, "a"), &noise(8, "b"));
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V1_SEED"], ["env.V6_SEED"]]);
    assert_eq!(report["causes"][1]["acts"], "also-suffices");
}

/// One mixture crashes, another hangs: neither is a result, the search goes on, and nothing is left running.
#[test]
fn crashes_and_hangs_are_no_results() {
    let marker = format!("{}", std::process::id());
    let program = format!(
        "[ \"$V0_SEED$V1_SEED\" = ba ] && {{ sh -c 'kill -SEGV $$'; exit 7; }}\n\
         [ \"$V2_SEED$V3_SEED\" = ba ] && {{ setsid sleep 97{marker} & sleep 98{marker}; }}\n\
         echo $V3_SEED\n"
    );
    let bench = Bench::with(&program);
    bench.pair(&noise(6, "a"), &noise(6, "b"));
    let report = bench.program(&["--timeout", "1"]);
    assert_eq!(causes(&report), [["env.V3_SEED"]], "{report:#}");
    let probes = report["probes"].as_array().unwrap();
    let whys: Vec<&str> = probes.iter().filter_map(|p| p["why"].as_str()).collect();
    for why in ["exit code 7", "took longer than 1 s"] {
        assert!(whys.iter().any(|w| w.contains(why)), "{why}: {report:#}");
    }
    let left = std::process::Command::new("pgrep").args(["-f", &format!("sleep 9[78]{marker}")]).output();
    if let Ok(left) = left {
        assert_eq!(String::from_utf8_lossy(&left.stdout), "");
    }
}

/// B crashes and A does not: the exit code is the result.
#[test]
fn an_exit_code_is_a_result() {
    let bench = Bench::with("[ \"$V3_SEED\" = b ] && exit 9; echo fine\n");
    bench.pair(&noise(5, "a"), &noise(5, "b"));
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V3_SEED"]]);
    assert_eq!(report["ground"]["b"]["ended"][0], "exit code 9");
}

#[test]
fn a_tolerance_lets_small_differences_pass() {
    let bench = Bench::with(
        "case $V1_SEED in a) x=1.0000001;; b) x=1.0000002;; esac\ncase $V2_SEED in a) y=2.0;; b) y=2.5;; esac\n\
         echo \"loss=$x $y\"\n",
    );
    bench.pair(&noise(5, "a"), &noise(5, "b"));
    let bitwise = bench.program(&[]);
    assert_eq!(causes(&bitwise), [["env.V1_SEED"], ["env.V2_SEED"]]);
    let close = bench.program(&["--compare", "1e-3"]);
    assert_eq!(causes(&close), [["env.V2_SEED"]]);
    let all = bench.program(&["--compare", "0.9"]);
    assert_eq!(all["outcome"], "equal");
}

#[test]
fn side_by_side_finds_the_same() {
    let bench = Bench::with("echo $V4_SEED\n");
    bench.pair(&noise(9, "a"), &noise(9, "b"));
    assert_eq!(causes(&bench.program(&["--jobs", "3"])), [["env.V4_SEED"]]);
}

/// Outputs are compared tensor by tensor: another file around equal numbers is no difference.
#[test]
fn outputs_and_their_magnitude() {
    let bench = Bench::with("");
    bench.put(
        "prog.py",
        "import json, os, time\nx = 1.0 + (1e-9 if os.environ['V1_SEED'] == 'b' else 0)\n\
         os.makedirs('out')\njson.dump({'loss': [x, 2.0]}, open('out/m.json', 'w'), indent=time.time_ns() % 5 or None)\n\
         print(time.time_ns())\n",
    );
    bench.pair(&noise(4, "a"), &noise(4, "b"));
    let report = bench.json(&["--output", "out/*.json"], &["python3", "prog.py"]);
    assert_eq!(causes(&report), [["env.V1_SEED"]], "{report:#}");
    assert_eq!(report["magnitude"]["files"][0]["tensors"].as_array().unwrap().len(), 1);
    let words = report["causes"][0]["magnitude"].as_str().unwrap();
    assert!(words.contains("1 of 2 numbers differ"), "{words}");
    let out = bench.run(&["--output", "../x"], &["python3", "prog.py"]);
    assert_eq!(out.status.code(), Some(2));
    let out = bench.run(&["--output", "none.pt"], &["python3", "prog.py"]);
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn only_the_factors_that_are_asked_for() {
    let bench = Bench::with("echo $V1_SEED $V2_SEED\n");
    bench.pair(&noise(5, "a"), &noise(5, "b"));
    let report = bench.program(&["--factor", "env.V2*"]);
    assert_eq!(causes(&report), [["env.V2_SEED"]]);
    assert_eq!(bench.run(&["--factor", "nothing*"], &["sh", "prog.sh"]).status.code(), Some(2));
}

#[test]
fn a_plan_runs_nothing() {
    let bench = Bench::with("touch ran\n");
    bench.pair(&noise(5, "a"), &noise(5, "b"));
    let out = bench.run(&["--dry-run"], &["sh", "prog.sh"]);
    assert_eq!(out.status.code(), Some(0));
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.contains("env.V4_SEED") && text.contains("at most 40"), "{text}");
    assert!(!bench.cache().exists() && !bench.project().join("ran").exists());
}

#[test]
fn the_schema_is_current() {
    // Update with SNAPSHOTS=overwrite cargo test --test it bisect::search::the_schema_is_current
    let file = crate::common::root().join("docs/reference/bisect.schema.json");
    let text = snapbox::Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::assert_data_eq!(driftlock::render::json::text(&driftlock::render::schema::bisect()), text);
}
