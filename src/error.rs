//! Errors at the edge: apart by whose they are, with the remedy as data.

use std::fmt;
use std::io;

/// Why a command could not do its job. Always exit code 2.
#[derive(Debug)]
pub struct Error {
    /// Whose it is.
    pub whose: Whose,
    /// What went wrong: a lower-case fragment without a full stop.
    pub what: String,
    /// The lines of the file where it stands, and what is wrong with them.
    pub excerpt: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whose an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The input's: arguments or a file.
    Input,
    /// The machine's: a full disk, a missing program, a refused access.
    Machine,
    /// Ours.
    Bug,
}

impl Error {
    /// An error in what the user gave.
    pub fn input(what: impl fmt::Display) -> Self {
        Self { whose: Whose::Input, what: what.to_string(), excerpt: None, hint: None }
    }

    /// An error of the machine.
    pub fn machine(what: impl fmt::Display) -> Self {
        Self { whose: Whose::Machine, what: what.to_string(), excerpt: None, hint: None }
    }

    /// An error of driftlock itself.
    pub fn bug(what: impl fmt::Display) -> Self {
        Self { whose: Whose::Bug, what: what.to_string(), excerpt: None, hint: None }
    }

    /// The same with the place in the file.
    #[must_use]
    pub fn excerpt(mut self, excerpt: impl fmt::Display) -> Self {
        self.excerpt = Some(excerpt.to_string());
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// The system's words for an error, in lower case and without `(os error N)`.
pub fn reason(error: &io::Error) -> String {
    without_number(&error.to_string())
}

/// The same for an error that was put into words already.
pub fn without_number(words: &str) -> String {
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::snapshot::value::shown;
        if self.whose == Whose::Bug {
            f.write_str("this is a bug in driftlock: ")?;
        }
        f.write_str(&shown(&self.what))?;
        for line in self.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            write!(f, "\n{}", shown(line))?;
        }
        // A hint may be a list, one item on a line; what went wrong is one line, whatever a file put into it.
        let lines = self.hint.iter().flat_map(|hint| hint.lines()).enumerate();
        for (i, line) in lines {
            write!(f, "\n{}{}", if i == 0 { "hint: " } else { "" }, shown(line))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
