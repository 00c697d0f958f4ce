//! The canonical writer: equal snapshots give equal bytes.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::value::write_str;
use super::{FORMAT, FactPath, Facts, Snapshot, Value, digest, path::is_bare};
use crate::facts;

/// A table of the file: keys to values or further tables, in path order.
#[derive(Default)]
struct Table<'a> {
    values: BTreeMap<Key<'a>, &'a Value>,
    tables: BTreeMap<Key<'a>, Table<'a>>,
}

/// A key, ordered as [`FactPath`] orders segments.
#[derive(PartialEq, Eq)]
struct Key<'a>(&'a str);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        FactPath::new([self.0]).cmp(&FactPath::new([other.0]))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The snapshot as the text of its file.
pub fn to_string(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    write(snapshot, &mut out).unwrap_or_else(|_| unreachable!("writing to a String does not fail"));
    out
}

fn write(snapshot: &Snapshot, out: &mut String) -> fmt::Result {
    let digests = digest::sections(snapshot);
    out.push_str("# Written by driftlock; `driftlock verify` checks the digests, `driftlock facts` explains each fact.\n");
    writeln!(out, "format = {FORMAT}")?;
    writeln!(out, "fingerprint = \"{}\"", digest::fingerprint(&digests))?;
    out.push_str("\n[digest]\n");
    for (name, value) in &digests {
        write_key(out, name)?;
        writeln!(out, " = \"{value}\"")?;
    }
    for section in snapshot.ordered_sections() {
        tables(out, &[], &tree(Snapshot::of_section(&snapshot.facts, section)))?;
    }
    if !snapshot.unknown.is_empty() {
        out.push_str("\n# Could not be looked at, and why.\n[unknown]\n");
        for (path, reason) in &snapshot.unknown {
            write_key(out, &path.to_string())?;
            out.push_str(" = ");
            write_str(out, reason)?;
            out.push('\n');
        }
    }
    apart(
        out,
        "private",
        "Digests of names: they tell whether two are the same, and are not part of the fingerprint.",
        &snapshot.private,
    )?;
    apart(out, "volatile", "Changes by itself and is never drift.", &snapshot.volatile)?;
    apart(out, "result", "What the run produced; not part of the fingerprint.", &snapshot.results)?;
    tables(out, &[], &tree(snapshot.meta.iter()))
}

/// The facts of a map that stands apart from the sections.
fn apart(out: &mut String, name: &str, comment: &str, facts: &Facts) -> fmt::Result {
    if facts.is_empty() {
        return Ok(());
    }
    write!(out, "\n# {comment}")?;
    tables(out, &[name], &tree(facts.iter()))
}

fn tree<'a>(facts: impl Iterator<Item = (&'a FactPath, &'a Value)>) -> Table<'a> {
    let mut root = Table::default();
    for (path, value) in facts {
        if let Some((last, above)) = path.segments().split_last() {
            let mut table = &mut root;
            for segment in above {
                table = table.tables.entry(Key(segment)).or_default();
            }
            table.values.insert(Key(last), value);
        }
    }
    root
}

/// Writes the tables below `header`, depth first.
fn tables<'a>(out: &mut String, header: &[&'a str], table: &Table<'a>) -> fmt::Result {
    table.tables.iter().try_for_each(|(key, sub)| table_at(out, header, key, sub))
}

/// Writes the table `key` below `header` and what is in it.
fn table_at<'a>(out: &mut String, header: &[&'a str], key: &Key<'a>, table: &Table<'a>) -> fmt::Result {
    let header: Vec<&str> = header.iter().copied().chain([key.0]).collect();
    let (inline, rest): (Vec<_>, Vec<_>) = table.tables.iter().partition(|(_, t)| is_inline(&header, t));
    if !table.values.is_empty() || !inline.is_empty() {
        writeln!(out, "\n[{}]", FactPath::new(header.iter().copied()))?;
    }
    // In a TOML table, plain keys and inline tables come before the headers of sub-tables.
    for (key, value) in &table.values {
        write_key(out, key.0)?;
        out.push_str(" = ");
        write_value(out, value)?;
        out.push('\n');
    }
    for (key, sub) in inline {
        write_key(out, key.0)?;
        out.push_str(" = { ");
        // The version first: it is what a reader of the line looks for.
        let (version, others): (Vec<_>, Vec<_>) = sub.values.iter().partition(|(key, _)| key.0 == "version");
        for (i, (key, value)) in version.into_iter().chain(others).enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            write_key(out, key.0)?;
            write!(out, " = {value}")?;
        }
        out.push_str(" }\n");
    }
    rest.into_iter().try_for_each(|(key, sub)| table_at(out, &header, key, sub))
}

/// Whether the catalogue asks for the tables below this header to stand on one line each.
fn is_inline(header: &[&str], table: &Table<'_>) -> bool {
    let header = match header {
        ["private" | "volatile" | "result", rest @ ..] => rest,
        all => all,
    };
    table.tables.is_empty() && !table.values.is_empty() && facts::is_inline(header)
}

fn write_key(out: &mut String, key: &str) -> fmt::Result {
    if is_bare(key) { out.write_str(key) } else { write_str(out, key) }
}

/// A value on its line; text with line breaks as a multi-line string, long lists one item per line.
fn write_value(out: &mut String, value: &Value) -> fmt::Result {
    match value {
        Value::Str(text) if text.contains('\n') => {
            out.push_str("\"\"\"\n");
            for line in text.split_inclusive('\n') {
                let (line, end) = line.strip_suffix('\n').map_or((line, ""), |l| (l, "\n"));
                let mut quoted = String::new();
                write_str(&mut quoted, line)?;
                out.push_str(&quoted[1..quoted.len() - 1]);
                out.push_str(end);
            }
            out.push_str("\"\"\"");
            Ok(())
        }
        Value::List(items) => {
            let one_line = value.to_string();
            if one_line.len() <= 100 || items.len() < 2 {
                return out.write_str(&one_line);
            }
            out.push_str("[\n");
            for item in items {
                writeln!(out, "  {item},")?;
            }
            out.write_str("]")
        }
        other => write!(out, "{other}"),
    }
}
