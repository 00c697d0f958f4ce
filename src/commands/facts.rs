//! `driftlock facts`.

use super::print;
use crate::cli::facts::{FactsArgs, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::facts::{FACTS, Fact};
use crate::render;

/// Prints the catalogue.
pub fn run(args: &FactsArgs) -> Result<Exit, Error> {
    let wanted = |fact: &Fact| args.filter.as_ref().is_none_or(|text| fact.path.contains(text.as_str()));
    if !FACTS.iter().any(wanted) {
        let filter = args.filter.as_deref().unwrap_or_default();
        return Err(Error::input(format!("no fact has `{filter}` in its path"))
            .hint("`driftlock facts` lists them all"));
    }
    match args.format {
        Format::Human => print(render::facts::human(&wanted, render::table::terminal_width()).as_bytes()),
        Format::Json => {
            let facts: Vec<&Fact> = FACTS.iter().filter(|f| wanted(f)).collect();
            let list = serde_json::json!({ "schema": "driftlock/facts/1", "facts": facts });
            print(render::json::text(&list).as_bytes())
        }
        Format::Markdown => print(render::facts::markdown().as_bytes()),
        Format::Schema => print(render::json::text(&render::schema::snapshot()).as_bytes()),
    }
}
