//! Starts the command, waits for it, passes signals on, and has the watcher look in between.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::program::Program;
use super::signals::{Arrived, Signals, leads_session, send};
#[cfg(target_os = "linux")]
use super::trace::{Stop, Traced};
use super::wait::{self, Change, End};
#[cfg(target_os = "linux")]
use super::watch::Watcher;
use super::watch::{Observed, Variables};
use crate::error::reason;

/// How the command is run and watched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Variables of the processes to compare.
    pub variables: Variables,
    /// Never trace a process.
    pub no_ptrace: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Finished {
    /// How the command ended.
    pub end: End,
    /// From its start to its end.
    pub duration: Duration,
    /// What was seen meanwhile.
    pub observed: Observed,
}

/// The longest wait without a look at anything: an end is noticed by a signal, and this late where one was lost.
const IDLE: Duration = Duration::from_secs(1);

/// A signal that reached driftlock and, so long before or after, the command from the same sender was sent to both.
const SAME: Duration = Duration::from_millis(250);

/// Runs the command to its end.
///
/// # Errors
///
/// Where it cannot be started. Whatever happens after its start, its end is waited for.
pub fn run(program: &Program, options: &Options) -> io::Result<Finished> {
    let Some((first, rest)) = program.argv.split_first() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let signals = Signals::catch()?;
    let mut command = Command::new(first);
    command.args(rest);
    let restore = signals.for_command();
    #[expect(unsafe_code, reason = "signal dispositions and mask must be put back before the command starts")]
    // SAFETY: both closures make system calls that may be made between fork and exec, and allocate nothing.
    unsafe {
        command.pre_exec(move || {
            super::inherited::restore();
            restore();
            Ok(())
        });
    }
    let started = Instant::now();
    let child = command.spawn()?;
    let root = i32::try_from(child.id()).map_err(io::Error::other)?;
    // Traced processes are let go when the thread that traces them ends.
    let watched = thread::scope(|scope| {
        let body = || {
            signals.release();
            Loop::new(root, &signals, Some(options)).run()
        };
        let thread = thread::Builder::new().name("probe-run".to_owned()).spawn_scoped(scope, body);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    let (end, mut observed) = watched.unwrap_or_else(|| {
        // The thread could not be started, or a bug ended it: the command is waited for all the same.
        signals.release();
        let (end, mut observed) = Loop::new(root, &signals, None).run();
        observed.blind("the watcher failed");
        (end, observed)
    });
    observed.largest = observed.largest.max(end.memory);
    Ok(Finished { end, duration: started.elapsed(), observed })
}

struct Loop<'a> {
    root: i32,
    signals: &'a Signals,
    #[cfg(target_os = "linux")]
    watcher: Option<Watcher>,
    #[cfg(target_os = "linux")]
    traced: Vec<Traced>,
    no_ptrace: bool,
    /// The command's end, where it was still traced then.
    ended: Option<End>,
    observed: Observed,
}

impl<'a> Loop<'a> {
    fn new(root: i32, signals: &'a Signals, options: Option<&Options>) -> Self {
        let mut observed = Observed::default();
        if !cfg!(target_os = "linux") {
            observed.blind("this system does not show what a process has loaded");
        }
        Self {
            root,
            signals,
            #[cfg(target_os = "linux")]
            watcher: options.and_then(|options| {
                catch_unwind(AssertUnwindSafe(|| Watcher::new(root, options.variables.clone()))).ok()
            }),
            #[cfg(target_os = "linux")]
            traced: Vec::new(),
            no_ptrace: options.is_none_or(|options| options.no_ptrace),
            ended: None,
            observed,
        }
    }

    /// Until the command's first process has ended.
    fn run(mut self) -> (End, Observed) {
        let mut next = Duration::ZERO;
        let end = loop {
            let arrived = self.signals.wait(next.min(IDLE));
            if let Some(end) = self.changes() {
                break end;
            }
            for signal in arrived {
                self.pass_on(signal);
            }
            next = self.look();
        };
        #[cfg(target_os = "linux")]
        if let Some(watcher) = self.watcher.take() {
            match catch_unwind(AssertUnwindSafe(|| watcher.finish())) {
                Ok(seen) => self.observed = seen,
                Err(_) => self.observed.blind("the watcher failed"),
            }
        }
        (end, self.observed)
    }

    /// One round of the watcher, and how long to wait for the next. One that fails is given up.
    #[cfg(target_os = "linux")]
    fn look(&mut self) -> Duration {
        let Some(watcher) = &mut self.watcher else {
            return IDLE;
        };
        let Ok((next, worth)) = catch_unwind(AssertUnwindSafe(|| watcher.look())) else {
            self.watcher = None;
            self.observed.blind("the watcher failed");
            return IDLE;
        };
        for pid in worth {
            if self.no_ptrace {
                watcher.traced(pid, false);
                watcher.degrade("not traced (--no-ptrace)".to_owned());
                continue;
            }
            let seized = Traced::seize(pid);
            watcher.traced(pid, seized.is_ok());
            match seized {
                Ok(traced) => self.traced.push(traced),
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                Err(error) => {
                    watcher.degrade(format!("cannot trace: {}", reason(&error)));
                }
            }
        }
        next
    }

    #[cfg(not(target_os = "linux"))]
    fn look(&mut self) -> Duration {
        let _unused = (self.no_ptrace, self.root);
        IDLE
    }

    /// Deals with what has changed of the command and of what is traced; its end, if that is it.
    fn changes(&mut self) -> Option<End> {
        #[cfg(target_os = "linux")]
        self.traced_changes();
        #[cfg(target_os = "linux")]
        if self.traced.iter().any(|traced| traced.pid == self.root) {
            return None;
        }
        if let Some(end) = self.ended {
            return Some(end);
        }
        match wait::next(self.root) {
            Change::Ended(end) => Some(end),
            // Somebody else took its end away from us; nothing more can be known.
            Change::Lost => Some(End::default()),
            _ => None,
        }
    }

    #[cfg(target_os = "linux")]
    fn traced_changes(&mut self) {
        let mut index = 0;
        while let Some(traced) = self.traced.get_mut(index) {
            let stop = match wait::next(traced.pid) {
                Change::None => {
                    index += 1;
                    continue;
                }
                Change::Stopped { signal, event } => traced.stopped(signal, event),
                Change::Ended(end) => {
                    // Killed, for instance: there was no last stop.
                    self.ended = (traced.pid == self.root).then_some(end).or(self.ended);
                    Stop::Released
                }
                Change::Lost => Stop::Released,
            };
            match stop {
                Stop::Passed => {}
                Stop::Exiting => {
                    if let Some(watcher) = &mut self.watcher {
                        let pid = traced.pid;
                        if catch_unwind(AssertUnwindSafe(|| watcher.last_look(pid))).is_err() {
                            self.watcher = None;
                            self.observed.blind("the watcher failed");
                        }
                    }
                    traced.release();
                    self.traced.swap_remove(index);
                }
                Stop::Released => {
                    self.traced.swap_remove(index);
                }
            }
        }
    }

    /// Hands a signal to the command that it did not get by itself.
    fn pass_on(&mut self, arrived: Arrived) {
        let Arrived { signal, by_process, sender } = arrived;
        if signal == libc::SIGCHLD {
            return;
        }
        let hang_up = signal == libc::SIGHUP && !by_process && leads_session();
        if (by_process && !self.is_within(sender) && !self.has_got(signal, sender)) || hang_up {
            send(self.root, signal);
        }
        if matches!(signal, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) {
            // The command first, which may want to put the terminal in order.
            let until = Instant::now() + Duration::from_millis(20);
            while Instant::now() < until {
                #[cfg(target_os = "linux")]
                self.traced_changes();
                thread::sleep(Duration::from_millis(2));
            }
            self.signals.stop_by(signal);
        }
    }

    /// Whether the command itself sent it: then it was meant for a group that the command is in.
    #[cfg(target_os = "linux")]
    fn is_within(&self, sender: i32) -> bool {
        self.watcher.as_ref().is_some_and(|watcher| watcher.is_ours(sender))
    }

    #[cfg(not(target_os = "linux"))]
    fn is_within(&self, sender: i32) -> bool {
        sender == self.root
    }

    /// Whether the command got the same signal from the same sender just now: it was sent to the whole group. Known of
    /// traced commands only; others get it twice.
    #[cfg(target_os = "linux")]
    fn has_got(&mut self, signal: i32, sender: i32) -> bool {
        self.traced_changes();
        let root = self.traced.iter().find(|traced| traced.pid == self.root);
        root.and_then(|root| root.last)
            .is_some_and(|(last, from, at)| last == signal && from == sender && at.elapsed() < SAME)
    }

    #[cfg(not(target_os = "linux"))]
    fn has_got(&mut self, _signal: i32, _sender: i32) -> bool {
        false
    }
}
