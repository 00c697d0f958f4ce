//! The source of a project: every file looked at, what they say of whole programs, and what comments take back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::STACK;
use super::environment::{self, Program};
use super::files::{self, Target, Targets};
use super::source::{self, Found, Ignore, Language, Module, Skipped};
use crate::error::Error;
use crate::explain::rule::Rule;
use crate::explain::{Catalogue, Scope};
use crate::gate::finding::{Finding, Level, Location, page};

/// A comment without a reason.
pub const NO_REASON: &str = "ignore-without-reason";
/// A comment that takes nothing back.
pub const UNMATCHED: &str = "ignore-unmatched";

/// Modules outside the files that are looked at are read for what they say of programs; not more than these.
const MOST_BESIDE: usize = 200;

/// What was found in source.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of files, lines and rules.
    pub findings: Vec<Finding>,
    /// How many files were looked at.
    pub files: usize,
    /// Files that were not, in order.
    pub skipped: Vec<(PathBuf, Skipped)>,
    /// How many findings comments took back.
    pub ignored: usize,
    /// What it says of the program.
    pub program: Program,
}

/// Looks at every file.
///
/// # Errors
///
/// Where no thread with a stack for it can be started.
pub fn look(targets: &Targets, rules: &Catalogue, narrow: &[String]) -> Result<Report, Error> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build();
    // Where memory for stacks is short, one after the other.
    let pool = pool.or_else(|_| rayon::ThreadPoolBuilder::new().stack_size(STACK).num_threads(1).build());
    let pool = pool.map_err(|e| Error::machine(format!("cannot start a thread: {e}")))?;
    Ok(pool.install(|| look_here(targets, rules, narrow)))
}

fn read(path: &Path) -> Option<Result<Module, Skipped>> {
    let text = match files::text(path) {
        Ok(text) => text?,
        Err(why) => return Some(Err(Skipped { line: None, why })),
    };
    let language = files::language(path).unwrap_or(Language::Python);
    // A defect of ours in one file must not lose the others.
    let looked = std::panic::catch_unwind(|| source::module(text, language, source::is_test(path)));
    Some(looked.unwrap_or_else(|_| {
        Err(Skipped { line: None, why: "could not be looked at (a defect of driftlock)".to_owned() })
    }))
}

fn look_here(targets: &Targets, rules: &Catalogue, narrow: &[String]) -> Report {
    let read: Vec<Option<Result<Module, Skipped>>> =
        targets.files.par_iter().map(|t| read(&t.path)).collect();
    let mut out = Report::default();
    let mut modules: Vec<(&Target, Module)> = Vec::new();
    for (target, module) in targets.files.iter().zip(read) {
        match module {
            Some(Ok(module)) => modules.push((target, module)),
            Some(Err(skipped)) => out.skipped.push((target.shown.clone(), skipped)),
            None => {}
        }
    }
    out.files = modules.len();
    let beside = beside(&modules, &targets.roots);
    let all: Vec<(&Path, &Module)> = modules
        .iter()
        .map(|(target, module)| (target.path.as_path(), module))
        .chain(beside.iter().map(|(path, module)| (path.as_path(), module)))
        .collect();
    let mut of_programs: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    for (module, found) in source::programs(&all, &targets.roots) {
        of_programs.entry(module).or_default().push(found);
    }
    let scope = Scope::default().narrowed(narrow);
    for (i, (target, module)) in modules.iter_mut().enumerate() {
        let mut found = std::mem::take(&mut module.found);
        found.extend(of_programs.remove(&i).unwrap_or_default());
        found.sort_by(|x, y| (x.place, x.rule).cmp(&(y.place, y.rule)));
        let before = found.len();
        let mut used = BTreeSet::new();
        found.retain(|found| {
            let ignore =
                module.ignores.iter().enumerate().find(|(_, i)| i.speaks_for(found.rule, found.place.line));
            if let Some((i, _)) = ignore {
                used.insert((i, found.rule));
            }
            ignore.is_none()
        });
        out.ignored += before - found.len();
        note(&mut out.program, &found, module);
        for found in &found {
            out.findings.extend(finding(found, target, module, rules, &scope));
        }
        for (i, ignore) in module.ignores.iter().enumerate() {
            let used: Vec<&str> = used.iter().filter(|(at, _)| *at == i).map(|(_, rule)| *rule).collect();
            complain(ignore, &used, target, module, rules, targets.whole, &mut out.findings);
        }
    }
    out.findings.sort_by(|x, y| {
        let key = |f: &Finding| f.location.as_ref().map(|l| (l.path.clone(), l.line, l.column));
        key(x).cmp(&key(y)).then_with(|| x.rule.cmp(&y.rule))
    });
    out
}

