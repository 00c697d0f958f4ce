//! `driftlock explain` and `driftlock rules`.

use super::print;
use crate::cli::rules::{Explain, Format, Rules};
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::Catalogue;
use crate::explain::catalogue::cases;
use crate::render;

/// Prints one rule, whole.
pub fn explain(args: &Explain) -> Result<Exit, Error> {
    let rules = Catalogue::built_in();
    let Some(rule) = rules.find(&args.rule) else {
        let near = nearest(&args.rule, rules.rules.iter().map(|r| r.rule.id.as_str()));
        let error = Error::input(format!("there is no rule `{}`", args.rule));
        return Err(match near {
            Some(id) => error.hint(format!("did you mean `{id}`? `driftlock rules` lists them all")),
            None => error.hint("`driftlock rules` lists them all"),
        });
    };
    let at = rules.rules.iter().position(|r| r.rule.id == rule.id);
    let cases = at.and_then(|i| cases().into_iter().nth(i)).unwrap_or_default();
    let text = match args.format {
        Format::Human => render::rules::one(rule, &cases, render::table::terminal_width()),
        Format::Json => render::json::text(&render::rules::json(std::iter::once(rule))),
    };
    print(text.as_bytes())
}

/// Lists every rule.
pub fn list(args: &Rules) -> Result<Exit, Error> {
    let rules = Catalogue::built_in();
    let text = match args.format {
        Format::Human => render::rules::list(&rules, render::table::terminal_width()),
        Format::Json => render::json::text(&render::rules::json(rules.rules.iter().map(|r| &r.rule))),
    };
    print(text.as_bytes())
}

/// The id that shares the most with what was typed, if it is near.
fn nearest<'r>(typed: &str, ids: impl Iterator<Item = &'r str>) -> Option<&'r str> {
    let likeness = |id: &str| similar::TextDiff::from_chars(typed, id).ratio();
    let best = ids.map(|id| (likeness(id), id)).max_by(|x, y| x.0.total_cmp(&y.0));
    best.filter(|(likeness, _)| *likeness > 0.6).map(|(_, id)| id)
}
