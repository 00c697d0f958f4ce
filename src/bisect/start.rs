//! Starts a process in a group of its own, waits for it, and leaves none of its descendants behind.
#![expect(unsafe_code, reason = "what a child does between fork and exec, and prctl(2)")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::stop;
use crate::error::reason;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It ran past the limit, in seconds, and was killed.
    TimedOut(u64),
    /// It could not be started: why.
    NotStarted(String),
}

impl End {
    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Code(0) => "ended well".to_owned(),
            Self::Code(code) => format!("exit code {code}"),
            Self::Signal(signal) => match Signal::try_from(*signal) {
                Ok(signal) => format!("killed by {}", signal.as_str()),
                Err(_) => format!("killed by signal {signal}"),
            },
            Self::TimedOut(seconds) => format!("took longer than {seconds} s"),
            Self::NotStarted(why) => format!("could not be started: {why}"),
        }
    }
}

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct What {
    /// The words.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The CPUs, where they are to be set.
    pub cpus: Option<Vec<u32>>,
    /// Where standard output goes.
    pub stdout: PathBuf,
    /// Where standard error goes.
    pub stderr: PathBuf,
    /// The longest that it may take.
    pub limit: Option<Duration>,
}

/// Runs it to its end; `Err` holds the signal that stopped driftlock meanwhile, or why a file could not be made.
pub fn run(what: &What) -> Result<End, Result<i32, io::Error>> {
    let Some((first, rest)) = what.argv.split_first() else {
        return Ok(End::NotStarted("no command".to_owned()));
    };
    let mut command = Command::new(first);
    command.args(rest).env_clear().envs(&what.env).current_dir(&what.cwd).stdin(Stdio::null());
    command.stdout(File::create(&what.stdout).map_err(Err)?);
    command.stderr(File::create(&what.stderr).map_err(Err)?);
    let bind = affinity(what.cpus.as_deref());
    command.process_group(0);
    // SAFETY: two system calls with plain arguments, which may be made between fork and exec (signal-safety(7));
    // nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            // Where driftlock is killed, the command goes with it (prctl(2), PR_SET_PDEATHSIG).
            #[cfg(target_os = "linux")]
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            bind()?;
            Ok(())
        });
    }
    adopt();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return Ok(End::NotStarted(reason(&e))),
    };
    let deadline = what.limit.map(|limit| Instant::now() + limit);
    let waited = wait(&mut child, deadline);
    finish(&mut child, what.env.get(OsStr::new(MARK)).and_then(|mark| mark.to_str()));
    match waited {
        Waited::Ended(status) => Ok(match status.signal() {
            Some(signal) => End::Signal(signal),
            None => End::Code(status.code().unwrap_or(-1)),
        }),
        Waited::Late => Ok(End::TimedOut(what.limit.unwrap_or_default().as_secs())),
        Waited::Stopped(signal) => Err(Ok(signal)),
    }
}

/// What the child does to run on these CPUs alone.
#[cfg(target_os = "linux")]
fn affinity(cpus: Option<&[u32]>) -> impl Fn() -> io::Result<()> + Send + Sync + 'static {
    let set = cpus.map(|list| {
        let mut set = nix::sched::CpuSet::new();
        for cpu in list {
            let _beyond_the_mask = set.set(*cpu as usize);
        }
        set
    });
    move || match &set {
        Some(set) => nix::sched::sched_setaffinity(Pid::from_raw(0), set).map_err(io::Error::from),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn affinity(cpus: Option<&[u32]>) -> impl Fn() -> io::Result<()> + Send + Sync + 'static {
    let asked = cpus.is_some();
    move || if asked { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}

enum Waited {
    Ended(ExitStatus),
    Late,
    Stopped(i32),
}

fn wait(child: &mut Child, deadline: Option<Instant>) -> Waited {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Waited::Ended(status),
            Ok(None) => {}
            // Somebody else took its end: as if it had been killed.
            Err(_) => return Waited::Ended(ExitStatus::from_raw(libc::SIGKILL)),
        }
        if let Some(signal) = stop::arrived() {
            return Waited::Stopped(signal);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Waited::Late;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends what is left of the group: a process that the command left in the background, too.
fn finish(child: &mut Child, mark: Option<&str>) {
    let Ok(pid) = i32::try_from(child.id()) else { return };
    let mut left = descendants(pid);
    let _none_left = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    let _done = child.wait();
    // Those that left the group (setsid(2)) have become ours.
    left.extend(mark.map(orphans).unwrap_or_default());
    for pid in left {
        let _gone = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
        let _gone = nix::sys::wait::waitpid(Pid::from_raw(pid), None);
    }
}

/// Processes that lose their parent become ours (prctl(2), PR_SET_CHILD_SUBREAPER), so that they can be found.
fn adopt() {
    #[cfg(target_os = "linux")]
    // SAFETY: one number in, no memory touched.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
    }
}

/// The living descendants of a process, by `/proc`.
fn descendants(root: i32) -> Vec<i32> {
    let mut out = Vec::new();
    let mut todo = vec![root];
    while let Some(pid) = todo.pop() {
        for child in children(pid) {
            out.push(child);
            todo.push(child);
        }
    }
    out
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut out: Vec<i32> = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| text.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<i32>>())
        .collect();
    out.sort_unstable();
    out
}

/// Our children that a probe left: told by the variable that its processes start with.
fn orphans(mark: &str) -> Vec<i32> {
    let entry = format!("{MARK}={mark}");
    let ours = children(i32::try_from(std::process::id()).unwrap_or(0));
    let of_probe = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|env| env.split(|b| *b == 0).any(|e| e == entry.as_bytes()))
    };
    ours.into_iter().filter(of_probe).flat_map(|pid| descendants(pid).into_iter().chain([pid])).collect()
}

/// The variable by which a probe's processes are known; its value is the number of the place that it runs in.
pub const MARK: &str = "DRIFTLOCK_BISECT";

/// Why a tool did not do its job.
#[derive(Debug)]
pub enum Ended {
    /// A signal asked driftlock to end.
    Stopped(i32),
    /// In its own words, the last of them.
    Failed(String),
}

/// Runs a tool with our own environment.
///
/// # Errors
///
/// Where it fails or driftlock is asked to end.
pub fn tool(program: &Path, words: &[String], limit: Duration) -> Result<(), Ended> {
    let failed = |e: io::Error| Ended::Failed(reason(&e));
    let dir = tempfile::tempdir().map_err(failed)?;
    let argv =
        std::iter::once(program.as_os_str().to_owned()).chain(words.iter().map(OsString::from)).collect();
    let what = What {
        argv,
        env: std::env::vars_os().collect(),
        cwd: dir.path().to_path_buf(),
        cpus: None,
        stdout: dir.path().join("out"),
        stderr: dir.path().join("err"),
        limit: Some(limit),
    };
    match run(&what) {
        Ok(End::Code(0)) => Ok(()),
        Ok(end) => {
            let said = tail(&what.stderr, 3);
            Err(Ended::Failed(if said.is_empty() { end.words() } else { said }))
        }
        Err(Ok(signal)) => Err(Ended::Stopped(signal)),
        Err(Err(e)) => Err(failed(e)),
    }
}

/// The last lines of a file, on one line.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(8 << 10)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = text().unwrap_or_default();
    let all: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join(" | ")
}
