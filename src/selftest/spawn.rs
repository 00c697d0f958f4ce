//! One engine process: started with a request, watched line by line to its end or its limit.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::engine::Start;
use super::fault::Fault;
use super::protocol::{Line, Measured, Request};
use serde_json::{Map, Value as Json};

/// The longest line of an answer. The longest that an engine writes is some 20 KiB.
const LINE_LIMIT: u64 = 4 << 20;
/// How much of standard error is kept: the end of it.
const STDERR_LIMIT: usize = 8 << 10;

/// What a process answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// What it says of itself.
    pub described: Map<String, Json>,
    /// Its results in order.
    pub operations: Vec<Measured>,
    /// Why it ended early.
    pub fault: Option<Fault>,
    /// The end of standard error.
    pub stderr: String,
}

#[derive(Debug)]
enum Said {
    Line(String),
    Broken(String),
    End,
}

/// A process that was started. One whose request says `wait` loads its libraries meanwhile, and begins with
/// [`Started::answer`]. Dropped, it is ended.
#[derive(Debug)]
pub struct Started {
    request: Request,
    running: Result<Running, Fault>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    lines: mpsc::Receiver<Said>,
    errors: Option<JoinHandle<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group of a process that was waited for is gone, and its number may be another's.
        if matches!(self.child.try_wait(), Ok(None)) {
            finish(&mut self.child, Instant::now(), true);
        }
    }
}

/// Starts a process with a request.
pub fn start(start: &Start, request: Request) -> Started {
    let running = spawn(start, &request).map(|mut child| {
        let (send, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || read(stdout, &send));
        }
        let errors = child.stderr.take().map(|stderr| thread::spawn(move || tail(stderr)));
        Running { child, lines, errors }
    });
    Started { request, running }
}

impl Started {
    /// Reads the answer to the request. `progress` is called with the id of each operation that begins.
    pub fn answer(self, limit: Duration, progress: impl FnMut(&str)) -> Answer {
        match self.running {
            Ok(running) => answer(running, &self.request, limit, progress),
            Err(fault) => Answer { fault: Some(fault), ..Answer::default() },
        }
    }
}

fn answer(
    mut running: Running,
    request: &Request,
    limit: Duration,
    mut progress: impl FnMut(&str),
) -> Answer {
    let mut answer = Answer::default();
    let Running { child, lines, errors } = &mut running;
    if let Some(mut stdin) = child.stdin.take() {
        // One that died on the way is known by its end.
        let _gone = stdin.write_all(b"\n");
    }
    let deadline = Instant::now() + limit;
    let mut during = None;
    let mut done = false;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(Said::Line(text)) => match serde_json::from_str::<Line>(&text) {
                Ok(Line::Hello(described)) => match described.get("protocol").and_then(Json::as_u64) {
                    Some(1) => answer.described = described,
                    other => {
                        answer.fault = Some(Fault::Protocol(format!("version {other:?}")));
                        break;
                    }
                },
                Ok(Line::Start { id }) => {
                    progress(&id);
                    during = Some(id);
                }
                Ok(Line::Operation(measured)) => {
                    if !request.operations.iter().any(|asked| asked.id == measured.id) {
                        answer.fault =
                            Some(Fault::Protocol("an operation that was not asked for".to_owned()));
                        break;
                    }
                    during = None;
                    answer.operations.push(measured);
                }
                Ok(Line::Failed { kind, message }) => {
                    answer.fault = Some(match kind.as_str() {
                        "no-device" => Fault::NoDevice(message),
                        "flag" => Fault::Flag(message),
                        "abi" => {
                            Fault::WrongVersion { built: super::engine::TORCH.to_owned(), found: message }
                        }
                        _ => Fault::Protocol(message),
                    });
                    break;
                }
                Ok(Line::Done) => {
                    done = true;
                    break;
                }
                Err(_) => {
                    answer.fault = Some(Fault::Garbage(text.chars().take(60).collect()));
                    break;
                }
            },
            Ok(Said::Broken(text)) => {
                answer.fault = Some(Fault::Garbage(text));
                break;
            }
            Ok(Said::End) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                answer.fault = Some(Fault::TimedOut { seconds: limit.as_secs(), during: during.clone() });
                break;
            }
        }
    }
    let end = finish(child, deadline, answer.fault.is_some());
    answer.stderr = errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
    if answer.fault.is_none() && !done {
        let (status, signal) = end.unwrap_or((-1, None));
        answer.fault = Some(Fault::of_end(status, signal, &answer.stderr, during));
    }
    answer
}

fn spawn(start: &Start, request: &Request) -> Result<Child, Fault> {
    let not_started =
        |reason: String| Fault::NotStarted { program: start.program.display().to_string(), reason };
    let waits = request.wait;
    let request = serde_json::to_string(request).map_err(|e| not_started(e.to_string()))?;
    let mut command = Command::new(&start.program);
    command.args(&start.args).arg(request).envs(&start.env);
    command.stdin(if waits { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn().map_err(|e| not_started(e.to_string()))
}

/// Sends the lines of standard output, each at most [`LINE_LIMIT`] long.
fn read(stdout: ChildStdout, send: &mpsc::Sender<Said>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let said = match reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) => Said::End,
            Ok(n) if n as u64 >= LINE_LIMIT => Said::Broken("a line without end".to_owned()),
            Ok(_) => Said::Line(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Err(_) => Said::End,
        };
        let last = !matches!(said, Said::Line(_));
        if send.send(said).is_err() || last {
            return;
        }
    }
}

/// The end of standard error.
fn tail(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n) = stderr.read(&mut buffer) {
        if n == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..n]);
        if kept.len() > 4 * STDERR_LIMIT {
            kept.drain(..kept.len() - STDERR_LIMIT);
        }
    }
    String::from_utf8_lossy(&kept[kept.len().saturating_sub(STDERR_LIMIT)..]).into_owned()
}

/// Waits for the end; kills the process group where there is a fault already or the limit passes. The exit status and
/// the signal.
fn finish(child: &mut Child, deadline: Instant, kill: bool) -> Option<(i32, Option<i32>)> {
    if !kill {
        while Instant::now() < deadline {
            match child.try_wait() {
                Ok(Some(status)) => return Some((status.code().unwrap_or(-1), status.signal())),
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(_) => break,
            }
        }
    }
    if let Ok(pid) = i32::try_from(child.id()) {
        let _already_gone = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    child.wait().ok().map(|status| (status.code().unwrap_or(-1), status.signal()))
}

/// Where a program lies that stands beside ours, on `PATH`, or where a variable says.
pub fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(PathBuf::from(path));
    }
    let beside = std::env::current_exe().ok().map(|exe| exe.with_file_name(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside.into_iter().chain(std::env::split_paths(&path).map(|dir| dir.join(name))).find(|p| p.is_file())
}
