//! What other systems run: the steps of the GitHub Action under a stand-in for its runner, pre-commit itself, and the
//! commands of the recipes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use super::{Project, outcome};
use crate::common::{folder, root};

fn yaml(path: &str) -> Yaml {
    let text = fs::read_to_string(root().join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

/// A project with two locks, of which the second drifted. `driftlock` is on its PATH.
fn project() -> Project {
    let mut project = Project::empty();
    for (from, to) in [("ngc-26.02.lock", "driftlock.lock"), ("ngc-26.04.lock", "now.lock")] {
        fs::copy(root().join("fixtures/check").join(from), project.file(to)).unwrap();
    }
    project.write("driftlock.toml", "[profile.lax]\nfail-on = \"never\"\n");
    // Programs of the tests see the lock of the other container instead of this machine.
    let real = env!("CARGO_BIN_EXE_driftlock");
    project.write(
        "bin/driftlock",
        &format!(
            "#!/bin/bash\nif [ \"$1\" = check ] && [ -n \"${{DRIFTED:-}}\" ]; then shift; \
             exec {real} check --against \"$DRIFTED\" \"$@\"; fi\nexec {real} \"$@\"\n"
        ),
    );
    sh_ok(Command::new("chmod").arg("+x").arg(project.file("bin/driftlock")));
    let path = std::env::var("PATH").unwrap();
    let bin = project.file("bin").display().to_string();
    project.set("PATH", &format!("{bin}:{path}"));
    project
}

fn sh_ok(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Runs the `run:` steps of the action as the runner of GitHub does: `bash --noprofile --norc -e -o pipefail FILE`,
/// inputs and outputs filled in, `GITHUB_*` set. Returns the last code, the outputs, and what was printed.
struct Runner<'p> {
    project: &'p Project,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    uploaded: bool,
}

impl<'p> Runner<'p> {
    fn new(project: &'p Project, given: &[(&str, &str)]) -> Self {
        let action = yaml("action.yml");
        let declared = action["inputs"].as_hash().unwrap().iter();
        let mut inputs: BTreeMap<String, String> = declared
            .map(|(name, input)| {
                let default = input["default"].as_str().unwrap_or_default();
                (name.as_str().unwrap().to_owned(), default.to_owned())
            })
            .collect();
        for (name, value) in given {
            assert!(inputs.contains_key(*name), "the action has no input {name}");
            inputs.insert((*name).to_owned(), (*value).to_owned());
        }
        Self { project, inputs, outputs: BTreeMap::new(), uploaded: false }
    }

    /// `${{ … }}` filled in.
    fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap();
            let expression = expression.trim();
            out.push_str(before);
            let value = match expression.split('.').collect::<Vec<_>>().as_slice() {
                ["inputs", name] => self.inputs[*name].clone(),
                ["runner", "temp"] => self.project.file("temp").display().to_string(),
                ["github", "action_path"] => root().display().to_string(),
                ["steps", _, "outputs", name] => self.outputs.get(*name).cloned().unwrap_or_default(),
                other => panic!("the stand-in does not know {other:?}"),
            };
            out.push_str(&value);
            rest = after;
        }
        out + rest
    }

    fn run(&mut self) -> (i32, String) {
        fs::create_dir_all(self.project.file("temp")).unwrap();
        let mut printed = String::new();
        for step in yaml("action.yml")["runs"]["steps"].as_vec().unwrap() {
            let Some(script) = step["run"].as_str() else {
                let condition = step["if"].as_str().unwrap();
                assert!(
                    condition.contains("inputs.sarif == 'true'") && condition.contains("sarif-file != ''")
                );
                self.uploaded = self.inputs["sarif"] == "true" && self.outputs.contains_key("sarif-file");
                assert!(step["uses"].as_str().unwrap().starts_with("github/codeql-action/upload-sarif@"));
                continue;
            };
            assert!(!script.contains("${{"), "inputs come as variables");
            assert_eq!(step["shell"].as_str(), Some("bash"));
            self.project.write("temp/script.sh", script);
            let mut command = self.project.command(&[]);
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
                .arg(self.project.file("temp/script.sh"));
            bash.envs(command.get_envs().filter_map(|(n, v)| Some((n, v?))));
            for (name, _) in command.get_envs().filter(|(_, v)| v.is_none()) {
                bash.env_remove(name);
            }
            let folder = step["working-directory"].as_str().map(|d| self.fill(d)).unwrap_or_default();
            bash.current_dir(self.project.file(&folder));
            for (name, value) in step["env"].as_hash().into_iter().flatten() {
                bash.env(name.as_str().unwrap(), self.fill(value.as_str().unwrap()));
            }
            for name in ["GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"] {
                bash.env(name, self.project.file("temp").join(name));
            }
            let (code, out, messages) = outcome(&bash.output().unwrap());
            printed += &(out + &messages);
            let outputs = fs::read_to_string(self.project.file("temp/GITHUB_OUTPUT")).unwrap_or_default();
            for line in outputs.lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.outputs.insert(name.to_owned(), value.to_owned());
            }
            command.arg("unused");
            if code != 0 {
                return (code, printed);
            }
        }
        (0, printed)
    }
}

