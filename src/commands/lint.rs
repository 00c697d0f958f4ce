//! `driftlock lint`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value as Json, json};

use super::{capture, findings, import, load};
use crate::cli::lint::Lint;
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::Catalogue;
use crate::gate::finding::{Finding, Level};
use crate::gate::lines::Lines;
use crate::gate::report::{LintDetails, Skipped};
use crate::host::Host as _;
use crate::host::live::Live;
use crate::lint::environment::{self, Place};
use crate::lint::{files, project};
use crate::probes::Options;
use crate::render::findings::{Format, Run};
use crate::render::table;
use crate::snapshot::Snapshot;
use crate::snapshot::value::shown;

/// What is to be looked at.
struct Plan {
    /// The snapshot: `now` for this machine.
    environment: Option<PathBuf>,
    /// Source files and folders; `Some` of an empty list is the project's.
    source: Option<Vec<PathBuf>>,
}

/// Looks for hazards.
pub fn run(args: &Lint) -> Result<Exit, Error> {
    let started = Instant::now();
    let part = |name: &str| {
        if args.timings {
            anstream::eprintln!("{name} {:.3} ms", started.elapsed().as_secs_f64() * 1e3);
        }
    };
    let plan = plan(args)?;
    let rules = load::rules()?.catalogue;
    part("rules");
    let source = match &plan.source {
        Some(paths) => Some(source(paths, &rules, &args.scope)?),
        None => None,
    };
    if let (None, Some(report)) = (&plan.environment, &source) {
        something_was_read(report)?;
    }
    part("source");
    let mut list = Vec::new();
    let mut of_environment = 0;
    if let Some(path) = &plan.environment {
        let live = path == Path::new("now");
        // What this project's source says holds for this machine, not for a snapshot from elsewhere.
        let program = source.as_ref().filter(|report| live && report.files > 0).map(|report| report.program);
        let (snapshot, text) = snapshot(path, args.verify_packages)?;
        part("captured");
        let lines = text.map(|text| Lines::of(&text));
        let place = lines.as_ref().map(|lines| Place { path, lines });
        list.extend(environment::findings(&rules, &snapshot, &args.scope, program, place));
        of_environment = list.iter().filter(|f| f.level == Level::Deny).count();
    }
    if let Some(report) = &source {
        list.extend(report.findings.iter().cloned());
        for skipped in &report.skipped {
            anstream::eprintln!("{}", shown(&format!("skipped {}", place_and_why(skipped))));
        }
    }
    part("judged");
    let run = report(args, &plan, source.as_ref(), &list, of_environment)?;
    if args.format == Format::Human && !args.all {
        say_once(&mut list);
    }
    let exit = findings::emit(&list, &run, args.format, args.output.as_deref())?;
    part("written");
    Ok(exit)
}

/// Which of the arguments is a snapshot, and what they leave out.
fn plan(args: &Lint) -> Result<Plan, Error> {
    let is_source = |path: &&PathBuf| path.is_dir() || files::language(path).is_some();
    let (source, snapshots): (Vec<&PathBuf>, Vec<&PathBuf>) = args.paths.iter().partition(is_source);
    if let [_, second, ..] = snapshots.as_slice() {
        return Err(Error::input(format!("`{}` is a second snapshot", second.display()))
            .hint("`lint` looks at one; source files end with .py, .pyw or .ipynb"));
    }
    if args.no_source && !source.is_empty() {
        return Err(Error::input("--no-source, and source files are named").hint("leave out one of them"));
    }
    let named = snapshots.first().map(|path| (*path).clone());
    let environment = match named {
        Some(path) => Some(path),
        None if source.is_empty() => Some("now".into()),
        None => None,
    };
    let on = match (args.source, args.no_source) {
        (true, _) => true,
        (_, true) => false,
        // A snapshot that is named is looked at alone.
        _ => !source.is_empty() || args.paths.is_empty(),
    };
    let source = on.then(|| source.into_iter().cloned().collect());
    Ok(Plan { environment, source })
}

fn source(paths: &[PathBuf], rules: &Catalogue, scope: &[String]) -> Result<project::Report, Error> {
    let cwd = Live::new().cwd();
    let targets = match paths {
        [] => files::of_project(&cwd),
        paths => files::of_paths(&cwd, paths)?,
    };
    project::look(&targets, rules, scope)
}

fn place_and_why((path, skipped): &(PathBuf, crate::lint::source::Skipped)) -> String {
    let line = skipped.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}: {}", path.display(), skipped.why)
}

