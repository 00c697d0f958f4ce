//! The reader. Snapshots come from strangers: nothing here runs anything, trusts a length, or panics.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FORMAT, FactPath, Facts, RESERVED, Snapshot, Value};

/// The largest snapshot that is read, in bytes. A capture of 1,000 packages takes about 0.3 MB.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// A snapshot and what its file claims of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The facts.
    pub snapshot: Snapshot,
    /// The fingerprint as written.
    pub fingerprint: Option<String>,
    /// The section digests as written.
    pub digests: BTreeMap<String, String>,
}

/// Why a text is not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1, where it can be named.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ReadError {}

/// Reads the text of a snapshot file.
pub fn from_str(text: &str) -> Result<Read, ReadError> {
    let at = |offset: usize| Some(text[..offset.min(text.len())].bytes().filter(|b| *b == b'\n').count() + 1);
    let root = DeTable::parse(text).map_err(|e| ReadError {
        line: e.span().and_then(|s| at(floor(text, s.start))),
        what: e.message().to_owned(),
        hint: Some(
            "the file is damaged or was edited by hand; capture again, or restore it from git".to_owned(),
        ),
    })?;
    let root = root.into_inner();
    let fail = |span: std::ops::Range<usize>, what: String| ReadError {
        line: at(floor(text, span.start)),
        what,
        hint: None,
    };

    check_format(&root, at)?;
    let mut read = Read::default();
    for (key, value) in &root {
        let name: &str = key.get_ref();
        let span = value.span();
        match (name, value.get_ref()) {
            ("format", _) => {}
            ("fingerprint", DeValue::String(text)) => read.fingerprint = Some(text.to_string()),
            ("digest", DeValue::Table(table)) => {
                for (section, digest) in table {
                    let DeValue::String(digest_text) = digest.get_ref() else {
                        return Err(fail(
                            digest.span(),
                            format!("the digest of `{}` is not text", section.get_ref()),
                        ));
                    };
                    let section = section.get_ref().to_string();
                    read.snapshot.sections.insert(section.clone());
                    read.digests.insert(section, digest_text.to_string());
                }
            }
            ("unknown", DeValue::Table(table)) => {
                for (path, reason) in table {
                    let parsed: FactPath = path
                        .get_ref()
                        .parse()
                        .map_err(|e| fail(path.span(), format!("in [unknown]: {e}")))?;
                    let DeValue::String(reason_text) = reason.get_ref() else {
                        return Err(fail(reason.span(), format!("the reason for `{parsed}` is not text")));
                    };
                    read.snapshot.unknown.insert(parsed, reason_text.to_string());
                }
            }
            ("private" | "volatile" | "result", DeValue::Table(table)) => {
                let mut facts = Facts::new();
                flatten(table, &mut Vec::new(), &mut facts).map_err(|(span, what)| fail(span, what))?;
                let snapshot = &mut read.snapshot;
                match name {
                    "private" => snapshot.private = facts,
                    "volatile" => snapshot.volatile = facts,
                    _ => {
                        // Results have no digest that would list their sections.
                        snapshot.sections.extend(facts.keys().map(|path| path.section().to_owned()));
                        snapshot.results = facts;
                    }
                }
            }
            (_, DeValue::Table(table)) if name == "meta" || !RESERVED.contains(&name) => {
                let facts = if name == "meta" { &mut read.snapshot.meta } else { &mut read.snapshot.facts };
                flatten(table, &mut vec![name.to_owned()], facts).map_err(|(span, what)| fail(span, what))?;
                if name != "meta" {
                    read.snapshot.sections.insert(name.to_owned());
                }
            }
            _ => {
                return Err(fail(
                    span,
                    format!("`{}` is not what a snapshot holds there", super::value::shown(name)),
                ));
            }
        }
    }
    let results = read.snapshot.unknown.keys().map(FactPath::section).filter(|s| crate::facts::is_result(s));
    let results: Vec<String> = results.map(str::to_owned).collect();
    read.snapshot.sections.extend(results);
    Ok(read)
}

/// `offset`, moved back onto a character boundary.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

fn check_format(root: &DeTable<'_>, at: impl Fn(usize) -> Option<usize>) -> Result<(), ReadError> {
    let not_a_snapshot = |line| ReadError {
        line,
        what: "not a driftlock snapshot: `format` is missing".to_owned(),
        hint: Some("a snapshot is what `driftlock capture` writes".to_owned()),
    };
    let format = root.get("format").ok_or_else(|| not_a_snapshot(None))?;
    let line = at(format.span().start);
    let number = match format.get_ref() {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok(),
        _ => None,
    };
    match number {
        Some(1..=FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => Err(ReadError {
            line,
            what: format!("the snapshot is of format {newer}, and this driftlock reads up to {FORMAT}"),
            hint: Some("upgrade driftlock".to_owned()),
        }),
        _ => Err(ReadError { line, what: "`format` is not a format number".to_owned(), hint: None }),
    }
}

type Fault = (std::ops::Range<usize>, String);

fn flatten(table: &DeTable<'_>, at: &mut Vec<String>, facts: &mut Facts) -> Result<(), Fault> {
    for (key, value) in table {
        at.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(sub) => flatten(sub, at, facts)?,
            other => {
                let path = FactPath::new(at.iter().cloned());
                let value = scalar(other).map_err(|what| (value.span(), format!("`{path}` {what}")))?;
                facts.insert(path, value);
            }
        }
        at.pop();
    }
    Ok(())
}

/// A value of TOML as one of a fact.
///
/// # Errors
///
/// What a snapshot cannot hold.
pub fn scalar(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::Str(text.to_string()),
        DeValue::Integer(number) => Value::Int(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| "is not a 64-bit number".to_owned())?,
        ),
        DeValue::Float(number) => {
            Value::Float(number.as_str().parse().map_err(|_| "is not a number".to_owned())?)
        }
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Array(items) => Value::List(
            items.iter().map(|v: &Spanned<DeValue<'_>>| scalar(v.get_ref())).collect::<Result<_, _>>()?,
        ),
        DeValue::Datetime(_) => return Err("is a date; snapshots hold dates as text".to_owned()),
        DeValue::Table(_) => return Err("is a table inside a list".to_owned()),
    })
}

/// A value of the `toml` crate as a fact's value; for configuration files and tests.
pub fn value_of(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::Str(text.clone()),
        toml::Value::Integer(number) => Value::Int(*number),
        toml::Value::Float(number) => Value::Float(*number),
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(date) => Value::Str(date.to_string()),
        toml::Value::Array(items) => Value::List(items.iter().map(value_of).collect::<Result<_, _>>()?),
        toml::Value::Table(_) => return Err("is a table inside a list".to_owned()),
    })
}
