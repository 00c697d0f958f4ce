//! `run`: watches the user's command through `/proc` and writes what it really loaded into the snapshot.
//!
//! [`program`] reads the command line, [`supervise`] starts the command and waits for it, [`watch`] looks at its
//! processes meanwhile, and [`report`] turns what was seen into the facts of section `run`. `docs/reference/run.md`
//! says what a user may rely on.

pub mod hooks;
mod inherited;
pub mod kinds;
pub mod outputs;
pub mod program;
pub mod rank;
pub mod report;
mod signals;
pub mod supervise;
mod symbols;
#[cfg(target_os = "linux")]
mod trace;
pub mod wait;
pub mod watch;

pub use program::Program;
pub use watch::Observed;
