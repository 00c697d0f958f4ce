//! The exit codes: the only place where the numbers stand.

use std::process::ExitCode;

/// How a command ended. Scripts rely on the numbers; `docs/reference/exit-codes.md` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to report.
    Clean,
    /// Drift, a hazard, a divergence or a digest that does not fit was found.
    Found,
    /// The job could not be done: usage, unreadable input, missing part.
    Trouble,
    /// What the command of `run` ended with: its code, 128 and the number of the signal that ended it, 127 where
    /// there is no such command and 126 where it cannot be started, as in a shell (POSIX.1-2024, XCU 2.8.2).
    Command(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Trouble => 2,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