/// Where every file was skipped, nothing was looked at, and a gate must not pass for that.
fn something_was_read(report: &project::Report) -> Result<(), Error> {
    match report.skipped.as_slice() {
        [first, ..] if report.files == 0 => {
            let n = report.skipped.len();
            let others = if n > 1 { format!(", nor {} more", n - 1) } else { String::new() };
            Err(Error::input(format!("cannot read the source: {}{others}", place_and_why(first)))
                .hint("`lint` reads Python 3 in UTF-8 and notebooks; mend the file, or name others"))
        }
        _ => Ok(()),
    }
}

/// The snapshot, and its text where it is a file.
fn snapshot(path: &Path, verify_packages: bool) -> Result<(Snapshot, Option<String>), Error> {
    if path == Path::new("now") {
        let options = Options { verify_packages, ..Options::default() };
        return Ok((capture::snapshot(Arc::new(Live::new()), options, &capture::Meta::default()), None));
    }
    let text = import::text(path)?;
    let snapshot = load::parse(path, &text)?;
    Ok((snapshot, Some(text)))
}

/// What every finding of a rule has in common is said at the first.
fn say_once(list: &mut [Finding]) {
    let mut said = std::collections::BTreeSet::new();
    for finding in list.iter_mut().filter(|f| f.location.is_some() && f.facts.is_empty()) {
        if !said.insert(finding.rule.clone()) {
            (finding.why, finding.magnitude, finding.remedy) = (None, None, None);
            finding.sources.clear();
        }
    }
}

fn report(
    args: &Lint,
    plan: &Plan,
    source: Option<&project::Report>,
    list: &[Finding],
    of_environment: usize,
) -> Result<Run, Error> {
    let environment = plan.environment.as_ref().map(|path| path.display().to_string());
    let mut about = Vec::new();
    if let Some(path) = &environment {
        let name = if path == "now" { "this machine" } else { path };
        about.push(("environment", name.to_owned()));
    }
    if let Some(source) = source {
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let mut text = count(source.files, "file");
        if !source.skipped.is_empty() {
            text.push_str(&format!(", {} skipped", source.skipped.len()));
        }
        if source.ignored > 0 {
            text.push_str(&format!(", {} taken back by comments", count(source.ignored, "finding")));
        }
        about.push(("source", text));
    }
    if !args.scope.is_empty() {
        about.push(("scope", args.scope.join(",")));
    }
    let details = LintDetails {
        environment: environment.clone(),
        scope: args.scope.clone(),
        files: source.map(|s| s.files),
        skipped: source
            .iter()
            .flat_map(|s| &s.skipped)
            .map(|(path, skipped)| Skipped {
                path: path.display().to_string(),
                line: skipped.line,
                why: skipped.why.clone(),
            })
            .collect(),
        ignored: source.map_or(0, |s| s.ignored),
    };
    let details = match serde_json::to_value(details).map_err(Error::bug)? {
        Json::Object(map) => map,
        other => Map::from_iter([("details".to_owned(), json!(other))]),
    };
    let fallback = environment.filter(|path| path != "now" && path != "-");
    Ok(Run {
        command: "lint",
        summary: summary(list, of_environment, source.is_some_and(|s| !s.skipped.is_empty())),
        about,
        fallback: fallback.unwrap_or_else(|| "driftlock.toml".to_owned()),
        details,
        all: args.all,
        width: table::terminal_width(),
    })
}

/// `3 hazards: 1 of the environment, 2 in the source; 1 warning, 2 notes (--all shows them)`.
fn summary(list: &[Finding], of_environment: usize, skipped: bool) -> String {
    let of = |level| list.iter().filter(|f| f.level == level).count();
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (hazards, warnings, notes) = (of(Level::Deny), of(Level::Warn), of(Level::Allow));
    let mut out = match (of_environment, hazards - of_environment) {
        (0, 0) if skipped => "no hazard found in what could be read".to_owned(),
        (0, 0) => "no hazard found".to_owned(),
        (e, 0) => format!("{} of the environment", count(e, "hazard")),
        (0, s) => format!("{} in the source", count(s, "hazard")),
        (e, s) => format!("{}: {e} of the environment, {s} in the source", count(hazards, "hazard")),
    };
    if warnings > 0 {
        out.push_str(&format!("; {}", count(warnings, "warning")));
    }
    if notes > 0 {
        out.push_str(&format!("; {}", count(notes, "note")));
    }
    out
}
