//! The exit codes: the only place where the numbers stand.

use std::process::ExitCode;

/// How a command ended. Scripts rely on the numbers; `docs/reference/exit-codes.md` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to report.
    Clean = 0,
    /// Drift, a hazard, a divergence or a digest that does not fit was found.
    Found = 1,
    /// The job could not be done: usage, unreadable input, missing part.
    Trouble = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
