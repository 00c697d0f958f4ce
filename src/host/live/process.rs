//! Running a program with a time limit and an output cap.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::host::{Command, Output, RunError};

/// The most bytes kept of each of standard output and standard error.
const OUTPUT_LIMIT: u64 = 8 << 20;

/// Runs `command` in a process group of its own; past its limit the whole group is killed.
pub(super) fn run(command: &Command) -> Result<Output, RunError> {
    let program = command.program.clone();
    let failed =
        |reason: std::io::Error| RunError::Failed { program: program.clone(), reason: reason.to_string() };
    let mut child = std::process::Command::new(&command.program)
        .args(&command.args)
        .envs(&command.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => RunError::NotFound(program.clone()),
            _ => failed(e),
        })?;

    let (send, answers) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
        child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
    ];
    for (i, stream) in streams.into_iter().enumerate() {
        let send = send.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                // A stream that breaks off leaves what came before; dropping it past the cap ends the writer.
                let _partial = stream.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
            }
            let _gone = send.send((i, bytes));
        });
    }

    let deadline = Instant::now() + Duration::from_millis(command.limit_ms);
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        match answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((i, bytes)) => texts[i] = String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => return Err(kill(&mut child, command)),
        }
    }
    // The streams are closed, so the end is near; a program that closed them and runs on is waited for in steps.
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            let code = status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(-1);
            let [stdout, stderr] = texts;
            return Ok(Output { status: code, stdout, stderr });
        }
        if Instant::now() >= deadline {
            return Err(kill(&mut child, command));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill(child: &mut Child, command: &Command) -> RunError {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _already_gone = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _reaped = child.wait();
    RunError::TimedOut { program: command.program.clone(), limit_ms: command.limit_ms }
}
