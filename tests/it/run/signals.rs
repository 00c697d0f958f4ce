//! Signals, job control and terminals: as without the wrapper.

use std::process::{Command, Stdio};

use super::{command, python, snapshot, text, wait_for};
use crate::common::{driftlock, fact, folder};

/// Says what it gets; ends on SIGUSR2. As a Python program it is traced, as a shell script it is not.
const PYTHON: &str = r#"
import os, signal, sys
counts = {}
# A handler may run within another one, where print() must not.
def say(text): os.write(1, text.encode() + b"\n")
def got(number, frame):
    counts[number] = counts.get(number, 0) + 1
    say("got " + signal.Signals(number).name)
    if number == signal.SIGUSR2:
        say(str(sorted(counts.items())))
        sys.exit(5)
for name in "INT TERM HUP QUIT USR1 USR2 WINCH CONT ALRM".split():
    signal.signal(getattr(signal, "SIG" + name), got)
say("ready " + str(os.getpid()))
while True: signal.pause()
"#;

/// Drives a command on a terminal of its own: words of `script` are `expect:TEXT`, `send:TEXT` (with `^C`, `^Z`),
/// `size:ROWSxCOLUMNS` and `end:CODE`.
const TERMINAL: &str = r#"
import fcntl, os, pty, select, struct, sys, termios, time
script, words = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.environ["PS1"] = "$ "
    os.execvp(words[0], words)
seen = ""
def read(limit):
    global seen
    if select.select([fd], [], [], limit)[0]:
        try: seen += os.read(fd, 65536).decode(errors="replace")
        except OSError: return False
    return True
for step in script:
    what, _, rest = step.partition(":")
    if what == "expect":
        until = time.time() + 60
        while rest not in seen:
            if time.time() > until or not read(0.1): sys.exit(f"no {rest!r} in {seen!r}")
        seen = seen.partition(rest)[2]
    elif what == "send": os.write(fd, rest.replace("^C", "\x03").replace("^Z", "\x1a").encode() + (b"" if "^" in rest else b"\n"))
    elif what == "size": fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", *map(int, rest.split("x")), 0, 0))
    elif what == "end":
        while read(0.1) and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None: pass
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != int(rest): sys.exit(f"ended with {status}: {seen!r}")
        print(seen)
"#;

fn on_a_terminal(dir: &std::path::Path, script: &str, words: &[&str]) {
    let mut scrubbed = driftlock();
    let mut command = Command::new(python());
    command.args(["-c", TERMINAL, script]).args(words).current_dir(dir);
    for (name, value) in scrubbed.current_dir(dir).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let out = command.output().expect("python3 runs");
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
}

/// A child process that says line by line what it gets.
struct Talking {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    inner: i32,
}

