//! `driftlock show`.

use std::path::Path;
use std::sync::Arc;

use super::{capture, print};
use crate::cli::show::{Format, Show};
use crate::error::Error;
use crate::exit::Exit;
use crate::host::live::Live;
use crate::probes::Options;
use crate::render;
use crate::snapshot::{FactPath, Snapshot, file, write};

/// Shows a snapshot file, or the live machine.
pub fn run(args: &Show) -> Result<Exit, Error> {
    let live = args.file == Path::new("now");
    let mut snapshot = if live {
        let options = Options { sections: args.section.iter().cloned().collect(), ..Options::default() };
        known_section(args.section.as_deref())?;
        capture::snapshot(Arc::new(Live::new()), options, &capture::Meta::default())
    } else {
        file::read(&args.file)?.1.snapshot
    };
    if let Some(section) = &args.section {
        if !snapshot.sections.contains(section) {
            return Err(Error::input(format!("`{}` holds no section `{section}`", args.file.display()))
                .hint(format!("it holds {}", snapshot.ordered_sections().join(", "))));
        }
        keep(&mut snapshot, section);
    }
    let only = args.section.as_deref();
    let text = match args.format {
        Format::Human => render::human::snapshot(&snapshot, only, render::table::terminal_width()),
        Format::Json => render::json::text(&render::json::snapshot(&snapshot)),
        Format::Toml => write::to_string(&snapshot),
        Format::Markdown => render::markdown::snapshot(&snapshot, only),
        Format::Latex => render::latex::snapshot(&snapshot),
        Format::Html => render::html::snapshot(&snapshot),
    };
    print(text.as_bytes())
}

fn known_section(name: Option<&str>) -> Result<(), Error> {
    let names: Vec<&str> = crate::probes::ALL.iter().map(|p| p.section()).collect();
    match name {
        Some(name) if !names.contains(&name) => Err(Error::input(format!("there is no section `{name}`"))
            .hint(format!("the sections are {}", names.join(", ")))),
        _ => Ok(()),
    }
}

/// Leaves one section and `meta`.
fn keep(snapshot: &mut Snapshot, section: &str) {
    let wanted = |path: &FactPath| path.section() == section || path.section() == "meta";
    snapshot.sections.retain(|s| s == section);
    for facts in [&mut snapshot.facts, &mut snapshot.private, &mut snapshot.volatile, &mut snapshot.results] {
        facts.retain(|path, _| wanted(path));
    }
    snapshot.unknown.retain(|path, _| wanted(path));
}
