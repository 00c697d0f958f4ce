//! The catalogue of facts, for people and for the reference.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::facts::{Class, Compare, FACTS, Fact, SECTIONS, Type};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const NAME: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The prose of `docs/reference/snapshot.md`; the tables of facts follow it.
const FORMAT: &str = include_str!("../facts/snapshot.md");

/// The facts that `wanted` keeps, in lines of at most `width` columns.
pub fn human(wanted: &dyn Fn(&Fact) -> bool, width: u16) -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let mut heading = false;
        for fact in FACTS.iter().filter(|f| f.path.split('.').next() == Some(section.name) && wanted(f)) {
            if !heading {
                let _infallible =
                    writeln!(out, "{HEADING}{}{HEADING:#} {DIM}[{}]{DIM:#}", section.title, section.name);
                heading = true;
            }
            let _infallible = writeln!(out, "  {NAME}{}{NAME:#}  {DIM}{}{DIM:#}", fact.path, kind(fact));
            fill(&mut out, fact.doc, width);
            if let Some(caveats) = fact.caveats {
                fill(&mut out, &format!("But: {caveats}"), width);
            }
            fill(&mut out, &format!("Found by: {}.", fact.found_by.join("; then ")), width);
            if let Some(source) = &fact.source {
                let url = source.url.map(|u| format!(" <{u}>")).unwrap_or_default();
                fill(&mut out, &format!("Source: {}{url}.", source.title), width);
            }
        }
        if heading {
            out.push('\n');
        }
    }
    out
}

/// `list of text, as a set, identity`.
fn kind(fact: &Fact) -> String {
    let kind = match fact.kind {
        Type::String => "text",
        Type::Int | Type::Float => fact.unit.unwrap_or("number"),
        Type::Bool => "yes or no",
        Type::List => "list",
        Type::Any => "any value",
    };
    let class = match fact.class {
        Class::Identity => "identity",
        Class::Capacity => "capacity",
        Class::Volatile => "volatile",
        Class::Private => "private",
        Class::Result => "result",
    };
    let compare = match fact.compare {
        Compare::Exact | Compare::Number => "",
        Compare::Version => ", as a version",
        Compare::Set => ", as a set",
        Compare::List => ", in order",
        Compare::Text => ", line by line",
        Compare::Digest => ", by digest",
    };
    format!("{kind}, {class}{compare}")
}

/// Wraps `text` at `width`, indented by four spaces.
fn fill(out: &mut String, text: &str, width: u16) {
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column == 0 || column + 1 + length > usize::from(width) {
            out.push_str(if column == 0 { "    " } else { "\n    " });
            column = 4 + length;
        } else {
            out.push(' ');
            column += 1 + length;
        }
        out.push_str(word);
    }
    out.push('\n');
}

/// `docs/reference/snapshot.md`.
pub fn markdown() -> String {
    let mut out = FORMAT.to_owned();
    for section in SECTIONS {
        let _infallible = writeln!(out, "\n### `{}`: {}\n\n{}\n", section.name, section.title, section.doc);
        out.push_str("| fact | kind | meaning |\n| --- | --- | --- |\n");
        for fact in FACTS.iter().filter(|f| f.path.split('.').next() == Some(section.name)) {
            let mut doc = fact.doc.to_owned();
            if !fact.values.is_empty() {
                let _infallible = write!(doc, " One of `{}`.", fact.values.join("`, `"));
            }
            if let Some(caveats) = fact.caveats {
                let _infallible = write!(doc, " *But:* {caveats}");
            }
            let _infallible = write!(doc, "<br>Found by {}.", fact.found_by.join("; then "));
            if let Some(source) = &fact.source {
                let link = source
                    .url
                    .map_or_else(|| source.title.to_owned(), |u| format!("[{}]({u})", source.title));
                let _infallible = write!(doc, " Source: {link}.");
            }
            let doc = doc.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ");
            let _infallible = writeln!(out, "| `{}` | {} | {doc} |", fact.path, kind(fact));
        }
    }
    out
}
