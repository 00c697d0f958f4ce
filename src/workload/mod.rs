//! The workload: what the user's own program is and does, read from its source without running it.
//!
//! [`find`] follows the program as Python would run it with this command line and environment (`interp`), with what
//! is known in place of values, and records which operations of which libraries it performs (`lib`, `calls/*.toml`)
//! in the words of `families.toml`. What it cannot tell it says in [`Found::incomplete`].

mod array;
mod command;
pub mod facts;
mod heap;
mod interp;
mod lib;
#[expect(clippy::disallowed_methods, reason = "the order of a folder is asked of the system itself")]
mod listing;
pub mod normalise;
pub mod packages;
pub mod parse;
mod parser;
mod places;
mod record;
#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use typed_arena::Arena;

use record::Record;

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
    let launch = command::parse(&inputs.argv)?;
    std::thread::scope(|scope| {
        let run =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || analyse(inputs, &launch));
        let result = run.map(|thread| thread.join());
        match result {
            Ok(Ok(found)) => found,
            // A defect of the analysis, or no memory for its stack: no reason to fail what asked for it.
            Ok(Err(_)) | Err(_) => Some(Found {
                incomplete: ["all: the program could not be followed".to_owned()].into(),
                ..Found::default()
            }),
        }
    })
}

fn analyse(inputs: &Inputs, launch: &command::Launch) -> Option<Found> {
    let arena = Arena::new();
    let mut interp = interp::Interp::new(&arena, inputs, launch);
    let script = interp.program()?;
    let is_text = matches!(launch.program, command::Program::Text(_));
    let sources: Vec<(PathBuf, String)> =
        interp.sources.iter().map(|s| (s.path.clone(), s.source.text.clone())).collect();
    if sources.is_empty() {
        return None;
    }
    let rec = std::mem::take(&mut interp.rec);
    Some(finished(rec, sources, (!is_text).then_some(script)))
}

/// What follows from the whole of what was recorded.
fn finished(mut rec: Record, sources: Vec<(PathBuf, String)>, script: Option<PathBuf>) -> Found {
    lib::backward(&mut rec);
    let arguments = rec.arguments.iter().enumerate();
    let arguments = arguments
        .map(|(i, (name, value))| Argument {
            name: name.clone(),
            value: value.clone(),
            counts: rec.counts(i),
        })
        .collect();
    Found {
        frameworks: lib::frameworks(&rec),
        operations: rec.operations,
        imports: rec.imports,
        incomplete: rec.incomplete,
        reads: rec.reads,
        sets_env: rec.sets_env,
        seeds: rec.seeds,
        settings: rec.settings,
        listings: rec.listings,
        files: rec.files,
        workers: rec.workers,
        arguments,
        sources,
        script,
    }
}
