//! The only door to the machine.
//!
//! Every probe asks a [`Host`]; nothing else in the crate reads files, environment variables, devices or other
//! programs for facts. [`live::Live`] is the machine we run on, [`recorded::Recorded`] replays a recording under
//! `fixtures/hosts/NAME/host.toml`, and [`recording::Recording`] makes one.
//!
//! Text files go through [`Host::read`]. What cannot be replayed as text (NVML, git's object store, ELF files of
//! a gigabyte, data trees) has a narrow method of its own that returns plain data.

mod blocks;
pub mod elf;
pub mod git;
pub mod lexical;
mod links;
pub mod live;
pub mod nvml;
pub mod recorded;
pub mod recording;
pub mod tree;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most bytes [`Host::read`] returns; a longer file is an error of kind [`io::ErrorKind::FileTooLarge`].
///
/// The largest text a probe reads is a wheel's `RECORD` (torch: 1.2 MB) and `ld.so.cache`.
pub const READ_LIMIT: u64 = 64 << 20;

/// What a directory entry or path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A regular file (or a pseudo-file of `/proc` and `/sys`).
    File,
    /// A directory.
    Dir,
    /// A symbolic link; only from [`Host::list`], which does not follow links.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file name; non-UTF-8 names are not listed.
    pub name: String,
    /// What it is, without following a link.
    pub kind: FileKind,
}

/// What `stat` says of a path, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Size in bytes (0 for pseudo-files and recorded directories).
    pub len: u64,
    /// Whether any execute bit is set.
    pub executable: bool,
}

/// What the kernel and the C library say of this machine and this process, without reading a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct System {
    /// `uname -s`, for example `Linux`.
    pub sysname: String,
    /// `uname -r`: the kernel release.
    pub release: String,
    /// `uname -v`: the kernel's build string.
    pub version: String,
    /// `uname -m`, for example `x86_64`.
    pub machine: String,
    /// `uname -n`: the host name (private).
    pub hostname: String,
    /// The effective user's login name (private).
    pub user: Option<String>,
    /// Effective user id.
    pub uid: Option<u32>,
    /// The user's home directory (private).
    pub home: Option<PathBuf>,
    /// Bytes of a memory page (`sysconf(_SC_PAGESIZE)`).
    pub page_size: Option<u64>,
    /// The C library of this machine, `glibc` or `musl`, and its version where it can be asked
    /// (`gnu_get_libc_version(3)`).
    pub libc: Option<(String, String)>,
    /// The CPUs this process may run on, ascending (`sched_getaffinity(2)`).
    pub affinity: Option<Vec<u32>>,
    /// Whether `ADDR_NO_RANDOMIZE` is set for this process (`personality(2)`, as `setarch -R` does).
    pub aslr_disabled: Option<bool>,
    /// Installed memory in bytes, from sysinfo; the memory probe prefers `/proc/meminfo`.
    pub memory_total: Option<u64>,
    /// Available memory in bytes, from sysinfo.
    pub memory_available: Option<u64>,
    /// Physical cores, from sysinfo; the cpu probe prefers `/sys/devices/system/cpu`.
    pub physical_cores: Option<u64>,
    /// Logical CPUs, from sysinfo.
    pub logical_cores: Option<u64>,
    /// The CPU's brand, from sysinfo, for systems without `/proc/cpuinfo`.
    pub cpu_brand: Option<String>,
    /// Distribution or product name, from sysinfo, for systems without `/etc/os-release`.
    pub os_name: Option<String>,
    /// Its version, from sysinfo.
    pub os_version: Option<String>,
    /// This machine's IP addresses other than loopback (private; only used to keep them out of files).
    pub addresses: Vec<String>,
}

/// A program to run, always with an absolute time limit and an output cap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program: a path, or a name looked up on `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables set for it on top of ours.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long it may take before it is killed with its process group, in milliseconds.
    #[serde(default)]
    pub limit_ms: u64,
}

