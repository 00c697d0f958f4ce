//! Every fault has its own message, exits with 2, and leaves a capture whole.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{selftest, text, venv, worker};
use crate::common::{TempDir, driftlock, fact, folder};

/// An environment whose torch has this version and these files in `lib`.
fn environment(version: &str) -> TempDir {
    let dir = folder();
    let site = dir.path().join("lib/python3.11/site-packages/torch/lib");
    fs::create_dir_all(&site).unwrap();
    fs::create_dir_all(dir.path().join("bin")).unwrap();
    fs::write(dir.path().join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n").unwrap();
    std::os::unix::fs::symlink("/bin/sh", dir.path().join("bin/python")).unwrap();
    let torch = site.parent().unwrap();
    fs::write(torch.join("__init__.py"), "").unwrap();
    fs::write(torch.join("version.py"), format!("__version__ = '{version}'\n")).unwrap();
    dir
}

/// A program in the worker's place.
fn program(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("worker");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What the self-test says with this program in the worker's place.
fn with(body: &str) -> Output {
    let dir = environment("2.11.0+cu130");
    let worker = program(dir.path(), body);
    let python = dir.path().to_str().unwrap().to_owned();
    selftest(&["--engine", "tch", "--python", &python, "--device", "cpu", "--timeout", "1"])
        .env("DRIFTLOCK_SELFTEST_WORKER", worker)
        .output()
        .unwrap()
}

#[track_caller]
fn says(out: &Output, words: &str) {
    let message = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{message}");
    assert!(message.contains(words), "{message}");
    assert!(message.contains("\nhint: "), "{message}");
}

#[test]
fn a_worker_that_misbehaves_is_told_apart() {
    says(&with("echo hello"), "answered with what is not the protocol: `hello`");
    says(&with("yes | tr -d '\\n'"), "a line without end");
    says(&with("sleep 30"), "took longer than 1 s, and was killed");
    says(&with("kill -9 $$"), "was killed by signal 9");
    says(&with("kill -11 $$"), "was killed by signal 11");
    says(&with("exit 3"), "ended with status 3");
    says(&with("echo 'std::bad_alloc' >&2; exit 1"), "out of memory");
    says(&with("echo 'x: symbol lookup error: x: undefined symbol: _ZN' >&2; exit 127"), "cannot be loaded");
    let hello = r#"echo '{"line":"hello","protocol":1}'; "#;
    let start = r#"echo '{"line":"start","id":"mm.f32_512"}'; "#;
    says(&with(&format!("{hello}{start}kill -6 $$")), "signal 6 during mm.f32_512");
    says(&with(&format!("{hello}{start}sleep 30")), "took longer than 1 s during mm.f32_512");
    says(&with(r#"echo '{"line":"hello","protocol":2}'"#), "another protocol");
    says(
        &with(r#"echo '{"line":"failed","kind":"no-device","message":"none"}'"#),
        "the device cannot be used: none",
    );
    says(&with(r#"echo '{"line":"operation","id":"rm","digest":"","runs":1}'"#), "that was not asked for");
}

/// A quick test in Python starts its second process while the first one loads. Where the first fails, none is left.
#[test]
fn a_process_that_waits_ends_with_the_test() {
    let dir = environment("2.11.0+cu130");
    let python = dir.path().join("bin/python");
    fs::remove_file(&python).unwrap();
    let waiting = dir.path().join("waiting");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*'\"wait\":true'*) echo $$ > {0}.new; mv {0}.new {0}; read line; sleep 60;;\n\
         *) while [ ! -e {0} ]; do sleep 0.05; done; echo hello;;\nesac\n",
        waiting.display()
    );
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let args = ["--quick", "--engine", "python", "--device", "cpu", "--python", dir.path().to_str().unwrap()];
    says(&selftest(&args).output().unwrap(), "answered with what is not the protocol: `hello`");
    let pid: i32 = fs::read_to_string(&waiting).unwrap().trim().parse().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} is still there");
}

#[test]
fn a_worker_that_is_missing_or_of_another_version_is_never_started() {
    let dir = environment("2.13.0");
    let python = dir.path().to_str().unwrap();
    let run = |worker: &Path| {
        selftest(&["--engine", "tch", "--python", python, "--device", "cpu"])
            .env("DRIFTLOCK_SELFTEST_WORKER", worker)
            .output()
            .unwrap()
    };
    let started = dir.path().join("started");
    let worker = program(dir.path(), &format!("touch {}", started.display()));
    says(&run(&worker), "built for torch 2.11, and the environment holds torch 2.13.0");
    assert!(!started.exists());
    says(&run(&dir.path().join("none")), "`driftlock-selftest` is not installed");
    let text_file = dir.path().join("text");
    fs::write(&text_file, "no program").unwrap();
    let matching = environment("2.11.0");
    let out =
        selftest(&["--engine", "tch", "--python", matching.path().to_str().unwrap(), "--device", "cpu"])
            .env("DRIFTLOCK_SELFTEST_WORKER", text_file)
            .output()
            .unwrap();
    says(&out, "could not start");
}

#[test]
fn a_library_that_is_not_there_is_named() {
    let Some(venv) = venv() else { return };
    let venv = venv.to_str().unwrap();
    let out = selftest(&["--library", "jax", "--python", venv]).output().unwrap();
    says(&out, "jax is not installed in the environment of");
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let Some(venv) = venv() else { return };
    if Path::new("/dev/nvidiactl").exists() {
        eprintln!("skipped: this machine has a GPU");
        return;
    }
    let venv = venv.to_str().unwrap();
    let args = ["--device", "cuda:0", "--python", venv, "--engine"];
    says(&selftest(&args).arg("python").output().unwrap(), "the device cannot be used");
    let Some(worker) = worker() else { return };
    let mut tch = selftest(&args);
    tch.arg("tch").env("DRIFTLOCK_SELFTEST_WORKER", worker);
    says(&tch.output().unwrap(), "the device cannot be used");
}

#[test]
fn a_libtorch_that_is_cut_off_is_named() {
    let Some(worker) = worker() else { return };
    let dir = environment("2.11.0+cu130");
    let lib = dir.path().join("lib/python3.11/site-packages/torch/lib/libtorch_cpu.so");
    fs::write(lib, b"\x7fELF\x02\x01\x01").unwrap();
    let out = selftest(&["--engine", "tch", "--python", dir.path().to_str().unwrap(), "--device", "cpu"])
        .env("DRIFTLOCK_SELFTEST_WORKER", worker)
        .output()
        .unwrap();
    says(&out, "libtorch_cpu.so: file too short");
}

#[test]
fn memory_that_runs_out_is_named_with_either_engine() {
    let Some(venv) = venv() else { return };
    let limited = |engine: &str, worker: Option<PathBuf>| {
        let mut command = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_driftlock");
        let venv = venv.display();
        command.args([
            "-c",
            &format!("ulimit -v 400000; exec {program} selftest --engine {engine} --python {venv} --device cpu --quick"),
        ]);
        if let Some(worker) = worker {
            command.env("DRIFTLOCK_SELFTEST_WORKER", worker);
        }
        command.output().unwrap()
    };
    says(&limited("python", None), "out of memory");
    if let Some(worker) = worker() {
        says(&limited("tch", Some(worker)), "out of memory");
    }
}

#[test]
fn a_capture_goes_on_without_its_self_test() {
    let dir = environment("2.11.0");
    let worker = program(dir.path(), "kill -9 $$");
    let out = driftlock()
        .args(["capture", "--selftest", "--python", dir.path().to_str().unwrap(), "-o", "-"])
        .env("DRIFTLOCK_SELFTEST_WORKER", worker)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let snapshot: toml::Table = text(&out.stdout).parse().unwrap();
    assert!(fact(&snapshot, "os.kernel").is_some() || snapshot.contains_key("os"));
    assert!(text(&out.stdout).contains("the self-test did not run: was killed by signal 9"));
}
