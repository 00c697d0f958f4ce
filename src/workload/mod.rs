//! The workload: what the user's own program is and does, read from its source without running it.
//!
//! [`find`] follows the program as Python would run it with this command line and environment ([`interp`]), with what
//! is known in place of values, and records which operations of which libraries it performs ([`lib`], `calls/*.toml`)
//! in the words of `families.toml`. What it cannot tell it says in [`Found::incomplete`].

pub mod facts;
#[expect(clippy::disallowed_methods, reason = "the order of a folder is asked of the system itself")]
mod listing;
pub mod normalise;
pub mod packages;
pub mod parse;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What the analysis looks at.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The command line, the interpreter's first.
    pub argv: Vec<String>,
    /// The folder that the command starts in.
    pub cwd: PathBuf,
    /// The environment that the command starts with.
    pub environment: BTreeMap<String, String>,
    /// The site-packages folders of the interpreter: never entered, but they tell which imports are installed. Where
    /// the list is empty every import is taken to work.
    pub site: Vec<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Families of operations, of `families.toml`.
    pub operations: BTreeSet<String>,
    /// Top-level modules imported from outside the program and the standard library.
    pub imports: BTreeSet<String>,
    /// What cannot be told: `FRAMEWORK: reason (file:line)`; the framework `all` where nothing can be said of any.
    pub incomplete: BTreeSet<String>,
    /// Paths of the facts that the program's own code reads: `env.RANK`, `meta.host`.
    pub reads: BTreeSet<String>,
    /// Environment variables that the program sets (`None` where the value is not known), before it ends.
    pub sets_env: BTreeMap<String, Option<String>>,
    /// The seeds given to each generator.
    pub seeds: BTreeMap<String, BTreeSet<String>>,
    /// Switches of libraries that the program sets, with their last value.
    pub settings: BTreeMap<String, crate::snapshot::Value>,
    /// Folders whose listing is used in the order of the file system.
    pub listings: BTreeSet<PathBuf>,
    /// Files that the program reads, where the path is known.
    pub files: BTreeSet<PathBuf>,
    /// `num_workers` of its DataLoaders; -1 where not known.
    pub workers: BTreeSet<i64>,
    /// The command-line arguments that the program reads.
    pub arguments: Vec<Argument>,
    /// The program's source files that were reached, in the order of their first run, with their text.
    pub sources: Vec<(PathBuf, String)>,
    /// The script; `None` for `-c`.
    pub script: Option<PathBuf>,
    /// The frameworks of the rules' scope whose import is reached, or that a reached library builds on.
    pub frameworks: BTreeSet<String>,
}

/// A command-line argument of the program.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name in the program: `batch_size`.
    pub name: String,
    /// Its value, where that is plain.
    pub value: Option<crate::snapshot::Value>,
    /// Whether it is used for more than naming an output.
    pub counts: bool,
}

/// Stack of the thread that the analysis runs on, in bytes: it recurses as the program does, to a bounded depth.
const STACK: usize = 512 << 20;

/// Follows the program that a command line starts. `None` where it starts no Python program that can be read.
pub fn find(inputs: &Inputs) -> Option<Found> {
    let _not_yet = inputs;
    None
}
