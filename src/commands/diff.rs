//! `driftlock diff`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Instant;

use super::{load, print};
use crate::cli::diff::{Diff, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::{Outcome, compare, observed, report};
use crate::gate::comparable::one_sided;
use crate::outputs::record;
use crate::render;
use crate::render::diff::Names;
use crate::selftest;
use crate::snapshot::file;

/// Compares two sides and explains what differs.
pub fn run(args: &Diff) -> Result<Exit, Error> {
    if args.outputs {
        return outputs(args);
    }
    let mut parts = Parts::new(args.timings);
    let (mut a, mut b) = load::pair(&args.a, &args.b)?;
    one_sided(&mut a, &mut b);
    parts.done("read");
    let rules = load::rules()?.catalogue;
    parts.done("rules");
    let observed = observed::observe(&a, &b, |snapshot| {
        let path = if std::ptr::eq(snapshot, &raw const a) { &args.a } else { &args.b };
        record::outputs(snapshot, &|suffix| std::fs::read(load::beside(path, suffix)).ok())
    });
    parts.done("outputs");
    let compared = compare(&a, &b, &args.scope);
    parts.done("compared");
    let mut explanation = compared.judge(&rules, observed);
    parts.done("judged");
    let beside = |path: &Path, suffix: &str| std::fs::read(load::beside(path, suffix)).ok();
    let tests = selftest::facts::of_both(
        [&a, &b],
        [&|suffix| beside(&args.a, suffix), &|suffix| beside(&args.b, suffix)],
    );
    if let Some([left, right]) = tests {
        let comparison = selftest::verdict::compare(&left, &right);
        crate::explain::selftest::weigh(&mut explanation, &comparison, left.library);
    }
    parts.done("self-tests");
    let names = Names { a: args.a.display().to_string(), b: args.b.display().to_string() };
    let report = || report::report(&explanation, report::side(&names.a, &a), report::side(&names.b, &b));
    let text = match args.format {
        _ if args.fix => render::diff::fix::text(&explanation),
        Format::Human => {
            render::diff::human::text(&explanation, &report(), args.all, render::table::terminal_width())
        }
        Format::Json => render::json::text(&serde_json::to_value(report()).map_err(Error::bug)?),
        Format::Markdown => render::diff::markdown::text(&report(), args.all),
        Format::Html => render::diff::html::text(&report()),
        Format::Unified => render::diff::unified::text(&names, &a, &b),
    };
    match &args.output {
        Some(path) => file::write(path, anstream::adapter::strip_str(&text).to_string().as_bytes())?,
        None => drop(print(text.as_bytes())?),
    }
    parts.done("write");
    // The process is about to end: its memory goes back at once, and not value by value.
    let explanation = std::mem::ManuallyDrop::new(explanation);
    std::mem::forget((a, b, rules));
    let quiet = matches!(explanation.verdict.outcome, Outcome::Identical | Outcome::Same);
    Ok(if quiet && explanation.causes.is_empty() { Exit::Clean } else { Exit::Found })
}

/// How long the parts take, for `tests/bench/diff.sh`.
struct Parts {
    last: Option<Instant>,
}

impl Parts {
    fn new(wanted: bool) -> Self {
        Self { last: wanted.then(Instant::now) }
    }

    /// Prints how long it is since the part before.
    fn done(&mut self, name: &str) {
        if let Some(last) = &mut self.last {
            anstream::eprintln!("{name} {:.3} ms", last.elapsed().as_secs_f64() * 1e3);
            *last = Instant::now();
        }
    }
}

/// Compares what two runs wrote, number by number.
fn outputs(args: &Diff) -> Result<Exit, Error> {
    use crate::outputs::compare::command;
    let format = match args.format {
        Format::Human => command::Format::Human,
        Format::Json => command::Format::Json,
        _ => {
            return Err(
                Error::input("--outputs prints human or json").hint("--format human or --format json")
            );
        }
    };
    let options = crate::outputs::Options { progress: std::io::stderr().is_terminal() };
    let (text, exit) = command::command(&args.a, &args.b, format, &options)?;
    match &args.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => drop(print(text.as_bytes())?),
    }
    Ok(exit)
}
