//! Ctrl-C and its like: noted here, seen by everything that waits.
//!
//! Commands run in process groups of their own, so a signal from the terminal reaches driftlock alone, which ends them.
#![expect(unsafe_code, reason = "sigaction(2)")]

use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static ARRIVED: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: i32) {
    ARRIVED.store(signal, Ordering::Relaxed);
}

/// Notes the signals that ask a program to end, until this is dropped.
pub struct Watch {
    before: Vec<(Signal, SigAction)>,
}

impl Watch {
    /// From now on.
    pub fn begin() -> Self {
        ARRIVED.store(0, Ordering::Relaxed);
        let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
        let mut before = Vec::new();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            // SAFETY: the handler stores one number, which signal-safety(7) allows.
            if let Ok(old) = unsafe { sigaction(signal, &action) } {
                if matches!(old.handler(), SigHandler::SigIgn) {
                    // Ignored before us (`nohup`): ignored by us.
                    // SAFETY: puts back what was there.
                    let _same = unsafe { sigaction(signal, &old) };
                } else {
                    before.push((signal, old));
                }
            }
        }
        Self { before }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (signal, old) in &self.before {
            // SAFETY: puts back what was there.
            let _same = unsafe { sigaction(*signal, old) };
        }
    }
}

/// The signal that arrived, if one did.
pub fn arrived() -> Option<i32> {
    match ARRIVED.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}
