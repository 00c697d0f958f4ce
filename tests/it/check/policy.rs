//! The policy: exit codes, what each key does, and how errors in it are shown.

use serde_json::json;

use super::{Project, finding, rules};
use crate::common::root;

/// A project whose lock was written with these variables unset, and a policy with these lines.
fn project(policy: &str) -> Project {
    let project = Project::new();
    project.init();
    project.write("driftlock.toml", &format!("{policy}\n[capture]\nno-python = true\n"));
    project
}

/// Two container locks that differ in much: the facts are real ones, and nothing has to be captured.
fn containers(policy: &str) -> Project {
    let project = Project::empty();
    for release in ["26.02", "26.04"] {
        let name = format!("ngc-{release}.lock");
        std::fs::copy(root().join("fixtures/check").join(&name), project.file(&name)).unwrap();
    }
    project.write("driftlock.toml", &format!("lock = \"ngc-26.02.lock\"\n{policy}"));
    project
}

const AGAINST: [&str; 2] = ["--against", "ngc-26.04.lock"];

#[test]
fn exit_codes() {
    let mut project = project("");
    assert_eq!(project.check(&[]).0, 0);
    project.write("driftlock.toml", "[capture]\nno-python = true\n[require]\ngpu.count = 77\n");
    assert_eq!(project.check(&[]).0, 1);
    for args in [
        &["none.lock"][..],
        &["--policy", "none.toml"],
        &["--against", "none.lock"],
        &["--profile", "none"],
        &["--environment", "none"],
        &["--format", "none"],
        &["--no-such-flag"],
    ] {
        let (code, out, messages) = project.check(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(messages.starts_with("error: "), "{messages}");
    }
    project.set("OMP_NUM_THREADS", "1");
    std::fs::remove_file(project.file("driftlock.lock")).unwrap();
    let (code, _, messages) = project.check(&[]);
    assert_eq!(code, 2);
    assert!(messages.contains("`driftlock init` writes one"), "{messages}");
}

#[test]
fn without_a_policy_the_defaults_hold() {
    let project = containers("");
    std::fs::remove_file(project.file("driftlock.toml")).unwrap();
    let (code, report) = project.report(&["ngc-26.02.lock", "--against", "ngc-26.02.lock"]);
    assert_eq!((code, &report["policy"], &report["passed"]), (0, &json!(null), &json!(true)));
    let (code, report) = project.report(&[&["ngc-26.02.lock"][..], &AGAINST].concat());
    assert_eq!((code, &report["passed"]), (1, &json!(false)));
    // The nearest lock, from a folder of the project.
    project.write("driftlock.lock", &project.read("ngc-26.02.lock"));
    project.write("sub/deeper/x", "");
    let mut command = project.command(&["check", "--against", "../../ngc-26.04.lock", "--format", "json"]);
    let (code, out, messages) =
        super::outcome(&command.current_dir(project.file("sub/deeper")).output().unwrap());
    assert_eq!(code, 1, "{messages}");
    assert!(out.contains("\"path\": \"../../driftlock.lock\""), "{out}");
}

#[test]
fn fail_on_an_effect_or_a_verdict() {
    for (policy, denied) in [
        ("fail-on = \"code\"", &["image-decoders", "torchvision-version"][..]),
        ("fail-on = \"never\"", &[]),
        (
            "fail-on = \"algorithm\"\nconfidence = \"reported\"",
            &[
                "cublas-version",
                "cudnn-version",
                "torch-cuda-build",
                "torch-release-gpu",
                "torch-2-11-inverse",
                "container-image",
            ],
        ),
    ] {
        let project = containers(policy);
        let (code, report) = project.report(&AGAINST);
        let found = rules(&report, "deny");
        assert_eq!(code, i32::from(!denied.is_empty()), "{policy}: {found:?}");
        for rule in denied {
            assert!(found.iter().any(|r| r == rule), "{policy}: {rule} not in {found:?}");
        }
        assert_eq!(found.len(), denied.len(), "{policy}: {found:?}");
    }
}

#[test]
fn levels_of_facts_sections_and_rules() {
    // A rule; a fact by pattern; the closest pattern; a section; a benign fact by name.
    let project = containers(
        "fail-on = \"never\"\n[levels]\ncublas-version = \"deny\"\n\"cuda.libraries.*.build_id\" = \"allow\"\n\
         \"python.packages.**\" = \"deny\"\n\"python.packages.torchvision.**\" = \"allow\"\n",
    );
    let (code, report) = project.report(&AGAINST);
    assert_eq!(code, 1);
    let denied = rules(&report, "deny");
    assert!(denied.contains(&"cublas-version".to_owned()), "{denied:?}");
    let facts = |rule: &str| finding(&report, rule)["facts"].to_string();
    assert!(!facts("cublas-version").contains("build_id"), "{}", facts("cublas-version"));
    assert!(facts("transformer-engine-version").contains("python.packages.transformer-engine.version"));
    assert!(denied.contains(&"transformer-engine-version".to_owned()), "{denied:?}");
    let torchvision = finding(&report, "torchvision-version");
    assert_eq!(torchvision["level"], "warn", "the part of it that is no package");
    assert!(!torchvision["facts"].to_string().contains("python.packages"));

    // What no rule finds fault with fails where the policy asks for it, and not else.
    let kernel = "[levels]\n\"os.kernel\" = \"deny\"\n";
    for (policy, code) in [("fail-on = \"rounding\"\n", 0), (kernel, 1)] {
        let project = containers(policy);
        let lock = project.read("ngc-26.02.lock").replace("5.15.0-130-generic", "5.15.0-999-generic");
        project.write("kernel.lock", &lock);
        let (got, report) = project.report(&["--against", "kernel.lock"]);
        assert_eq!(got, code, "{report:#}");
        if code == 1 {
            let finding = finding(&report, "level");
            assert_eq!(finding["facts"][0]["fact"], "os.kernel");
            assert_eq!(finding["location"]["path"], "ngc-26.02.lock");
            assert!(finding["why"].as_str().unwrap().contains("driftlock.toml:3"), "{finding}");
        }
    }
}

#[test]
fn ranges_of_versions() {
    // In the range: neither the version nor what follows from it is drift.
    let project = containers("[versions]\ncublas = \">=13.2,<14\"\n");
    let (_, report) = project.report(&AGAINST);
    let all: Vec<String> = ["deny", "warn"].iter().flat_map(|level| rules(&report, level)).collect();
    assert!(!all.contains(&"cublas-version".to_owned()), "{all:?}");
    assert!(all.contains(&"cudnn-version".to_owned()), "{all:?}");
    // Outside: it fails at the policy's line, whatever the lock says.
    let project = containers("[versions]\ntorch = \"==2.11.*\"\ndriver = \">=550\"\nnumpy = \"==1.24.4\"\n");
    let (code, report) = project.report(&AGAINST);
    assert_eq!(code, 1);
    let denied = finding(&report, "version");
    assert_eq!(denied["facts"][0]["fact"], "torch.version");
    assert_eq!(denied["facts"][0]["expected"], "==2.11.*");
    assert_eq!(denied["location"], json!({ "path": "driftlock.toml", "line": 3 }));
    assert_eq!(rules(&report, "deny").iter().filter(|r| *r == "version").count(), 1);
    let project = containers("[versions]\nno-such-package = \">=1\"\n");
    let (code, report) = project.report(&["--against", "ngc-26.02.lock"]);
    assert_eq!((code, rules(&report, "deny")), (1, vec!["version".to_owned()]));
}

#[test]
fn requirements() {
    let policy = "[require]\ngpu.count = 1\n\"gpu.*.name\" = \"NVIDIA H100*\"\ncpu.logical_cpus = { min = 8, max = 64 }\n\
                  env.CUDA_LAUNCH_BLOCKING = { absent = true }\nenv.PATH = { present = true }\n\
                  os.libc = [\"musl\", \"glibc\"]\nenv.PYTORCH_BUILD_NUMBER = 0\n";
    let same = ["--against", "ngc-26.02.lock"];
    let project = containers(policy);
    let (code, report) = project.report(&same);
    assert_eq!(code, 0, "{report:#}");
    for (from, to) in [
        ("gpu.count = 1", "gpu.count = 8"),
        ("H100*", "A100*"),
        ("min = 8", "min = 32"),
        ("max = 64", "max = 8"),
        ("env.CUDA_LAUNCH_BLOCKING = { absent = true }", "env.CUDA_LAUNCH_BLOCKING = { present = true }"),
        ("env.PATH = { present = true }", "env.PATH = { absent = true }"),
        ("\"glibc\"", "\"uclibc\""),
        ("BUILD_NUMBER = 0", "BUILD_NUMBER = 1"),
    ] {
        assert!(policy.contains(from), "{from}");
        let project = containers(&policy.replace(from, to));
        let (code, report) = project.report(&same);
        assert_eq!((code, rules(&report, "deny")), (1, vec!["require".to_owned()]), "{to}");
        let finding = finding(&report, "require");
        assert_eq!(finding["location"]["path"], "driftlock.toml");
    }
}

#[test]
fn git_is_no_drift_unless_required() {
    let project = project("");
    project.commit();
    project.write("train.py", "print(2)\n");
    assert_eq!(project.check(&[]).0, 0);
    project.commit();
    let (code, report) = project.report(&[]);
    assert_eq!((code, rules(&report, "warn").len()), (0, 0), "{report:#}");
    let policy = project.read("driftlock.toml");
    project.write("driftlock.toml", &format!("{policy}[require]\ngit.dirty = false\n"));
    project.commit();
    assert_eq!(project.check(&[]).0, 0);
    project.write("train.py", "print(3)\n");
    let (code, report) = project.report(&[]);
    assert_eq!((code, rules(&report, "deny")), (1, vec!["require".to_owned()]));
    assert_eq!(finding(&report, "require")["facts"][0]["found"], "yes");
}

#[test]
fn tolerances() {
    for (policy, code) in [
        ("[levels]\n\"memory.total\" = \"deny\"\n", 1),
        ("[levels]\n\"memory.total\" = \"deny\"\n[tolerance]\n\"memory.*\" = \"5%\"\n", 0),
        ("[levels]\n\"memory.total\" = \"deny\"\n[tolerance]\n\"memory.*\" = \"1%\"\n", 1),
        ("[levels]\n\"memory.total\" = \"deny\"\n[tolerance]\n\"memory.total\" = \"8 GiB\"\n", 0),
        ("[levels]\n\"memory.total\" = \"deny\"\n[tolerance]\n\"memory.total\" = 1000\n", 1),
    ] {
        let project = containers(policy);
        // About 2 % less.
        let lock = project.read("ngc-26.02.lock").replace("total = 211258703872", "total = 207000000000");
        project.write("less.lock", &lock);
        assert_eq!(project.check(&["--against", "less.lock"]).0, code, "{policy}");
    }
}

#[test]
fn profiles_lie_over_the_rest() {
    let policy = "fail-on = \"never\"\n[profile.ci]\nfail-on = \"algorithm\"\n[profile.ci.levels]\ncudnn-version = \"allow\"\n\
                  [profile.cluster.require]\ngpu.count = 8\n";
    let project = containers(policy);
    assert_eq!(project.check(&AGAINST).0, 0);
    let (code, report) = project.report(&[&AGAINST[..], &["--profile", "ci"]].concat());
    assert_eq!((code, &report["profile"]), (1, &json!("ci")));
    assert!(!rules(&report, "deny").contains(&"cudnn-version".to_owned()));
    let (code, report) = project.report(&[&AGAINST[..], &["--profile", "cluster"]].concat());
    assert_eq!((code, rules(&report, "deny")), (1, vec!["require".to_owned()]));
    let (code, _, messages) = project.check(&["--profile", "cu"]);
    assert_eq!(code, 2);
    assert!(messages.contains("it has ci, cluster"), "{messages}");
}

#[test]
fn ignores_with_reason_and_expiry() {
    // The tests' clock stands at 2023-11-14.
    let ignore = |until: &str| {
        format!(
            "fail-on = \"algorithm\"\nconfidence = \"documented\"\n[[ignore]]\nrule = \"cudnn-version\"\nreason = \"a reason\"\n{until}\n"
        )
    };
    let (_, before) = containers("fail-on = \"algorithm\"\nconfidence = \"documented\"\n").report(&AGAINST);
    let denied = rules(&before, "deny");
    assert!(denied.contains(&"cudnn-version".to_owned()));
    for until in ["", "until = 2023-11-14"] {
        let (_, report) = containers(&ignore(until)).report(&AGAINST);
        assert!(!rules(&report, "deny").contains(&"cudnn-version".to_owned()), "{until}");
        assert_eq!(report["ignored"][0]["reason"], "a reason");
        assert!(!rules(&report, "warn").iter().any(|r| r.starts_with("ignore")), "{report:#}");
    }
    // Over: what it let pass is back, and it is said why.
    let (_, report) = containers(&ignore("until = 2023-11-13")).report(&AGAINST);
    assert_eq!(rules(&report, "deny"), denied);
    assert_eq!(finding(&report, "ignore-expired")["location"]["line"], 4);
    // Nothing needs it.
    let (code, report) = containers(&ignore("")).report(&["--against", "ngc-26.02.lock"]);
    assert_eq!((code, rules(&report, "warn")), (0, vec!["ignore-unmatched".to_owned()]));
    // Facts of a finding one by one.
    let part = "fail-on = \"algorithm\"\n[[ignore]]\nfact = \"cuda.libraries.cublas.**\"\nreason = \"r\"\n";
    let (_, report) = containers(part).report(&AGAINST);
    let facts = finding(&report, "cublas-version")["facts"].to_string();
    assert!(facts.contains("cublasLt.version") && !facts.contains("cublas.version"), "{facts}");
}

#[test]
fn write_ignores_makes_the_gate_pass_until_something_else_comes() {
    let project = containers("# kept\n");
    let (code, out, messages) = project.check(&[&AGAINST[..], &["--write-ignores"]].concat());
    assert_eq!(code, 0, "{out}{messages}");
    let policy = project.read("driftlock.toml");
    assert!(
        policy.contains("# kept") && policy.contains("[[ignore]]\nrule = \"cublas-version\""),
        "{policy}"
    );
    assert!(policy.contains("accepted on 2023-11-14"), "{policy}");
    let (code, report) = project.report(&AGAINST);
    assert_eq!(code, 0, "{report:#}");
    // A second time there is nothing to add.
    project.check(&[&AGAINST[..], &["--write-ignores"]].concat());
    assert_eq!(project.read("driftlock.toml"), policy);
    let lock = project.read("ngc-26.04.lock").replace("\nnumpy = ", "\nnumpy-x = ");
    let lock =
        lock.replace("OMP_X", "").replace("compute_capability = \"9.0\"", "compute_capability = \"10.0\"");
    project.write("other.lock", &lock.replace("NVIDIA H100 80GB HBM3", "NVIDIA B200"));
    assert_eq!(project.check(&["--against", "other.lock"]).0, 1);
}

#[test]
fn unknown_unclassified_and_hazards() {
    let edited = |from: &str, to: &str| {
        let project = containers("");
        let lock = project.read("ngc-26.02.lock");
        assert!(lock.contains(from), "{from}");
        project.write("other.lock", &lock.replace(from, to));
        project
    };
    let against = ["--against", "other.lock"];
    let with = |project: &Project, policy: &str| {
        project.write("driftlock.toml", &format!("lock = \"ngc-26.02.lock\"\n{policy}\n"));
        project.report(&against)
    };
    // A fact that could not be read and might matter.
    let project = edited("[unknown]\n", "[unknown]\n\"torch\" = \"not readable\"\n");
    let lock = project.read("other.lock");
    let torch = lock.find("\n[torch]").unwrap();
    let numpy = lock.find("\n[numpy]").unwrap();
    project.write("other.lock", &format!("{}{}", &lock[..torch], &lock[numpy..]));
    let (code, report) = with(&project, "");
    assert_eq!((code, finding(&report, "unknown")["level"].as_str()), (0, Some("warn")));
    assert_eq!(with(&project, "unknown = \"deny\"").0, 1);
    assert_eq!(with(&project, "fail-on = [\"precision\", \"unknown\"]").0, 1);
    assert_eq!(with(&project, "unknown = \"allow\"").0, 0);
    // A difference that no rule knows.
    let project = edited("[scipy]\neditable = false", "[scipy]\neditable = true");
    let (code, report) = with(&project, "");
    assert_eq!((code, finding(&report, "unclassified")["level"].as_str()), (0, Some("warn")), "{report:#}");
    assert_eq!(with(&project, "unclassified = \"deny\"").0, 1);
    let (_, report) = with(&project, "unclassified = \"allow\"");
    assert_eq!(rules(&report, "warn").len(), 0);
    // A hazard that the lock does not have: two versions of a driver at once.
    let project = edited("mismatch = false", "mismatch = true");
    let (code, report) = with(&project, "hazards = \"deny\"\nfail-on = \"never\"");
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(with(&project, "hazards = \"allow\"\nfail-on = \"never\"").0, 0);
}

#[test]
fn own_rules_fail_the_gate() {
    let rule = "[[rule]]\nid = \"our-home\"\ntitle = \"Another PyTorch home\"\non = \"diff\"\neffect = \"code\"\n\
                confidence = \"documented\"\nfacts = [\"env.PYTORCH_HOME\"]\nwhy = \"x\"\nremedy = \"y\"\n";
    let project = containers(rule);
    let lock = project.read("ngc-26.02.lock").replace("/opt/pytorch/pytorch", "/opt/other");
    project.write("other.lock", &lock);
    let (code, report) = project.report(&["--against", "other.lock"]);
    assert_eq!((code, rules(&report, "deny")), (1, vec!["our-home".to_owned()]));
    project.write(
        "driftlock.toml",
        &format!("lock = \"ngc-26.02.lock\"\n[levels]\nour-home = \"warn\"\n{rule}"),
    );
    assert_eq!(project.check(&["--against", "other.lock"]).0, 0);
}

#[test]
fn what_only_the_lock_was_asked_for_is_no_drift() {
    let mut project = project("");
    project.set("OUR_FLAG", "1");
    project.write("data/a", "1");
    project.write("conf.json", "{\"a\": 1}");
    let options =
        ["--no-python", "--env", "OUR_*", "--data", "data", "--config", "conf.json", "-o", "more.lock"];
    let (code, _, messages) = project.run(&[&["capture"][..], &options].concat());
    assert_eq!(code, 0, "{messages}");
    // What `--deep` and `--verify-packages` would have added.
    let more = "\n[python]\nedited = []\n\n[python.deep.torch]\ndefault_dtype = \"torch.float32\"\n\
                deterministic_algorithms = false\n\n[env]\n";
    project.write("more.lock", &project.read("more.lock").replacen("\n[env]\n", more, 1));
    project.unset("OUR_FLAG");
    project.write("driftlock.toml", "fail-on = \"rounding\"\n[capture]\nno-python = true\n");
    let (code, report) = project.report(&["more.lock"]);
    assert_eq!((code, rules(&report, "warn").len()), (0, 0), "{report:#}");
    let list = report["not_compared"].to_string();
    for name in
        ["--deep", "--verify-packages", "\"data\"", "\"config\"", "\"python\"", "env.OUR_FLAG (--env)"]
    {
        assert!(list.contains(name), "{name}: {list}");
    }
    // Asked for, it is compared.
    project.write(
        "driftlock.toml",
        "[capture]\nno-python = true\nenv = [\"OUR_*\"]\n[levels]\n\"env.OUR_FLAG\" = \"deny\"\n",
    );
    let (code, report) = project.report(&["more.lock"]);
    assert_eq!((code, rules(&report, "deny")), (1, vec!["level".to_owned()]));
}

#[test]
fn no_text_makes_it_panic() {
    use driftlock::gate::{read, template};
    let rules = driftlock::explain::Catalogue::built_in();
    let full = template::POLICY.replace("# ", "");
    let texts = [template::POLICY.to_owned(), full, "a = \"é\u{202e}".to_owned(), "\u{feff}x = 1".to_owned()];
    for text in texts {
        for cut in (0..=text.len()).filter(|i| text.is_char_boundary(*i)).step_by(7) {
            for end in ["", "\n", "\"", "= [", "{ x = 1979-05-27T07:32:00Z }", "é"] {
                let text = format!("{}{end}", &text[..cut]);
                if let Err(error) = read::policy(std::path::Path::new("p"), &text, &rules) {
                    assert!(error.excerpt.is_some(), "{error}");
                }
            }
        }
    }
}

#[test]
fn errors_point_at_the_line() {
    for (policy, place, words) in [
        ("fail-on = \"loud\"\n", ":1:11", "`loud` is neither an effect nor a verdict"),
        ("# x\nfail_on = \"code\"\n", ":2:1", "did you mean `fail-on`?"),
        ("confidence = 3\n", ":1:14", "not text"),
        ("unknown = \"no\"\n", ":1:11", "allow, warn or deny"),
        ("[levels]\n\"enw.X\" = \"deny\"\n", ":2:1", "no fact is called `enw.X`"),
        ("[levels]\nno-such-rule = \"deny\"\n", ":2:1", "no fact, section or rule"),
        ("[versions]\ntorch = \"2.11\"\n", ":2:9", "no range of versions"),
        ("[versions]\ntorch = 2\n", ":2:9", "not text"),
        ("[require]\ngpu.cuont = 8\n", ":2:5", "no fact is called `gpu.cuont`"),
        ("[require]\nenv.X = { absent = 1 }\n", ":2:20", "neither `true` nor `false`"),
        ("[tolerance]\n\"memory.*\" = \"a lot\"\n", ":2:14", "no tolerance"),
        ("[tolerance]\n\"memory.*\" = -1\n", ":2:14", "no tolerance"),
        ("[[ignore]]\nfact = \"env.X\"\n", ":1:1", "gives no reason"),
        ("[[ignore]]\nreason = \"r\"\n", ":1:1", "names neither a fact nor a rule"),
        ("[[ignore]]\nfact = \"env.X\"\nreason = \" \"\n", ":3:10", "the reason is empty"),
        ("[[ignore]]\nfact = \"env.X\"\nreason = \"r\"\nuntil = \"2027-01-31\"\n", ":4:9", "without quotes"),
        ("[ignore]\nfact = \"env.X\"\n", ":1:1", "write `[[ignore]]`"),
        ("[[environment]]\nname = \"a\"\n", ":1:1", "no `lock`"),
        ("[[environment]]\nname = \"a\"\nlock = \"l\"\nprofile = \"p\"\n", ":1:1", "no `[profile.p]`"),
        ("[profile.ci]\nlock = \"x\"\n", ":2:1", "unknown key `lock`"),
        ("[capture]\ntimeout = 0\n", ":2:11", "between 0 and 86400"),
        ("a = [\n", ":1:6", "unclosed"),
        ("[levels]\n\"env.\u{1b}[31mX\u{202e}\" = 3\n", ":2:", "invalid basic string"),
        ("[levels]\n\"enw.\\u001b[31mX\\u202e\" = 3\n", ":2:1", "no fact is called"),
    ] {
        let project = Project::new();
        project.write("driftlock.toml", policy);
        let (code, out, messages) = project.check(&[]);
        assert_eq!((code, out.as_str()), (2, ""), "{policy}: {messages}");
        assert!(messages.contains(&format!("driftlock.toml{place}")), "{policy}: {messages}");
        assert!(messages.contains(words), "{policy}: {messages}");
        assert!(messages.contains("^"), "{policy}: {messages}");
        assert!(!messages.contains('\u{1b}') && !messages.contains('\u{202e}'), "{messages:?}");
    }
}
