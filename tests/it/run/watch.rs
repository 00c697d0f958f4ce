//! What is seen of the command's processes, and what is said where the system does not let us look.

use std::process::Command;

use super::{command, list, python, run, snapshot, text, venv, wait_for};
use crate::common::{driftlock, fact, folder};

/// Whether this machine lets us do that; says so where not.
fn allowed(words: &[&str]) -> bool {
    let done = Command::new(words[0]).args(&words[1..]).output();
    let allowed = done.is_ok_and(|out| out.status.success());
    if !allowed {
        eprintln!("skipped: `{}` is not allowed here", words.join(" "));
    }
    allowed
}

#[test]
fn the_environment_of_ranks_is_the_one_they_started_with() {
    let dir = folder();
    let launcher = r#"
import os, subprocess, sys
ranks = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"],
         env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": str(i), "IRRELEVANT": "x"}) for i in range(2)]
sys.exit(sum(rank.wait() for rank in ranks))
"#;
    let out =
        command(dir.path(), &[], &[python(), "-c", launcher]).env("OMP_NUM_THREADS", "8").output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let snapshot = snapshot(dir.path());
    assert_eq!(fact(&snapshot, "env.OMP_NUM_THREADS").and_then(toml::Value::as_str), Some("8"));
    assert_eq!(list(&snapshot, "run.environment.OMP_NUM_THREADS"), ["1"]);
    assert_eq!(list(&snapshot, "run.environment.CUDA_VISIBLE_DEVICES"), ["0", "1"]);
    assert_eq!(fact(&snapshot, "run.environment.IRRELEVANT"), None);
    assert_eq!(fact(&snapshot, "run.processes").and_then(toml::Value::as_integer), Some(3));
    // A variable taken away, and CPUs taken away.
    let words = [
        "taskset",
        "-c",
        "0",
        "env",
        "-u",
        "OMP_NUM_THREADS",
        python(),
        "-c",
        "import time; time.sleep(0.2)",
    ];
    let out = command(dir.path(), &[], &words).env("OMP_NUM_THREADS", "8").output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let snapshot = super::snapshot(dir.path());
    assert_eq!(list(&snapshot, "run.environment.OMP_NUM_THREADS"), ["(unset)"]);
    if std::thread::available_parallelism().is_ok_and(|n| n.get() > 1) {
        assert_eq!(list(&snapshot, "run.affinity"), ["0"]);
    }
}

#[test]
fn torchrun_is_one_run_with_its_ranks_inside() {
    let Some(venv) = venv() else { return };
    let dir = folder();
    std::fs::write(dir.path().join("train.py"), "import torch, os\nprint(os.environ['OMP_NUM_THREADS'])")
        .unwrap();
    let torchrun = venv.join("bin/torchrun");
    let words = [torchrun.to_str().unwrap(), "--standalone", "--nproc-per-node", "2", "train.py"];
    let out = run(dir.path(), &[], &words);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stdout), "1\n1\n");
    let snapshot = snapshot(dir.path());
    assert_eq!(list(&snapshot, "run.environment.OMP_NUM_THREADS"), ["1"]);
    assert_eq!(fact(&snapshot, "run.script").and_then(toml::Value::as_str), Some("{project}/train.py"));
    assert_eq!(fact(&snapshot, "python.found_by").and_then(toml::Value::as_str), Some("command"));
    assert!(fact(&snapshot, "run.processes").and_then(toml::Value::as_integer) >= Some(3));
}

#[test]
fn the_commands_python_is_the_one_that_is_captured() {
    let Some(venv) = venv() else { return };
    let dir = folder();
    let python = venv.join("bin/python");
    let python = python.to_str().unwrap();
    for words in
        [vec![python, "-c", "0"], vec!["env", "A=1", python, "-c", "0"], vec!["nice", python, "-Ec", "0"]]
    {
        let out = run(dir.path(), &[], &words);
        assert!(out.status.success(), "{}", text(&out.stderr));
        let snapshot = snapshot(dir.path());
        assert_eq!(
            fact(&snapshot, "python.executable").and_then(toml::Value::as_str),
            Some(python),
            "{words:?}"
        );
        assert!(fact(&snapshot, "torch.version").is_some());
    }
}

#[test]
fn daemons_run_on_and_are_counted() {
    let dir = folder();
    let daemon = r#"
import os, sys, time
if os.fork() == 0:
    os.setsid()
    time.sleep(0.1)
    if os.fork() == 0:
        for fd in range(3): os.close(fd)
        time.sleep(2)
        open("daemon", "w").write(str(os.getppid()))
        os._exit(0)
    os._exit(0)
os.wait()
time.sleep(0.3)
sys.exit(3)
"#;
    let out = run(dir.path(), &[], &[python(), "-c", daemon]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    let daemon = dir.path().join("daemon");
    assert!(!daemon.exists(), "the end of the command is not that of its daemons");
    let snapshot = snapshot(dir.path());
    assert_eq!(fact(&snapshot, "run.left_behind").and_then(toml::Value::as_integer), Some(1));
    assert_eq!(fact(&snapshot, "run.processes").and_then(toml::Value::as_integer), Some(3));
    wait_for("the daemon's work", || std::fs::read_to_string(&daemon).is_ok_and(|text| !text.is_empty()));
}

#[test]
fn helpers_add_nothing_that_is_compared() {
    let dir = folder();
    let out = run(
        dir.path(),
        &[],
        &["sh", "-c", &format!("bash -c 'sleep 0.3; true'; {} -c 'import time; time.sleep(0.2)'", python())],
    );
    assert!(out.status.success(), "{}", text(&out.stderr));
    let snapshot = snapshot(dir.path());
    let helpers = list(&snapshot, "run.helpers");
    assert!(
        helpers.iter().any(|path| path.ends_with("/bash"))
            && helpers.iter().any(|path| path.ends_with("/sleep")),
        "{helpers:?}"
    );
    assert_eq!(fact(&snapshot, "run.libraries.libtinfo"), None, "bash's own library");
    assert!(fact(&snapshot, "run.libraries.libc").is_some());
}

#[test]
fn other_namespaces_are_followed() {
    let dir = folder();
    let unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    if !allowed(&[&unshare[..], &["true"]].concat()) {
        return;
    }
    let words =
        [&unshare[..], &[python(), "-c", "import ctypes, time, os; time.sleep(0.3); print(os.getpid())"]]
            .concat();
    let out = run(dir.path(), &[], &words);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stdout), "1\n");
    let extensions = list(&snapshot(dir.path()), "run.extensions");
    assert!(extensions.iter().any(|path| path.contains("_ctypes")), "{extensions:?}");
}

