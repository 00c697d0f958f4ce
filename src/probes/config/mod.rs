//! The `config` section: the values of each `--config FILE`, flattened.
//!
//! `--config FILE` puts the file's keys right below `config`, whatever the file is called and however many there are,
//! so that two runs with `a.yaml` and `b.yaml` compare key by key. `--config NAME=FILE` puts them below
//! `config.NAME`. Two files that give one key different values are the user's error: only the program knows which one
//! wins. docs/reference/config.md describes formats and types.

pub(crate) mod dotenv;
mod hydra;
pub(crate) mod ini;
mod json;
mod node;
pub(crate) mod source;
mod tables;
mod yaml;

use std::path::Path;

use super::{Context, Options, Probe, ProbeError, Sink};
use crate::error::Error;
use crate::host::Host;
use crate::redact::{DisplayUrl, Labels, Redacted, env_value};
use crate::snapshot::Value;

/// The segment below `config` that holds what is said of the files themselves. A key of this name would be an odd
/// one, and could only share the table, not the facts.
const FILES: &str = "--config";

/// See the module.
pub struct Config;

impl Probe for Config {
    fn section(&self) -> &'static str {
        "config"
    }

    fn wanted(&self, options: &Options) -> bool {
        !options.config.is_empty()
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let loaded = source::load_all(cx.host.as_ref(), &cx.options.config).map_err(ProbeError::new)?;
        for file in loaded.files {
            let label = super::data::label(&cx.labels, &file.path);
            out.set_at([FILES, &label, "format"], file.format);
            out.set_at([FILES, &label, "digest"], file.digest);
        }
        for (path, value) in loaded.values {
            let name = path.iter().rev().find(|s| !s.bytes().all(|b| b.is_ascii_digit())).cloned();
            out.set_at(path, clean(&cx.labels, &name.unwrap_or_default(), value));
        }
        Ok(())
    }
}

/// Reads every `--config` file, and refuses what cannot be read or parsed, before any work starts.
///
/// # Errors
/// The user's: names the file, the line where there is one, and the remedy.
pub fn check(host: &dyn Host, options: &Options) -> Result<(), Error> {
    source::load_all(host, &options.config).map(|_| ()).map_err(|fault| {
        let error = Error::input(&fault);
        match fault.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// The values of a JSON (`json`) or YAML text that a tracker wrote, by their keys.
pub(crate) fn values(text: &str, json: bool) -> Result<Vec<(Vec<String>, Value)>, String> {
    let nodes = if json { json::parse(text).map(|node| vec![node]) } else { yaml::parse(text) };
    let flat = nodes.and_then(|nodes| nodes.first().map_or(Ok(Vec::new()), node::flatten));
    flat.map_err(|e| match e.line {
        Some(line) => format!("line {line}: {}", e.what),
        None => e.what,
    })
}

/// A value as it may be written: secrets as digests, URLs without credentials, absolute paths relative to what they
/// belong to.
pub(crate) fn clean(labels: &Labels, name: &str, value: Value) -> Value {
    match value {
        Value::Str(text) => Value::Str(match env_value(name, &text) {
            Redacted::Secret(stand_in) => stand_in,
            Redacted::Clear(text) if text.contains("://") => DisplayUrl::new(&text).to_string(),
            Redacted::Clear(text) if text.starts_with('/') => labels.show(Path::new(&text)),
            Redacted::Clear(text) => text,
        }),
        Value::List(items) => Value::List(items.into_iter().map(|item| clean(labels, name, item)).collect()),
        Value::Int(_) | Value::Float(_) => match env_value(name, &value.plain()) {
            Redacted::Secret(stand_in) => Value::Str(stand_in),
            Redacted::Clear(_) => value,
        },
        Value::Bool(_) => value,
    }
}