#[test]
fn the_action_annotates_summarises_and_fails_last() {
    let mut project = project();
    let now = project.file("now.lock").display().to_string();
    project.set("DRIFTED", &now);
    let mut runner = Runner::new(&project, &[("sarif", "true")]);
    let (code, printed) = runner.run();
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("::error file=driftlock.lock,line="), "{printed}");
    assert!(runner.uploaded, "the findings are uploaded before the step fails");
    assert_eq!(runner.outputs["passed"], "false");
    let sarif: serde_json::Value = serde_json::from_str(&project.read("temp/driftlock.sarif")).unwrap();
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
    let summary = project.read("temp/GITHUB_STEP_SUMMARY");
    assert!(summary.contains("### driftlock check: failed") && summary.contains("cuDNN"), "{summary}");

    // Inputs reach the command, whatever they hold.
    let mut runner = Runner::new(&project, &[("profile", "lax"), ("lock", "driftlock.lock")]);
    let (code, printed) = runner.run();
    assert_eq!((code, runner.outputs["passed"].as_str(), runner.uploaded), (0, "true", false), "{printed}");
    let mut runner = Runner::new(&project, &[("profile", "$(touch pwned); \"`touch pwned`")]);
    assert_eq!(runner.run().0, 2);
    assert!(!project.file("pwned").exists());
    let mut runner = Runner::new(&project, &[("lock", "--help")]);
    assert_eq!(runner.run().0, 2, "a lock is no option");
}

#[test]
fn the_action_passes_where_nothing_drifted() {
    let mut project = project();
    let lock = project.file("driftlock.lock").display().to_string();
    project.set("DRIFTED", &lock);
    let mut runner = Runner::new(&project, &[("sarif", "true")]);
    let (code, printed) = runner.run();
    assert_eq!((code, runner.outputs["passed"].as_str()), (0, "true"), "{printed}");
    assert!(!printed.contains("::error"), "{printed}");
}

/// Pre-commit, where it can be had: in the tests' environment, on PATH, or by uv.
fn pre_commit() -> Option<Vec<String>> {
    let venv = std::env::var_os("DRIFTLOCK_TEST_VENV").map(|venv| PathBuf::from(venv).join("bin/pre-commit"));
    let installed = venv.filter(|p| p.exists()).map(|p| vec![p.display().to_string()]);
    let on_path = || vec!["pre-commit".to_owned()];
    let uv = || {
        let uv = std::env::var("DRIFTLOCK_TEST_UV").ok()?;
        Some([&uv, "tool", "run", "--quiet", "pre-commit"].map(str::to_owned).to_vec())
    };
    let candidates = installed.into_iter().chain([on_path()]).chain(uv());
    let works = |command: &Vec<String>| {
        let out = Command::new(&command[0]).args(&command[1..]).arg("--version").output();
        out.is_ok_and(|out| out.status.success())
    };
    candidates.into_iter().find(works)
}

