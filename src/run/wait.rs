//! `wait4(2)` and what its status says.
#![expect(unsafe_code, reason = "wait4(2) with ptrace stops has no safe form")]

use std::time::Duration;

/// How the command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Its exit code.
    pub code: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// CPU time of it and of every descendant that was waited for.
    pub cpu: Duration,
    /// Peak resident memory of the largest of these processes, in bytes.
    pub memory: u64,
}

impl End {
    /// What a shell would report.
    pub fn exit_code(&self) -> u8 {
        let signal = self.signal.and_then(|signal| u8::try_from(signal).ok());
        self.code.or_else(|| signal.map(|signal| signal.saturating_add(128))).unwrap_or(2)
    }
}

/// A change of state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// None now.
    None,
    /// It is no child and not traced any more.
    Lost,
    /// It ended and is gone.
    Ended(End),
    /// It is stopped by this signal; `event` is ptrace's, 0 of a stop before a signal is delivered.
    Stopped {
        /// The signal.
        signal: i32,
        /// `PTRACE_EVENT_…`.
        event: i32,
    },
}

/// Asks for the next change without waiting.
pub(super) fn next(pid: i32) -> Change {
    #[cfg(target_os = "linux")]
    let flags = libc::WNOHANG | libc::__WALL;
    #[cfg(not(target_os = "linux"))]
    let flags = libc::WNOHANG;
    let mut status = 0;
    // SAFETY: wait4 writes a status and a rusage of the right types; zero is a valid rusage.
    let (found, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, flags, &raw mut usage), usage)
    };
    match found {
        0 => Change::None,
        found if found < 0 => {
            let interrupted = std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted;
            if interrupted { Change::None } else { Change::Lost }
        }
        _ if libc::WIFSTOPPED(status) => {
            Change::Stopped { signal: libc::WSTOPSIG(status), event: status >> 16 }
        }
        _ => {
            let time = |t: libc::timeval| {
                let (seconds, micros) = (u64::try_from(t.tv_sec), u64::try_from(t.tv_usec));
                Duration::from_secs(seconds.unwrap_or(0)) + Duration::from_micros(micros.unwrap_or(0))
            };
            // Linux counts kilobytes, macOS bytes (getrusage(2) of each).
            let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
            let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
            Change::Ended(End {
                code: code.and_then(|code| u8::try_from(code).ok()),
                signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
                cpu: time(usage.ru_utime) + time(usage.ru_stime),
                memory: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(unit),
            })
        }
    }
}
