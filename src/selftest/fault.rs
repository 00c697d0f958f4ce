//! Why an arm gave nothing, or not all. Each has its own message and remedy; none stops a capture.

use crate::error::Error;

/// What went wrong with an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No worker stands beside driftlock.
    #[error("the self-test worker `driftlock-selftest` is not installed")]
    NotBuilt,
    /// No interpreter was found.
    #[error("no Python interpreter was found: {0}")]
    NoPython(String),
    /// The library is not in the environment.
    #[error("{library} is not installed in the environment of `{python}`")]
    NoLibrary {
        /// The library's module.
        library: String,
        /// The interpreter.
        python: String,
    },
    /// The worker is built for another torch.
    #[error("the worker is built for torch {built}, and the environment holds torch {found}")]
    WrongVersion {
        /// `major.minor` of the worker.
        built: String,
        /// What the environment holds.
        found: String,
    },
    /// The system could not start it.
    #[error("could not start `{program}`: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// The system's words.
        reason: String,
    },
    /// The loader or the import refused a library.
    #[error("a library cannot be loaded: {0}")]
    CannotLoad(String),
    /// There is no such device.
    #[error("the device cannot be used: {0}")]
    NoDevice(String),
    /// A flag did not hold.
    #[error("a flag did not take effect: {0}")]
    Flag(String),
    /// Memory ran out.
    #[error("out of memory{}", within(.0))]
    OutOfMemory(Option<String>),
    /// It took too long.
    #[error("took longer than {seconds} s{}, and was killed", within(.during))]
    TimedOut {
        /// Its limit.
        seconds: u64,
        /// The operation that ran.
        during: Option<String>,
    },
    /// A signal ended it.
    #[error("was killed by signal {signal}{}", within(.during))]
    Killed {
        /// The signal's number.
        signal: i32,
        /// The operation that ran.
        during: Option<String>,
    },
    /// It ended before its last line.
    #[error("ended with status {status}{}{}", within(.during), colon(.last))]
    Ended {
        /// Its exit status.
        status: i32,
        /// The operation that ran.
        during: Option<String>,
        /// The last line on standard error.
        last: String,
    },
    /// It wrote what is no line of the protocol.
    #[error("answered with what is not the protocol: `{0}`")]
    Garbage(String),
    /// It answered another protocol, or what was not asked for.
    #[error("answered another protocol: {0}")]
    Protocol(String),
}

fn within(id: &Option<String>) -> String {
    id.as_ref().map(|id| format!(" during {id}")).unwrap_or_default()
}

fn colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl Fault {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotBuilt => {
                "`--engine python` needs none; the worker is built by `cargo build --release --features selftest`"
            }
            Self::NoPython(_) => "name one with --python",
            Self::NoLibrary { .. } => "name the environment with --python, or the library with --library",
            Self::WrongVersion { .. } => "`--engine python` runs on every version",
            Self::NotStarted { .. } => "check that the file is executable and for this machine",
            Self::CannotLoad(_) => {
                "install the library again: a file of it is missing, cut off, or for another version"
            }
            Self::NoDevice(_) => "`--device cpu` tests the processor",
            Self::Flag(_) => "this library does not know the flag in that form: report its version",
            Self::OutOfMemory(_) => {
                "free memory, raise the limit (ulimit -v, the control group), or use --quick"
            }
            Self::TimedOut { .. } => "raise --timeout, or use --quick",
            Self::Killed { signal: 9, .. } => {
                "signal 9 often is the kernel or the job manager when memory runs out: see `dmesg`"
            }
            Self::Killed { .. } | Self::Ended { .. } => {
                "the library crashed: import it by hand, and try `--engine python`"
            }
            Self::Garbage(_) | Self::Protocol(_) => "another program stands where the worker should",
        })
    }

    /// The error of a command.
    pub fn error(self) -> Error {
        let error = Error::machine(format!("self-test: {self}"));
        match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// The fault of a process that ended without its last line, from what it left.
    pub fn of_end(status: i32, signal: Option<i32>, stderr: &str, during: Option<String>) -> Self {
        let last = stderr.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
        let memory = [
            "Cannot allocate memory",
            "MemoryError",
            "bad_alloc",
            "can't allocate memory",
            "failed to map segment",
        ];
        let loading = [
            "error while loading shared libraries",
            "symbol lookup error",
            "ImportError",
            "OSError",
            "undefined symbol",
            "file too short",
        ];
        let line_with = |words: &[&str]| {
            stderr.lines().rev().find(|l| words.iter().any(|w| l.contains(w))).map(|l| l.trim().to_owned())
        };
        if let Some(rest) = last.strip_prefix("ModuleNotFoundError: No module named ") {
            return Self::NoLibrary {
                library: rest.trim_matches('\'').to_owned(),
                python: "Python".to_owned(),
            };
        }
        if line_with(&memory).is_some() {
            return Self::OutOfMemory(during);
        }
        if during.is_none()
            && let Some(line) = line_with(&loading)
        {
            return Self::CannotLoad(line);
        }
        match signal {
            Some(signal) => Self::Killed { signal, during },
            None => Self::Ended { status, during, last: last.to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_says_what_it_died_of() {
        let end = |signal, stderr: &str| Fault::of_end(1, signal, stderr, None);
        let loader = "w: symbol lookup error: w: undefined symbol: _ZN3c10";
        assert_eq!(end(None, loader), Fault::CannotLoad(loader.to_owned()));
        assert_eq!(end(Some(6), "terminate called after std::bad_alloc"), Fault::OutOfMemory(None));
        assert_eq!(end(Some(11), ""), Fault::Killed { signal: 11, during: None });
        let missing = end(None, "Traceback\nModuleNotFoundError: No module named 'torch'\n");
        assert!(matches!(missing, Fault::NoLibrary { library, .. } if library == "torch"));
    }
}
