//! Signals: caught here so that driftlock outlives the command, and passed on where the command did not get its own.
//!
//! The command is in driftlock's process group, as with `env`, `time` or `strace`. So what a terminal sends (Ctrl-C,
//! Ctrl-Z, a change of size, a hang-up), and what is sent to the group, reaches the command by itself; only what was
//! sent to driftlock alone is passed on.
#![expect(unsafe_code, reason = "sigaction(2), pipe(2) and poll(2) with what a handler may do")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// The end of the pipe that the handler writes to; -1 before there is one.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Its number.
    pub(super) signal: i32,
    /// Whether a process sent it (`kill(2)`, `sigqueue(3)`, `tgkill(2)`), not the kernel or a terminal.
    pub(super) by_process: bool,
    /// The process that sent it.
    pub(super) sender: i32,
}

/// The signals while the command runs.
pub(super) struct Signals {
    read: OwnedFd,
    _write: OwnedFd,
    caught: Vec<i32>,
    /// Whether SIGCHLD was ignored.
    no_children: bool,
    /// What was blocked before.
    blocked: libc::sigset_t,
}

/// Bytes of one record in the pipe: fewer than `PIPE_BUF`, so it is written whole or not at all.
const RECORD: usize = 12;

/// Those that a program gets for its own mistakes, and those that cannot be caught or are not for the command.
const LEFT: [i32; 11] = [
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGPIPE,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGABRT,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGPROF,
];

extern "C" fn handler(signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel hands the handler a valid siginfo_t (SA_SIGINFO); si_pid is read of signals that processes
    // send and of SIGCHLD, which have it. errno is put back as signal-safety(7) asks.
    unsafe {
        let errno = errno();
        let saved = *errno;
        let (code, sender) = if info.is_null() { (0, 0) } else { ((*info).si_code, (*info).si_pid()) };
        let mut record = [0_u8; RECORD];
        for (chunk, number) in record.chunks_exact_mut(4).zip([signal, code, sender]) {
            chunk.copy_from_slice(&number.to_ne_bytes());
        }
        // A full pipe loses the record; SIGCHLD is not needed to see an end, and nobody sends 5,000 others at once.
        let _lost = libc::write(PIPE.load(Ordering::Relaxed), record.as_ptr().cast(), RECORD);
        *errno = saved;
    }
}

#[cfg(target_os = "linux")]
unsafe fn errno() -> *mut i32 {
    // SAFETY: returns the address of the thread's errno.
    unsafe { libc::__errno_location() }
}

#[cfg(not(target_os = "linux"))]
unsafe fn errno() -> *mut i32 {
    // SAFETY: returns the address of the thread's errno.
    unsafe { libc::__error() }
}

impl Signals {
    /// Catches every signal that can be caught and is not ignored. All are blocked until [`Signals::release`], so
    /// that none is lost between this and the command's start.
    pub(super) fn catch() -> io::Result<Self> {
        let mut ends = [-1; 2];
        // SAFETY: pipe writes two descriptors, which are owned here and nowhere else.
        let (read, write) = unsafe {
            if libc::pipe(ends.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
        };
        for end in [&read, &write] {
            // SAFETY: fcntl on an open descriptor, with a number as its argument.
            unsafe {
                libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
                libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
            }
        }
        PIPE.store(write.as_raw_fd(), Ordering::Relaxed);
        let mut blocked = MaybeUninit::uninit();
        // SAFETY: sigfillset fills the set it is given, and pthread_sigmask writes the old one.
        let blocked = unsafe {
            let mut all = MaybeUninit::uninit();
            libc::sigfillset(all.as_mut_ptr());
            libc::sigemptyset(blocked.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), blocked.as_mut_ptr());
            blocked.assume_init()
        };
        let mut signals =
            Self { read, _write: write, caught: Vec::new(), no_children: ignores(libc::SIGCHLD), blocked };
        for signal in (1..=last()).filter(|signal| !LEFT.contains(signal)) {
            // An ignored SIGCHLD would take the command's end away from us.
            if (signal == libc::SIGCHLD || !ignores(signal)) && set(signal) {
                signals.caught.push(signal);
            }
        }
        Ok(signals)
    }