#[test]
fn without_proc_the_command_runs_and_the_snapshot_says_so() {
    let dir = folder();
    if !allowed(&["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/proc"])
    {
        return;
    }
    let line = "mount -t tmpfs none /proc && exec \"$@\"";
    let bare = command(dir.path(), &[], &[python(), "-c", "import sys; sys.exit(6)"]);
    let mut hidden = Command::new("unshare");
    hidden
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", line, "sh"])
        .arg(bare.get_program())
        .args(bare.get_args());
    hidden.current_dir(&dir);
    let out = hidden.output().unwrap();
    assert_eq!(out.status.code(), Some(6), "{}", text(&out.stderr));
    let snapshot = snapshot(dir.path());
    assert_eq!(list(&snapshot, "run.degraded"), ["/proc does not show the command's processes"]);
    assert_eq!(fact(&snapshot, "run.exit_code"), Some(&6.into()));
    let unknown = snapshot["unknown"].as_table().unwrap();
    let run = unknown.get("run").and_then(toml::Value::as_table);
    let named = run.is_some_and(|run| run.contains_key("libraries")) || unknown.contains_key("run.libraries");
    assert!(named, "what was not seen is unknown, not absent: {unknown:?}");
}

/// Refuses ptrace(2) as Docker's default seccomp profile does on older kernels, then starts the rest of the line.
const NO_PTRACE: &str = r#"
import ctypes, os, struct, sys
nr = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
ops = [(0x20, 0, 0, 0), (0x15, 0, 1, nr), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("HBBI", *op) for op in ops)
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(ops), ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn without_ptrace_the_snapshot_says_so() {
    let dir = folder();
    let words = [python(), "-c", "import time, decimal; time.sleep(0.3)"];
    let bare = command(dir.path(), &[], &words);
    let mut filtered = Command::new(python());
    filtered.args(["-c", NO_PTRACE]).arg(bare.get_program()).args(bare.get_args()).current_dir(&dir);
    let out = filtered.output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(list(&snapshot(dir.path()), "run.degraded"), ["cannot trace: operation not permitted"]);
    assert!(fact(&snapshot(dir.path()), "run.libraries.libc").is_some());

    let out =
        command(dir.path(), &["--no-ptrace"], &[python(), "-c", "print(open('/proc/self/status').read())"])
            .output();
    assert!(text(&out.unwrap().stdout).contains("TracerPid:\t0\n"));
    assert_eq!(list(&snapshot(dir.path()), "run.degraded"), ["not traced (--no-ptrace)"]);
}

#[test]
fn a_debugger_in_the_command_keeps_its_process() {
    let dir = folder();
    if !allowed(&["strace", "-o", "/dev/null", "true"]) {
        return;
    }
    let out = run(dir.path(), &[], &["strace", "-f", "-o", "trace", python(), "-c", "print(1)"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(std::fs::read_to_string(dir.path().join("trace")).unwrap().contains("exited with 0"));
}

#[test]
fn a_flood_of_signals_ends_the_tracing_and_nothing_else() {
    let dir = folder();
    let flood = r#"
import os, signal, time
seen = 0
def got(*_):
    global seen
    seen += 1
signal.signal(signal.SIGALRM, got)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
end = time.time() + 1
while time.time() < end: time.sleep(0.01)
signal.setitimer(signal.ITIMER_REAL, 0)
print([line for line in open("/proc/self/status") if line.startswith("TracerPid")], seen > 200)
"#;
    let out = run(dir.path(), &[], &[python(), "-c", flood]);
    assert_eq!(text(&out.stdout), "['TracerPid:\\t0\\n'] True\n", "{}", text(&out.stderr));
}

#[test]
fn the_snapshot_of_a_run_fits_the_schema_and_verifies() {
    let dir = folder();
    let args = ["--env-all", "--output", "none"];
    run(dir.path(), &args, &[python(), "-c", "import subprocess; subprocess.run(['sleep', '0.1'], env={})"]);
    let validator = jsonschema::validator_for(&driftlock::render::schema::snapshot()).expect("a schema");
    let instance = serde_json::to_value(snapshot(dir.path())).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&instance).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let out = driftlock().args(["verify", "run.lock"]).current_dir(&dir).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stdout));
}
