//! `driftlock explain` and `driftlock rules`.

use super::{load, print};
use crate::cli::rules::{Explain, Format, Rules};
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::catalogue::{Catalogue, cases};
use crate::render;

/// Prints one rule, whole.
pub fn explain(args: &Explain) -> Result<Exit, Error> {
    let load::Rules { catalogue: rules, own } = load::rules()?;
    let Some(rule) = rules.find(&args.rule) else {
        let near = nearest(&args.rule, rules.rules.iter().map(|r| r.rule.id.as_str()));
        let error = Error::input(format!("there is no rule `{}`", args.rule));
        return Err(match near {
            Some(id) => error.hint(format!("did you mean `{id}`? `driftlock rules` lists them all")),
            None => error.hint("`driftlock rules` lists them all"),
        });
    };
    let own = own.into_iter().find(|(id, _)| *id == rule.id).map(|(_, cases)| cases);
    let cases = own.unwrap_or_else(|| {
        let at = Catalogue::built_in().rules.iter().position(|r| r.rule.id == rule.id);
        at.and_then(|i| cases().into_iter().nth(i)).unwrap_or_default()
    });
    let text = match args.format {
        Format::Human => render::rules::one(rule, &cases, render::table::terminal_width()),
        Format::Json => render::json::text(&render::rules::json(std::iter::once(rule))),
    };
    print(text.as_bytes())
}

/// Lists every rule.
pub fn list(args: &Rules) -> Result<Exit, Error> {
    let rules = load::rules()?.catalogue;
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
