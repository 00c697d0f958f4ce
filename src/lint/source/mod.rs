//! Hazards in a program's source, found in its syntax tree without running it.
//!
//! [`module`] parses one file, lays it flat (`tree`), finds where names come from (`names`), and runs the checks
//! (`checks`); `summary` keeps what counts for whole programs, which [`programs`] judges (`program`).

mod attributes;
mod checks;
mod cuda;
mod draws;
mod environ;
mod file;
mod ignore;
mod lines;
mod names;
mod notebook;
mod order;
mod program;
mod seeding;
mod sklearn;
mod summary;
mod tame;
mod tree;
mod values;

use std::path::{Path, PathBuf};

pub use ignore::Ignore;
pub use lines::Place;

use crate::workload::parse;

/// A hazard in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule's id.
    pub rule: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it is here, in few words.
    pub what: String,
}

/// A file that was looked at.
#[derive(Clone, Debug)]
pub struct Module {
    /// The hazards in it, in order.
    pub found: Vec<Found>,
    /// The comments that take hazards back.
    pub ignores: Vec<Ignore>,
    summary: summary::Summary,
    notebook: Option<notebook::Code>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// A notebook, as JSON.
    Notebook,
}

/// Why a file is not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The line of the first error, where there is one.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub why: String,
}

/// Whether there is a check of this name.
pub fn is_check(id: &str) -> bool {
    checks::ALL.iter().any(|(rule, _)| *rule == id) || program::RULES.contains(&id)
}

/// The checks, by the ids of their rules.
pub fn all_checks() -> Vec<&'static str> {
    let mut out: Vec<&'static str> =
        checks::ALL.iter().map(|(rule, _)| *rule).chain(program::RULES).collect();
    out.sort_unstable();
    out
}

/// Whether a check judges a whole program, so that one file of it does not tell whether it finds anything.
pub fn is_of_programs(id: &str) -> bool {
    program::RULES.contains(&id)
}

/// Whether a check finds something in a program of one file: the cases of rules.
pub fn raises(rule: &str, text: &str) -> bool {
    let Ok(module) = module(text.to_owned(), Language::Python, false) else { return false };
    let path = Path::new("program.py");
    let found = programs(&[(path, &module)], &[]);
    module.found.iter().chain(found.iter().map(|(_, found)| found)).any(|found| found.rule == rule)
}

/// Whether a file is a test by its name: what it does is no result, and others start it.
pub fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    stem.starts_with("test_") || stem.ends_with("_test") || stem == "conftest"
}

/// Looks at one file. `is_test` says that it is a test ([`is_test`]). Runs in the stack that the deepest nesting needs ([`super::STACK`]).
///
/// # Errors
///
/// Where the file cannot be parsed.
pub fn module(text: String, language: Language, is_test: bool) -> Result<Module, Skipped> {
    let (text, notebook) = match language {
        Language::Python => (text, None),
        Language::Notebook => {
            let code = notebook::code(&text).map_err(|e| Skipped {
                line: (e.line() > 0).then(|| e.line()),
                why: "is no notebook".to_owned(),
            })?;
            (code.text.clone(), Some(code))
        }
    };
    let source = parse::parse(text).map_err(|e| Skipped { line: None, why: e.to_string() })?;
    if let Some((line, why)) = source.error {
        let place = Place { line, column: 1, end_column: 1 };
        let line = notebook.as_ref().map_or(place, |code| code.place(place)).line;
        return Err(Skipped { line: Some(line), why });
    }
    let lines = lines::Lines::new(&source.text);
    let file = file::File::new(&source.tree.body, &source.text);
    let mut hits = Vec::new();
    for (rule, check) in checks::ALL {
        if !is_test || !checks::NOT_OF_TESTS.contains(&rule) {
            check(&file, &mut hits);
        }
    }
    let mut summary = summary::of(&file, &source.tree.body, &lines);
    if notebook.is_some() {
        summary.entry = summary::Entry::Main;
    }
    let mut found: Vec<Found> = hits
        .into_iter()
        .map(|hit| Found { rule: hit.rule, place: lines.place(hit.range), what: hit.what })
        .collect();
    found.sort_by(|x, y| (x.place, x.rule, &x.what).cmp(&(y.place, y.rule, &y.what)));
    found.dedup_by(|x, y| x.place == y.place && x.rule == y.rule);
    let ignores = ignore::ignores(&source.text, &lines);
    Ok(Module { found, ignores, summary, notebook })
}

/// Judges the programs among modules: the module of each finding, and the finding.
pub fn programs(modules: &[(&Path, &Module)], roots: &[PathBuf]) -> Vec<(usize, Found)> {
    let modules: Vec<program::Module<'_>> =
        modules.iter().map(|(path, module)| program::Module { path, summary: &module.summary }).collect();
    program::judge(&modules, roots)
}

impl Module {
    /// Whether the module can be the start of a program.
    pub fn is_entry(&self) -> bool {
        self.summary.entry != summary::Entry::No
    }

    /// Whether it asks for deterministic algorithms.
    pub fn is_deterministic(&self) -> bool {
        self.summary.deterministic
    }

    /// The files that its imports may mean, the likeliest first for each import.
    pub fn imports(&self, path: &Path, roots: &[PathBuf]) -> Vec<Vec<Vec<PathBuf>>> {
        self.summary.imports.iter().map(|import| program::candidates(import, path, roots)).collect()
    }

    /// A place of the code as a place of the file.
    pub fn place(&self, place: Place) -> Place {
        self.notebook.as_ref().map_or(place, |code| code.place(place))
    }
}
