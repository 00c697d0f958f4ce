//! What probes gave, kept on disk: a bisection that was stopped goes on where it was.
//!
//! ```text
//! CACHE/venvs/DIGEST/            virtual environments of mixtures
//! CACHE/runs/KEY/probes/DIGEST-N.json   the Nth run of a mixture
//! CACHE/runs/KEY/kept/DIGEST-N/  what it wrote, where that is compared later
//! CACHE/runs/KEY/work-S/         the folder that probes run in
//! ```
//!
//! KEY is the digest of the command, the program's text and how results are compared; DIGEST that of everything that a
//! mixture sets. Files are written beside their place and renamed; one that does not parse counts as not there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::start::End;
use crate::error::{Error, reason};
use crate::outputs::Outputs;
use crate::snapshot::file;

/// Why a probe, or all of the bisection, gives nothing.
#[derive(Debug)]
pub enum Fault {
    /// A signal asked driftlock to end.
    Stopped(i32),
    /// The machine's: a full disk.
    Machine(Error),
    /// Of this mixture alone: it has no result.
    Mixture(String),
}

impl Fault {
    /// An error of the file system at this path.
    pub fn disk(path: &Path, e: &io::Error) -> Self {
        Self::Machine(full(
            Error::machine(format!("cannot write `{}`: {}", path.display(), reason(e))),
            e.kind(),
        ))
    }
}

fn full(error: Error, kind: io::ErrorKind) -> Error {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => error.hint(
            "free some space, or name a folder on another disk with --cache; what was found so far is kept, and the same command goes on from it",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            error.hint("name a folder that you may write to with --cache")
        }
        _ => error,
    }
}

/// What one run of a mixture gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// How it ended.
    pub end: End,
    /// The digest of what counts: the outputs, or standard output.
    pub digest: String,
    /// The outputs.
    pub outputs: Outputs,
    /// The `--output`s that it did not write.
    pub missing: Vec<String>,
    /// The last words on standard error, where it failed.
    pub said: String,
    /// How long it took, for estimates alone.
    pub milliseconds: u64,
}

/// The folders of one bisection.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    run: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens the folders for a key.
    ///
    /// # Errors
    ///
    /// Where they cannot be made, or another driftlock is at this very bisection.
    pub fn open(root: &Path, key: &str) -> Result<Self, Error> {
        let run = root.join("runs").join(key);
        let at = |e: io::Error| {
            full(Error::machine(format!("cannot write `{}`: {}", run.display(), reason(&e))), e.kind())
        };
        fs::create_dir_all(run.join("probes")).map_err(at)?;
        fs::create_dir_all(run.join("kept")).map_err(at)?;
        fs::create_dir_all(root.join("venvs")).map_err(at)?;
        let lock = File::create(run.join("lock")).map_err(at)?;
        if lock.try_lock().is_err() {
            return Err(Error::machine("another driftlock is at this bisection already")
                .hint("wait for it, or name another folder with --cache"));
        }
        // Links in front of the folder must not make two runs see two paths.
        let root = fs::canonicalize(root).map_err(at)?;
        Ok(Self { run: root.join("runs").join(key), root, _lock: lock })
    }

    /// The folder that probes of this slot run in.
    pub fn work(&self, slot: usize) -> PathBuf {
        self.run.join(format!("work-{slot}"))
    }

    /// Where the outputs of a probe are kept.
    pub fn kept(&self, recipe: &str, n: u32) -> PathBuf {
        self.run.join("kept").join(format!("{recipe}-{n}"))
    }

    /// Where the environment of this digest lies.
    pub fn venv(&self, digest: &str) -> PathBuf {
        self.root.join("venvs").join(digest)
    }

    /// What is known of a run.
    pub fn get(&self, recipe: &str, n: u32) -> Option<Seen> {
        let text = fs::read(self.entry(recipe, n)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps what a run gave.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn put(&self, recipe: &str, n: u32, seen: &Seen) -> Result<(), Fault> {
        let text = serde_json::to_vec(seen).map_err(|e| Fault::Machine(Error::bug(e)))?;
        file::write(&self.entry(recipe, n), &text).map_err(|e| {
            // The words are those of a snapshot's file, and the remedy is another.
            let remedy = "free some space, or name a folder on another disk with --cache; what was found so far is kept, and the same command goes on from it";
            Fault::Machine(Error::machine(e.what).hint(remedy))
        })
    }

    fn entry(&self, recipe: &str, n: u32) -> PathBuf {
        self.run.join("probes").join(format!("{recipe}-{n}.json"))
    }

    /// Removes the folders that probes ran in; what they gave is kept.
    pub fn clean(&self, slots: usize) {
        for slot in 0..slots {
            let _left_for_the_next_time = super::place::remove(&self.work(slot));
        }
    }
}

/// `$XDG_CACHE_HOME/driftlock/bisect`, else below `~/.cache` (XDG Base Directory Specification).
pub fn default_root(xdg: Option<String>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = xdg.map(PathBuf::from).filter(|path| path.is_absolute());
    Some(absolute.or_else(|| Some(home?.join(".cache")))?.join("driftlock").join("bisect"))
}
