//! The snapshot as JSON: the same tree as the TOML file, with a schema name.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::snapshot::{FactPath, Facts, Snapshot, Value, digest};

/// The schema that `docs/reference/snapshot.schema.json` describes.
pub const SCHEMA: &str = "driftlock/snapshot/1";

/// The tree of a snapshot.
pub fn snapshot(snapshot: &Snapshot) -> Json {
    let digests = digest::sections(snapshot);
    let mut root = Map::new();
    root.insert("schema".to_owned(), json!(SCHEMA));
    root.insert("format".to_owned(), json!(crate::snapshot::FORMAT));
    root.insert("fingerprint".to_owned(), json!(digest::fingerprint(&digests)));
    root.insert("digest".to_owned(), json!(digests));
    for section in snapshot.ordered_sections().into_iter().filter(|s| !crate::facts::is_result(s)) {
        root.insert(section.to_owned(), json!({}));
        put(&mut root, Snapshot::of_section(&snapshot.facts, section));
    }
    let unknown: Map<String, Json> =
        snapshot.unknown.iter().map(|(p, reason)| (p.to_string(), json!(reason))).collect();
    root.insert("unknown".to_owned(), Json::Object(unknown));
    let apart =
        [("private", &snapshot.private), ("volatile", &snapshot.volatile), ("result", &snapshot.results)];
    for (name, facts) in apart.into_iter().filter(|(name, facts)| *name != "result" || !facts.is_empty()) {
        root.insert(name.to_owned(), tree(facts));
    }
    put(&mut root, snapshot.meta.iter());
    Json::Object(root)
}

fn tree(facts: &Facts) -> Json {
    let mut root = Map::new();
    put(&mut root, facts.iter());
    Json::Object(root)
}

fn put<'a>(root: &mut Map<String, Json>, facts: impl Iterator<Item = (&'a FactPath, &'a Value)>) {
    for (path, value) in facts {
        let Some((last, above)) = path.segments().split_last() else {
            continue;
        };
        let mut table = &mut *root;
        for segment in above {
            let next = table.entry(segment.clone()).or_insert_with(|| json!({}));
            if !next.is_object() {
                *next = json!({});
            }
            let Some(inner) = next.as_object_mut() else { return };
            table = inner;
        }
        table.insert(last.clone(), of(value));
    }
}

/// A value; a number that JSON cannot hold (infinity) is its TOML text.
pub fn of(value: &Value) -> Json {
    match value {
        Value::Str(text) => json!(text),
        Value::Int(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::Float(number) if number.is_finite() => json!(number),
        Value::Float(_) => json!(value.to_string()),
        Value::List(items) => Json::Array(items.iter().map(of).collect()),
    }
}

/// Indented text with a line feed at the end. Characters that act on a terminal, which JSON allows in strings, are
/// written as escapes.
pub fn text(value: &Json) -> String {
    let mut out = String::new();
    for c in format!("{value:#}\n").chars() {
        if c != '\n' && crate::snapshot::value::is_unprintable(c) {
            let _infallible = write!(out, "\\u{:04x}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}
