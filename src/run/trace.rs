//! The last look: a traced process stops once, when it is about to end and still has its memory.
//!
//! `PTRACE_SEIZE` with `PTRACE_O_TRACEEXIT` and nothing else (ptrace(2)): system calls, forks and `execve` run as
//! always. Three things of tracing show, and each is seen to: signals pass through the tracer, which hands them on at
//! once; a stopped process is kept stopped with `PTRACE_LISTEN`; and a process that gets very many signals is let go.
#![expect(unsafe_code, reason = "ptrace(2) has no safe form for these requests")]

use std::io;
use std::time::{Duration, Instant};

/// Signals to one process within [`WINDOW`] from which on it is let go: a profiler's timer, for example.
const MANY: u32 = 100;
const WINDOW: Duration = Duration::from_secs(1);

/// A traced process.
#[derive(Debug)]
pub(super) struct Traced {
    /// The process.
    pub(super) pid: i32,
    /// The signal that it got last, its sender, and when.
    pub(super) last: Option<(i32, i32, Instant)>,
    since: Instant,
    count: u32,
}

/// What a stop of a traced process means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It goes on.
    Passed,
    /// It is about to end: look, then call [`Traced::release`].
    Exiting,
    /// It was let go.
    Released,
}

impl Traced {
    /// Begins to trace a process.
    pub(super) fn seize(pid: i32) -> io::Result<Self> {
        let options = libc::PTRACE_O_TRACEEXIT as usize;
        // SAFETY: SEIZE takes no address and options as its data.
        let done = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0_usize, options) };
        if done == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { pid, last: None, since: Instant::now(), count: 0 })
    }

    /// Deals with a stop.
    pub(super) fn stopped(&mut self, signal: i32, event: i32) -> Stop {
        let group = matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU);
        match event {
            libc::PTRACE_EVENT_EXIT => return Stop::Exiting,
            libc::PTRACE_EVENT_STOP if group => self.request(libc::PTRACE_LISTEN, 0),
            0 => {
                let now = Instant::now();
                self.last = Some((signal, self.sender(), now));
                if now.duration_since(self.since) > WINDOW {
                    (self.since, self.count) = (now, 0);
                }
                self.count += 1;
                if self.count > MANY {
                    self.request(libc::PTRACE_DETACH, signal);
                    return Stop::Released;
                }
                self.request(libc::PTRACE_CONT, signal);
            }
            _ => self.request(libc::PTRACE_CONT, 0),
        }
        Stop::Passed
    }

    /// Lets a stopped process go on without being traced.
    pub(super) fn release(&self) {
        self.request(libc::PTRACE_DETACH, 0);
    }

    fn request(&self, request: libc::c_uint, signal: i32) {
        let signal = usize::try_from(signal).unwrap_or(0);
        // SAFETY: these requests take no address and a signal's number as data. An error means that it was killed.
        unsafe { libc::ptrace(request, self.pid, 0_usize, signal) };
    }

    /// Who sent the signal that is about to be delivered.
    fn sender(&self) -> i32 {
        // SAFETY: GETSIGINFO fills a siginfo_t, for which zero is a valid value; si_pid is a number in every form.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            match libc::ptrace(libc::PTRACE_GETSIGINFO, self.pid, 0_usize, &raw mut info) {
                -1 => 0,
                _ if info.si_code <= 0 => info.si_pid(),
                _ => 0,
            }
        }
    }
}