#[test]
fn pre_commit_runs_the_hook() {
    let Some(program) = pre_commit() else {
        eprintln!("SKIPPED: pre-commit is neither in the tests' environment nor to be had by uv");
        return;
    };
    let mut project = project();
    let home = folder();
    let run = |project: &Project, args: &[&str]| {
        let mut command = Command::new(&program[0]);
        let env = project.command(&[]);
        command.args(&program[1..]).args(args).current_dir(project.path());
        command.envs(env.get_envs().filter_map(|(n, v)| Some((n, v?)))).env("PRE_COMMIT_HOME", home.path());
        outcome(&command.output().unwrap())
    };
    let manifest = root().join(".pre-commit-hooks.yaml");
    let (code, out, messages) = run(&project, &["validate-manifest", manifest.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{messages}");
    // The hooks as a user gets them: from a repository at a revision. The one that is built from source would take
    // minutes and comes from the network; the other runs the driftlock on PATH.
    let hooks = folder();
    let source = Project::empty();
    fs::copy(&manifest, source.file(".pre-commit-hooks.yaml")).unwrap();
    source.commit();
    let revision = source.git(&["rev-parse", "HEAD"]);
    project.write(
        ".pre-commit-config.yaml",
        &format!(
            "repos:\n- repo: {}\n  rev: {}\n  hooks:\n  - id: driftlock-check-installed\n",
            source.path().display(),
            revision.trim()
        ),
    );
    project.commit();
    let lock = project.file("driftlock.lock").display().to_string();
    project.set("DRIFTED", &lock);
    let (code, out, messages) = run(&project, &["run", "--all-files"]);
    assert_eq!(code, 0, "{out}{messages}");
    assert!(out.contains("Passed"), "{out}");
    let now = project.file("now.lock").display().to_string();
    project.set("DRIFTED", &now);
    let (code, out, _) = run(&project, &["run", "--all-files"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("Failed") && out.contains("Another cuDNN is loaded"), "{out}");
    drop(hooks);
}

/// A line of a recipe in the project's shell.
fn shell(project: &Project, line: &str) -> (i32, String, String) {
    let env = project.command(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(project.path());
    command.envs(env.get_envs().filter_map(|(n, v)| Some((n, v?))));
    outcome(&command.output().unwrap())
}

#[test]
fn the_recipes_of_gitlab_and_jenkins_run() {
    let mut project = project();
    let now = project.file("now.lock").display().to_string();
    project.set("DRIFTED", &now);
    let gitlab = yaml("docs/guide/recipes/gitlab-ci.yml");
    let job = &gitlab["environment drift"];
    let lines: Vec<&str> = job["script"].as_vec().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    let codes: Vec<i32> = lines.iter().map(|line| shell(&project, line).0).collect();
    assert_eq!(codes, [0, 0, 1]);
    for (report, word) in [("codequality", "cudnn-version"), ("junit", "<failure")] {
        let file = job["artifacts"]["reports"][report].as_str().unwrap();
        assert!(project.read(file).contains(word), "{file}");
    }
    let jenkins = fs::read_to_string(root().join("docs/guide/recipes/Jenkinsfile")).unwrap();
    let lines = jenkins.lines().filter_map(|l| l.trim().strip_prefix("sh '")?.strip_suffix('\''));
    let codes: Vec<i32> = lines.map(|line| shell(&project, line).0).collect();
    assert_eq!(codes, [0, 1]);
    assert!(project.read("driftlock-junit.xml").contains("<failure"));
}

#[test]
fn the_prolog_fails_for_findings_alone() {
    let mut project = project();
    let script = root().join("docs/guide/recipes/slurm-prolog.sh");
    project.write("etc/keep", "");
    fs::copy(project.file("driftlock.lock"), project.file("etc/node.lock")).unwrap();
    let run = |project: &Project, folder: &Path| {
        let driftlock = project.file("bin/driftlock");
        let line = format!(
            "DRIFTLOCK={} DRIFTLOCK_FOLDER={} DRIFTLOCK_LOG={} bash {}",
            driftlock.display(),
            folder.display(),
            project.file("log").display(),
            script.display()
        );
        shell(project, &line).0
    };
    let etc = project.file("etc");
    let drifted = |project: &mut Project, name: &str| {
        let path = project.file(name).display().to_string();
        project.set("DRIFTED", &path);
    };
    drifted(&mut project, "driftlock.lock");
    assert_eq!(run(&project, &etc), 0);
    drifted(&mut project, "now.lock");
    assert_eq!(run(&project, &etc), 1);
    assert!(project.read("log").contains("Another cuDNN is loaded"));
    // A lock that is gone, or a folder, drains no node.
    fs::remove_file(etc.join("node.lock")).unwrap();
    assert_eq!(run(&project, &etc), 0);
    assert_eq!(run(&project, &project.file("none")), 0);
}

#[test]
fn kubernetes_and_docker_run_what_driftlock_has() {
    let mut project = project();
    let job = yaml("docs/guide/recipes/kubernetes.yaml");
    let pod = &job["spec"]["template"]["spec"];
    let check = &pod["initContainers"][0];
    let command: Vec<String> =
        check["command"].as_vec().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect();
    let here = project.path().display().to_string();
    let line = command.join(" ").replace("/driftlock/", &format!("{here}/"));
    for (file, code) in [("driftlock.lock", 0), ("now.lock", 1)] {
        let path = project.file(file).display().to_string();
        project.set("DRIFTED", &path);
        assert_eq!(shell(&project, &line).0, code, "{line}");
    }
    assert_eq!(check["resources"], pod["containers"][0]["resources"]);

    // The image's lock is written at build time and compared before the run.
    let dockerfile = fs::read_to_string(root().join("docs/guide/recipes/Dockerfile")).unwrap();
    let lock = project.file("image.lock").display().to_string();
    let capture = dockerfile.lines().find_map(|l| l.strip_prefix("RUN driftlock ")).unwrap();
    project.unset("DRIFTED");
    let (code, _, messages) =
        shell(&project, &format!("driftlock {}", capture.replace("/opt/image.lock", &lock)));
    assert_eq!(code, 0, "{messages}");
    let entry = dockerfile.lines().find_map(|l| l.strip_prefix("ENTRYPOINT ")).unwrap();
    let entry: Vec<String> = serde_json::from_str(entry).unwrap();
    let mut start = Command::new(&entry[0]);
    let env = project.command(&[]);
    start.arg(&entry[1]).arg(entry[2].replace("/opt/image.lock", &lock)).args(["echo", "it", "runs"]);
    start.current_dir(project.path()).envs(env.get_envs().filter_map(|(n, v)| Some((n, v?))));
    let (code, out, messages) = outcome(&start.output().unwrap());
    assert_eq!(code, 0, "{out}{messages}");
    assert!(out.ends_with("it runs\n"), "{out}");
}
