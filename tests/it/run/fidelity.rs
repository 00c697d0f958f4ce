//! What the command gets and gives is what it would without the wrapper.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{command, list, python, run, snapshot, text};
use crate::common::{fact, folder};

/// Prints everything that a process inherits.
const REPORT: &str = r#"
import os, sys
print(sys.argv, os.getcwd(), os.ttyname(0) if os.isatty(0) else "no terminal")
print(sorted(open("/proc/self/environ", "rb").read().split(b"\0")))
# Signals 32 and 33 are glibc's own: it ignores them in what posix_spawn(3) starts, which a program cannot see.
def own(line):
    name, _, value = line.partition(":")
    return name, hex(int(value, 16) & ~(3 << 31)) if name in ("SigIgn", "SigBlk", "SigCgt") else value
print([own(line) for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt", "Umask", "Seccomp"))])
print(sorted(fd for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)))
print(os.getpgid(0) == os.getpgid(os.getppid()), os.getsid(0) == os.getsid(os.getppid()), os.nice(0))
print(open("/proc/self/limits").read())
"#;

#[test]
fn exit_codes_are_the_commands() {
    let dir = folder();
    let cases: [(&[&str], i32); 6] = [
        (&["sh", "-c", "exit 7"], 7),
        (&["true"], 0),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "kill -SEGV $$"], 139),
        (&["sh", "-c", "exit 255"], 255),
    ];
    for (words, code) in cases {
        let out = run(dir.path(), &[], words);
        assert_eq!(out.status.code(), Some(code), "{words:?} {}", text(&out.stderr));
        assert_eq!(text(&out.stderr), "", "silent where it is no terminal");
        let snapshot = snapshot(dir.path());
        let signal = fact(&snapshot, "run.signal").and_then(toml::Value::as_str);
        match code {
            143 => assert_eq!(signal, Some("SIGTERM")),
            137 => assert_eq!(signal, Some("SIGKILL")),
            139 => assert_eq!(signal, Some("SIGSEGV")),
            code => {
                assert_eq!(fact(&snapshot, "run.exit_code"), Some(&i64::from(code).into()));
                assert_eq!(signal, None);
            }
        }
        assert_eq!(fact(&snapshot, "run.complete"), Some(&true.into()));
    }
}

#[test]
fn what_cannot_be_started_leaves_the_old_file() {
    let dir = folder();
    std::fs::write(dir.path().join("run.lock"), "old").unwrap();
    std::fs::write(dir.path().join("text"), "no program").unwrap();
    for (word, code, says) in [
        ("no-such-program-anywhere", 127, "not found"),
        ("./no/such", 127, "not found"),
        ("./text", 126, "not executable"),
    ] {
        let out = run(dir.path(), &[], &[word]);
        assert_eq!(out.status.code(), Some(code), "{word}");
        assert!(
            text(&out.stderr).contains(word) && text(&out.stderr).contains(says),
            "{}",
            text(&out.stderr)
        );
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("run.lock")).unwrap(), "old");
    for args in [&["--data", "no-such"][..], &["--python", "no-such"]] {
        let out = run(dir.path(), args, &["touch", "started"]);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
    }
    let out = command(dir.path(), &["-o", "no/such/folder/x.lock"], &["touch", "started"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(!dir.path().join("started").exists(), "nothing was started");
}

#[test]
fn everything_inherited_is_the_same() {
    let dir = folder();
    std::fs::write(dir.path().join("report.py"), REPORT).unwrap();
    // A blocked and an ignored signal, a closed standard input, an open descriptor, SIGPIPE ignored: all must come through.
    let harness = r#"
import os, signal, subprocess, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
if "pipe" not in sys.argv[1]: signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if "closed" in sys.argv[1]: os.close(0)
extra = os.open("/dev/null", os.O_RDONLY); os.dup2(extra, 9); os.close(extra)
os.nice(3)
os.execvp(sys.argv[2], sys.argv[2:])
"#;
    for case in ["plain", "closed", "pipe"] {
        let start = |words: &[&str]| {
            let mut command = Command::new(python());
            command
                .args(["-c", harness, case])
                .args(words)
                .current_dir(&dir)
                .env("ODD", "a\nb=c")
                .env("TZ", "UTC");
            command.env_remove("DRIFTLOCK_NOW").stdin(Stdio::null());
            let out = command.output().expect("python3 runs");
            assert!(out.status.success(), "{}", text(&out.stderr));
            text(&out.stdout)
        };
        let program = [python(), "report.py", "a b", "--x=*"];
        let bare = start(&program);
        let mut wrapped = vec![env!("CARGO_BIN_EXE_driftlock"), "run", "-o", "run.lock", "--"];
        wrapped.extend(program);
        assert_eq!(start(&wrapped), bare, "{case}");
    }
}

#[test]
fn standard_streams_pass_through() {
    let dir = folder();
    let mut child = command(dir.path(), &[], &["sh", "-c", "cat; echo to stderr >&2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut stdin = child.stdin.take().unwrap();
    let to_write = bytes.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&to_write).unwrap());
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(out.stdout == bytes, "every byte came through");
    assert_eq!(text(&out.stderr), "to stderr\n");
}

#[test]
fn secrets_of_the_command_line_stay_out() {
    let dir = folder();
    run(dir.path(), &[], &["true", "--api-key", "hunter2hunter2", "--token=hunter2hunter2", "--lr", "0.1"]);
    let written = std::fs::read_to_string(dir.path().join("run.lock")).unwrap();
    assert!(!written.contains("hunter2"));
    let command = list(&snapshot(dir.path()), "run.command");
    assert_eq!(command, ["true", "--api-key", "secret:redacted", "--token=secret:redacted", "--lr", "0.1"]);
}

#[test]
fn two_equal_runs_have_one_fingerprint() {
    let dir = folder();
    let fingerprint = || {
        let out = run(dir.path(), &[], &[python(), "-c", "import json, ctypes, decimal; print(1)"]);
        assert!(out.status.success());
        snapshot(dir.path())["fingerprint"].clone()
    };
    assert_eq!(fingerprint(), fingerprint());
}