/// Modules that programs among the files import and that are not among them: a file that the user names alone still has
/// its helpers.
fn beside(modules: &[(&Target, Module)], roots: &[PathBuf]) -> Vec<(PathBuf, Module)> {
    let known: BTreeSet<&Path> = modules.iter().map(|(target, _)| target.path.as_path()).collect();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut out: Vec<(PathBuf, Module)> = Vec::new();
    let mut open: Vec<Vec<Vec<PathBuf>>> = modules
        .iter()
        .filter(|(_, module)| module.is_entry())
        .flat_map(|(target, module)| module.imports(&target.path, roots))
        .collect();
    while let Some(import) = open.pop() {
        if out.len() >= MOST_BESIDE {
            break;
        }
        // The first folder that has anything of it.
        let found = import.into_iter().find_map(|paths| {
            let there: Vec<PathBuf> =
                paths.into_iter().filter(|p| known.contains(p.as_path()) || is_own(p)).collect();
            (!there.is_empty()).then_some(there)
        });
        for path in found.into_iter().flatten() {
            if known.contains(path.as_path()) || !seen.insert(path.clone()) {
                continue;
            }
            if let Some(Ok(module)) = read(&path) {
                open.extend(module.imports(&path, roots));
                out.push((path, module));
            }
        }
    }
    out.sort_by(|x, y| x.0.cmp(&y.0));
    out
}

/// Whether a file is there and not of an installed package.
fn is_own(path: &Path) -> bool {
    let installed = path.components().any(|c| {
        let name = c.as_os_str();
        name == "site-packages" || name == "dist-packages"
    });
    !installed && path.is_file()
}

fn note(program: &mut Program, found: &[Found], module: &Module) {
    for found in found {
        match found.rule {
            "set-order" => program.iterates_sets = true,
            "hash-as-value" => program.hashes = true,
            "cudnn-benchmark-true" => program.benchmark = true,
            _ => {}
        }
    }
    program.deterministic |= module.is_deterministic();
}

fn rule<'r>(rules: &'r Catalogue, id: &str) -> Option<&'r Rule> {
    rules.find(id)
}

fn location(place: source::Place, target: &Target, module: &Module) -> Location {
    let place = module.place(place);
    Location {
        path: target.shown.clone(),
        line: place.line,
        column: Some(place.column),
        end_column: Some(place.end_column),
    }
}

fn finding(
    found: &Found,
    target: &Target,
    module: &Module,
    rules: &Catalogue,
    scope: &Scope,
) -> Option<Finding> {
    let rule = rule(rules, found.rule).filter(|rule| scope.meets(&rule.scope))?;
    let mut out = environment::finding(rule, Level::Deny, rule.confidence, Vec::new(), None);
    if !found.what.is_empty() {
        out.title = format!("{}: {}", rule.title, found.what);
    }
    out.location = Some(location(found.place, target, module));
    Some(out)
}

/// What is wrong with a comment.
fn complain(
    ignore: &Ignore,
    used: &[&str],
    target: &Target,
    module: &Module,
    rules: &Catalogue,
    whole: bool,
    out: &mut Vec<Finding>,
) {
    let mut say = |id: &str, title: String, remedy: &str| {
        out.push(Finding {
            remedy: Some(remedy.to_owned()),
            location: Some(location(ignore.place, target, module)),
            page: Some(page("reference/lint.md#comments-that-take-a-finding-back")),
            ..Finding::new(id, Level::Warn, title)
        });
    };
    const FORM: &str = "Write `# driftlock: ignore[RULE] reason`.";
    if ignore.rules.is_empty() {
        say(UNMATCHED, "A comment that names no rule takes nothing back".to_owned(), FORM);
        return;
    }
    if ignore.reason.is_empty() {
        let title = format!("`ignore[{}]` does not say why", ignore.rules.join(", "));
        say(NO_REASON, title, FORM);
    }
    for rule in ignore.rules.iter().filter(|rule| !used.contains(&rule.as_str())) {
        // One file of a program does not tell whether a finding on the program is there.
        if !whole && source::is_of_programs(rule) {
            continue;
        }
        let known = source::is_check(rule);
        let title = match known {
            true => format!("`ignore[{rule}]` takes nothing back: the rule finds nothing here"),
            false if rules.find(rule).is_some() => {
                format!("`ignore[{rule}]`: this rule does not judge source")
            }
            false => format!("`ignore[{rule}]`: there is no rule of this name"),
        };
        say(UNMATCHED, title, "Remove the comment, or mend the rule's name (`driftlock rules` lists them).");
    }
}
