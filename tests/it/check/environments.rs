//! Several machines, a lock each.

use std::path::Path;

use serde_json::json;

use super::{Project, rules};
use crate::common::root;

/// Recorded machines stand for the laptop, the cluster and so on.
fn project(machines: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    let mut policy = String::from("[profile.strict]\nfail-on = \"rounding\"\n");
    for (name, host) in machines {
        let lock = format!("locks/{name}.lock");
        project.write(&lock, &host_lock(host));
        let profile = if *name == "cluster" { "profile = \"strict\"\n" } else { "" };
        policy.push_str(&format!("[[environment]]\nname = \"{name}\"\nlock = \"{lock}\"\n{profile}"));
    }
    project.write("driftlock.toml", &policy);
    project
}

fn host_lock(host: &str) -> String {
    std::fs::read_to_string(root().join("fixtures/hosts").join(host).join("snapshot.lock")).unwrap()
}

fn against(host: &str) -> String {
    Path::new(&root()).join("fixtures/hosts").join(host).join("snapshot.lock").display().to_string()
}

#[test]
fn each_machine_finds_its_own() {
    let machines =
        [("laptop", "laptop"), ("cluster", "slurm-a100"), ("dgx", "dgx-h100"), ("arm", "grace-hopper")];
    let project = project(&machines);
    for (name, host) in machines {
        let (code, report) = project.report(&["--against", &against(host)]);
        assert_eq!((code, &report["environment"]["name"]), (0, &json!(name)), "{report:#}");
        assert!(report["environment"]["picked_by"].as_str().unwrap().contains("GPUs"), "{report:#}");
        let profile = report.get("profile").and_then(|p| p.as_str());
        assert_eq!(profile, (name == "cluster").then_some("strict"));
    }
    // One that nobody has declared is compared with the nearest, and fails by what differs.
    let (code, report) = project.report(&["--against", &against("a100-mig")]);
    assert_eq!(code, 1, "{report:#}");
    // By name, whatever fits.
    let (code, report) = project.report(&["--environment", "dgx", "--against", &against("laptop")]);
    assert_eq!((code, &report["environment"]), (1, &json!({ "name": "dgx" })));
    let (code, _, messages) = project.check(&["--environment", "cu"]);
    assert_eq!(code, 2);
    assert!(messages.contains("it has laptop, cluster, dgx, arm"), "{messages}");
}

#[test]
fn two_that_fit_alike_are_told_apart_by_name() {
    let project = project(&[("a", "dgx-h100"), ("b", "dgx-h100"), ("c", "laptop")]);
    let (code, _, messages) = project.check(&["--against", &against("dgx-h100")]);
    assert_eq!(code, 2);
    assert!(messages.contains("a, b") && messages.contains("--environment"), "{messages}");
    assert_eq!(project.check(&["--environment", "b", "--against", &against("dgx-h100")]).0, 0);
}

#[test]
fn init_adds_one_for_this_machine() {
    let project = Project::new();
    let policy = project.read("driftlock.toml");
    for name in ["here", "there"] {
        let (code, _, messages) = project.run(&["init", "--environment", name]);
        assert_eq!(code, 0, "{messages}");
    }
    let text = project.read("driftlock.toml");
    assert!(text.starts_with(&policy) && text.matches("[[environment]]").count() == 2, "{text}");
    assert!(project.file("locks/here.lock").exists() && !project.file("driftlock.lock").exists());
    // Both locks are of this machine: neither fits better.
    let (code, _, messages) = project.check(&[]);
    assert_eq!(code, 2, "{messages}");
    let (code, report) = project.report(&["--environment", "there"]);
    assert_eq!((code, rules(&report, "deny").len()), (0, 0));
    let (code, _, messages) = project.run(&["init", "--environment", "here"]);
    assert_eq!(code, 2, "{messages}");
    let (code, _, _) = project.run(&["init", "--environment", "here", "--renew"]);
    assert_eq!((code, project.read("driftlock.toml")), (0, text));
    assert_eq!(project.run(&["init", "--environment", "../x"]).0, 2);
}