impl Command {
    /// A command with the default limit of 2 seconds.
    pub fn new<S: Into<String>>(program: impl Into<String>, args: impl IntoIterator<Item = S>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            limit_ms: 2_000,
        }
    }

    /// The same command with another time limit.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The same command with one more environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// What a program answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Output {
    /// Exit code; `128 + N` where signal N ended it.
    pub status: i32,
    /// Standard output, lossily decoded, at most 8 MiB.
    pub stdout: String,
    /// Standard error, lossily decoded, at most 8 MiB.
    pub stderr: String,
}

/// Why a program gave no answer.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RunError {
    /// No such program.
    #[error("`{0}` is not installed")]
    NotFound(String),
    /// It ran past its limit and was killed.
    #[error("`{program}` took longer than {limit_ms} ms")]
    TimedOut {
        /// The program.
        program: String,
        /// Its limit in milliseconds.
        limit_ms: u64,
    },
    /// It could not be started or read.
    #[error("could not run `{program}`: {reason}")]
    Failed {
        /// The program.
        program: String,
        /// The system's words.
        reason: String,
    },
}

/// The machine, as probes see it.
pub trait Host: Send + Sync {
    /// The whole content of a file, links followed, at most [`READ_LIMIT`] bytes.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The SHA-256 of a regular file of any length, links followed.
    fn sha256(&self, path: &Path) -> io::Result<[u8; 32]> {
        Ok(Sha256::digest(self.read(path)?).into())
    }

    /// The entries of a directory, sorted by name.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// What a path is, links followed.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Where a symbolic link points, as written in it.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;

    /// The absolute path with every link resolved; fails where the path does not exist.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// One environment variable of this process; a value that is not UTF-8 comes lossily.
    fn env(&self, name: &str) -> Option<String>;

    /// The whole environment of this process.
    fn env_all(&self) -> BTreeMap<String, String>;

    /// The working directory.
    fn cwd(&self) -> PathBuf;

    /// What the kernel says without a file.
    fn system(&self) -> System;

    /// Runs a program to its end, its limit, or its output cap.
    fn run(&self, command: &Command) -> Result<Output, RunError>;

    /// The dynamic-linking facts of an ELF file.
    fn elf(&self, path: &Path) -> Result<elf::ElfInfo, elf::ElfError>;

    /// The NVIDIA driver's answer, from an isolated process that may take up to `limit`.
    fn nvml(&self, limit: Duration) -> Result<nvml::NvmlReport, nvml::NvmlFault>;

    /// The state of the git repository that holds `start`.
    fn git(&self, start: &Path, options: &git::GitOptions) -> Result<git::GitReport, git::GitFault>;

    /// The digest of a file or directory tree.
    fn tree(&self, path: &Path, options: &tree::TreeOptions) -> Result<tree::TreeReport, tree::TreeFault>;

    /// Nanoseconds since 1970-01-01T00:00:00Z. The test-only variable `DRIFTLOCK_NOW` (seconds) fixes it.
    fn now(&self) -> i128;

    /// A text file, lossily decoded, without trailing white space.
    fn text(&self, path: &Path) -> io::Result<String> {
        let bytes = self.read(path)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Whether a path exists, links followed.
    fn exists(&self, path: &Path) -> bool {
        self.stat(path).is_ok()
    }
}

impl dyn Host + '_ {
    /// A text file that may well be missing: `None` on any error. Use [`Host::text`] where the difference between
    /// absent and unreadable is a fact.
    pub fn maybe(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path.as_ref()).ok()
    }

    /// The names in a directory, sorted; empty on any error.
    pub fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        self.list(path.as_ref())
            .map(|entries| entries.into_iter().map(|e| e.name).collect())
            .unwrap_or_default()
    }

    /// The path of an executable file on `PATH`, as a shell would find it.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        let path = self.env("PATH")?;
        std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(program))
            .find(|candidate| self.stat(candidate).is_ok_and(|s| s.kind == FileKind::File && s.executable))
    }
}