impl Talking {
    fn start(dir: &std::path::Path, words: &[&str]) -> Self {
        use std::io::BufRead as _;
        use std::os::unix::process::CommandExt as _;
        let mut child = command(dir, &[], words).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next().unwrap().unwrap();
        let inner = ready.strip_prefix("ready ").unwrap().parse().unwrap();
        Self { child, lines, inner }
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

fn kill(pid: i32, signal: &str) {
    let done = Command::new("kill").args([&format!("-{signal}"), "--", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

fn state(pid: i32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.trim().chars().next()).unwrap_or('-')
}

/// Waits until driftlock traces the command, or has looked often enough to have decided not to.
fn settled(talking: &Talking) {
    wait_for("the tracer", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", talking.inner)).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
    });
}

#[test]
fn signals_to_driftlock_alone_are_passed_on() {
    let dir = folder();
    std::fs::write(dir.path().join("p.py"), PYTHON).unwrap();
    let mut talking = Talking::start(dir.path(), &[python(), "p.py"]);
    settled(&talking);
    for name in ["USR1", "TERM", "INT", "HUP", "QUIT", "WINCH", "ALRM"] {
        kill(talking.pid(), name);
        assert_eq!(talking.next(), format!("got SIG{name}"));
    }
    kill(talking.pid(), "USR2");
    assert_eq!(talking.next(), "got SIGUSR2");
    assert_eq!(talking.next(), "[(1, 1), (2, 1), (3, 1), (10, 1), (12, 1), (14, 1), (15, 1), (28, 1)]");
    assert_eq!(talking.child.wait().unwrap().code(), Some(5));
}

#[test]
fn signals_to_the_group_arrive_once() {
    let dir = folder();
    std::fs::write(dir.path().join("p.py"), PYTHON).unwrap();
    let mut talking = Talking::start(dir.path(), &[python(), "p.py"]);
    settled(&talking);
    for name in ["TERM", "INT", "HUP"] {
        kill(-talking.pid(), name);
        assert_eq!(talking.next(), format!("got SIG{name}"));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    kill(talking.inner, "USR2");
    assert_eq!(talking.next(), "got SIGUSR2");
    assert_eq!(talking.next(), "[(1, 1), (2, 1), (12, 1), (15, 1)]");
    assert_eq!(talking.child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_shell_script_gets_its_signals() {
    let dir = folder();
    let script = "trap 'echo got TERM; exit 9' TERM; echo ready $$; while :; do sleep 0.05; done";
    let mut talking = Talking::start(dir.path(), &["sh", "-c", script]);
    kill(talking.pid(), "TERM");
    assert_eq!(talking.next(), "got TERM");
    assert_eq!(talking.child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_stopped_command_stays_stopped_and_goes_on() {
    let dir = folder();
    std::fs::write(dir.path().join("p.py"), PYTHON).unwrap();
    for to_group in [false, true] {
        let mut talking = Talking::start(dir.path(), &[python(), "p.py"]);
        settled(&talking);
        let target = if to_group { -talking.pid() } else { talking.inner };
        kill(target, "STOP");
        // Of a traced process `t` is said where `T` would be.
        wait_for("the stop", || matches!(state(talking.inner), 'T' | 't'));
        if to_group {
            wait_for("the stop of driftlock", || state(talking.pid()) == 'T');
        }
        kill(talking.inner, "USR1");
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(matches!(state(talking.inner), 'T' | 't'), "a pending signal does not wake it");
        kill(target, "CONT");
        let mut said = [talking.next(), talking.next()];
        said.sort();
        assert_eq!(said, ["got SIGCONT", "got SIGUSR1"]);
        kill(talking.pid(), "USR2");
        while talking.next() != "got SIGUSR2" {}
        assert_eq!(talking.child.wait().unwrap().code(), Some(5));
    }
}

#[test]
fn a_terminal_program_has_its_terminal() {
    let dir = folder();
    std::fs::write(dir.path().join("p.py"), PYTHON).unwrap();
    let driftlock = env!("CARGO_BIN_EXE_driftlock");
    let words = [driftlock, "run", "-o", "run.lock", "--", python(), "p.py"];
    let script =
        "expect:ready|send:^C|expect:got SIGINT|size:30x100|expect:got SIGWINCH|send:^C|expect:got SIGINT";
    // The shell's line discipline turns ^\ into SIGQUIT; USR2 comes from outside.
    let ask = format!("{} -c 'print(open(0).readline().upper())'", python());
    on_a_terminal(dir.path(), &format!("{script}|send:^C|expect:got SIGINT"), &words);
    let words = [driftlock, "run", "-o", "run.lock", "--", "sh", "-c", &ask];
    on_a_terminal(dir.path(), "send:hello|expect:HELLO|expect:wrote run.lock|end:0", &words);
    assert_eq!(fact(&snapshot(dir.path()), "run.exit_code"), Some(&0.into()));
}

#[test]
fn job_control_of_a_shell_works() {
    let dir = folder();
    let count = "import time\nprint('begin', flush=True)\nfor i in range(40): time.sleep(0.05)\nprint('done', flush=True)";
    std::fs::write(dir.path().join("count.py"), count).unwrap();
    let driftlock = env!("CARGO_BIN_EXE_driftlock");
    for program in [&format!("{} count.py", python()), "sh -c 'echo begin; sleep 2; echo done'"] {
        let line = format!("{driftlock} run -o run.lock -- {program}; echo code=$?");
        let script = format!(
            "expect:$ |send:{line}|expect:begin\r|send:^Z|expect:Stopped|send:jobs|expect:Stopped|send:fg|expect:done\r|send:exit|end:0"
        );
        on_a_terminal(dir.path(), &script, &["bash", "--norc", "--noprofile", "-i"]);
    }
}

#[test]
fn a_killed_watcher_leaves_the_command_and_a_partial_snapshot() {
    let dir = folder();
    for program in [
        &["sh", "-c", "echo ready $$; sleep 1; touch survived"][..],
        &[
            python(),
            "-c",
            "import os, time\nprint('ready', os.getpid(), flush=True)\ntime.sleep(1)\nopen('survived', 'w')",
        ],
    ] {
        let survived = dir.path().join("survived");
        let mut talking = Talking::start(dir.path(), program);
        if program[0] == python() {
            settled(&talking);
        }
        kill(talking.pid(), "KILL");
        talking.child.wait().unwrap();
        wait_for("the command to end its work", || survived.exists());
        std::fs::remove_file(&survived).unwrap();
        let snapshot = snapshot(dir.path());
        assert_eq!(fact(&snapshot, "run.complete"), Some(&false.into()));
        assert_eq!(snapshot["unknown"]["run"].as_str(), Some("the run was not watched to its end"));
        assert!(fact(&snapshot, "os.family").is_some() || fact(&snapshot, "os.name").is_some());
    }
}