    /// What the forked process does before it becomes the command: dispositions and mask as driftlock found them.
    pub(super) fn for_command(&self) -> impl Fn() + Send + Sync + 'static {
        let (caught, blocked, no_children) = (self.caught.clone(), self.blocked, self.no_children);
        move || {
            // SAFETY: signal(2) with a constant and sigprocmask(2) with a whole set; both may be called after fork.
            unsafe {
                for signal in &caught {
                    libc::signal(*signal, libc::SIG_DFL);
                }
                if no_children {
                    libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                }
                libc::sigprocmask(libc::SIG_SETMASK, &raw const blocked, std::ptr::null_mut());
            }
        }
    }

    /// Lets signals in.
    pub(super) fn release(&self) {
        // SAFETY: the set is whole.
        unsafe {
            let mut none = MaybeUninit::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
    }

    /// Waits until a signal arrives or the time is over.
    pub(super) fn wait(&self, limit: Duration) -> Vec<Arrived> {
        let mut poll = libc::pollfd { fd: self.read.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // Rounded up: a wait of 0 ms would turn in circles.
        let limit = i32::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        // SAFETY: one pollfd, as said.
        unsafe { libc::poll(&raw mut poll, 1, limit) };
        self.drain()
    }

    /// What has arrived.
    fn drain(&self) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        let mut buffer = [0_u8; RECORD * 64];
        loop {
            // SAFETY: reads into a buffer of that length from a descriptor of ours.
            let read = unsafe { libc::read(self.read.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            let Ok(read @ 1..) = usize::try_from(read) else {
                return arrived;
            };
            for record in buffer[..read].chunks_exact(RECORD) {
                let number = |at: usize| {
                    record
                        .get(at..)
                        .and_then(|bytes| bytes.first_chunk())
                        .map_or(0, |bytes| i32::from_ne_bytes(*bytes))
                };
                let (signal, code, sender) = (number(0), number(4), number(8));
                // SI_USER is 0, SI_QUEUE, SI_TKILL and the like are below; SI_KERNEL and causes are above. macOS has
                // SI_USER as 0x10001.
                let by_process = code <= 0 || code == 0x10001;
                arrived.push(Arrived { signal, by_process, sender });
            }
        }
    }

    /// Stops this process as the signal would have, until it is continued.
    pub(super) fn stop_by(&self, signal: i32) {
        // SAFETY: signal(2) with a constant, and a signal to ourselves.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::kill(libc::getpid(), signal);
        }
        // It is delivered to a thread that does not block it at the latest when that thread next leaves the kernel.
        std::thread::sleep(Duration::from_millis(1));
        set(signal);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for signal in &self.caught {
            // SAFETY: signal(2) with a constant.
            unsafe { libc::signal(*signal, libc::SIG_DFL) };
        }
        PIPE.store(-1, Ordering::Relaxed);
        // SAFETY: the set is whole.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.blocked, std::ptr::null_mut()) };
    }
}

/// Sets the handler of one signal. glibc keeps two for itself and refuses.
fn set(signal: i32) -> bool {
    // SAFETY: the action is zeroed and filled as sigaction(2) asks; the handler does only what a handler may.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handler as extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(signal, &raw const new, std::ptr::null_mut()) == 0
    }
}

fn ignores(signal: i32) -> bool {
    // SAFETY: a null new action asks for the old one, which is written to a value of the right type.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(target_os = "linux")]
fn last() -> i32 {
    libc::SIGRTMAX()
}

#[cfg(not(target_os = "linux"))]
fn last() -> i32 {
    31
}

/// Sends a signal to a process. An error means that it is gone.
pub(super) fn send(pid: i32, signal: i32) {
    // SAFETY: kill(2) takes two numbers.
    unsafe { libc::kill(pid, signal) };
}

/// Whether this process leads its session: then a hang-up of the terminal is sent to it and not to its group.
pub(super) fn leads_session() -> bool {
    // SAFETY: both take and return numbers.
    unsafe { libc::getsid(0) == libc::getpid() }
}
