//! What this process was started with and Rust's runtime changes before `main`, so that the command gets it as it was.
//!
//! The runtime ignores SIGPIPE and opens `/dev/null` in the place of a closed standard stream
//! (`library/std/src/sys/pal/unix/mod.rs`, `init`). A function in `.init_array` (`__mod_init_func` on macOS) runs
//! before it.
#![expect(
    unsafe_code,
    reason = "sigaction(2), fcntl(2) and a function that runs before main have no safe form"
)]

use std::sync::atomic::{AtomicU8, Ordering};

const SEEN: u8 = 1;
const SIGPIPE_IGNORED: u8 = 2;
/// The first of three bits, one for each standard stream that was closed.
const CLOSED: u8 = 4;

static STATE: AtomicU8 = AtomicU8::new(0);

// SAFETY: functions in these sections are called once, before main, on the only thread there is. This one makes two
// system calls and stores a byte; it needs nothing of Rust's runtime.
#[unsafe(link_section = ".init_array")]
#[cfg(not(target_os = "macos"))]
#[used]
static LOOK: extern "C" fn() = look;

// SAFETY: as above.
#[unsafe(link_section = "__DATA,__mod_init_func")]
#[cfg(target_os = "macos")]
#[used]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let mut state = SEEN;
    // SAFETY: a null new action asks for the old one, which is written to a value of the right type.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut old) == 0
            && old.sa_sigaction == libc::SIG_IGN
        {
            state |= SIGPIPE_IGNORED;
        }
        for stream in 0..3_u8 {
            if libc::fcntl(i32::from(stream), libc::F_GETFD) == -1 {
                state |= CLOSED << stream;
            }
        }
    }
    STATE.store(state, Ordering::Relaxed);
}

/// Puts the calling process, forked and about to start the command, back into that state.
///
/// Only calls what may be called between `fork` and `exec` (signal-safety(7)).
pub(super) fn restore() {
    let state = STATE.load(Ordering::Relaxed);
    let action = if state & SIGPIPE_IGNORED == 0 { libc::SIG_DFL } else { libc::SIG_IGN };
    // SAFETY: signal(2) with a constant disposition and close(2) touch no memory.
    unsafe {
        libc::signal(libc::SIGPIPE, action);
        for stream in 0..3_u8 {
            if state & (CLOSED << stream) != 0 {
                libc::close(i32::from(stream));
            }
        }
    }
}
