//! From what `--config` says to files, their formats and their values.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::node::{Node, ParseError, flatten};
use super::{dotenv, hydra, ini, json, tables, yaml};
use crate::data::Name;
use crate::host::{FileKind, Host};
use crate::snapshot::{Value, digest::sha256};

/// The most bytes of one configuration file.
pub(super) const SIZE: usize = 10 << 20;

/// Why the configuration cannot be recorded; always the user's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: PathBuf,
    pub(super) line: Option<usize>,
    pub(super) what: String,
    pub(super) hint: Option<&'static str>,
}

impl Fault {
    fn new(path: &Path, what: impl ToString, hint: Option<&'static str>) -> Self {
        Self { path: path.to_path_buf(), line: None, what: what.to_string(), hint }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--config {}", Name::from(&self.path))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything that `--config` names.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) files: Vec<LoadedFile>,
    pub(super) values: BTreeMap<Vec<String>, Value>,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct LoadedFile {
    pub(super) path: PathBuf,
    pub(super) format: &'static str,
    /// `sha256:…` of its bytes.
    pub(super) digest: String,
}

/// Reads every file in the order given.
pub(super) fn load_all(host: &dyn Host, given: &[PathBuf]) -> Result<Loaded, Fault> {
    let mut loaded = Loaded::default();
    let mut owners: BTreeMap<Vec<String>, PathBuf> = BTreeMap::new();
    for given in given {
        let (name, path) = split(host, given);
        let values = match host.stat(&path) {
            Ok(stat) if stat.kind == FileKind::Dir => hydra::load(host, &path, &mut loaded.files)?,
            _ => flat(&path, &load(host, &path, &mut loaded.files)?)?,
        };
        for (mut key, value) in values {
            if let Some(name) = &name {
                key.insert(0, name.clone());
            }
            if let Some(taken) = taken(&loaded.values, &key, &value) {
                let other = owners.get(taken).map(|p| Name::from(p).to_string()).unwrap_or_default();
                return Err(Fault::new(
                    &path,
                    format!("`{}` has another value in {other}", key.join(".")),
                    Some(
                        "name one of the files, --config NAME=FILE, or give the file that your program writes after merging them",
                    ),
                ));
            }
            owners.entry(key.clone()).or_insert_with(|| path.clone());
            loaded.values.insert(key, value);
        }
    }
    Ok(loaded)
}

/// `NAME=FILE`, unless the whole is a path that exists (`lr=0.1/.hydra`).
fn split(host: &dyn Host, given: &Path) -> (Option<String>, PathBuf) {
    let named = given.to_str().filter(|_| !host.exists(given)).and_then(|text| text.split_once('='));
    match named {
        Some((name, path)) if crate::snapshot::path::is_bare(name) => {
            (Some(name.to_owned()), PathBuf::from(path))
        }
        _ => (None, given.to_path_buf()),
    }
}

/// The key that stands in the way of this one: the same with another value, one above it, or one below it.
fn taken<'a>(
    values: &'a BTreeMap<Vec<String>, Value>,
    key: &[String],
    value: &Value,
) -> Option<&'a Vec<String>> {
    if let Some((same, other)) = values.get_key_value(key) {
        return (other != value).then_some(same);
    }
    let above = (1..key.len()).filter_map(|n| key.get(..n)).find_map(|above| values.get_key_value(above));
    let mut after = values.range(key.to_vec()..);
    above.or_else(|| after.next().filter(|(next, _)| next.starts_with(key))).map(|(key, _)| key)
}

/// The formats that a file's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Toml,
    Json,
    Ini,
    Dotenv,
}

impl Format {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        if name == ".env" || name.starts_with(".env.") {
            return Some(Self::Dotenv);
        }
        match name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "ini" | "cfg" | "conf" => Some(Self::Ini),
            "env" => Some(Self::Dotenv),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Ini => "ini",
            Self::Dotenv => "dotenv",
        }
    }

    fn parse(self, text: &str) -> Result<Vec<Node>, ParseError> {
        match self {
            Self::Yaml => yaml::parse(text),
            Self::Toml => tables::parse(text).map(|node| vec![node]),
            Self::Json => json::parse(text).map(|node| vec![node]),
            Self::Ini => ini::parse(text).map(|node| vec![node]),
            Self::Dotenv => dotenv::parse(text).map(|node| vec![node]),
        }
    }
}

/// Reads one file: its documents, of which only YAML can have several.
pub(super) fn load(host: &dyn Host, path: &Path, files: &mut Vec<LoadedFile>) -> Result<Vec<Node>, Fault> {
    let fault = |what: &str, hint| Fault::new(path, what, hint);
    let Some(format) = Format::of(path) else {
        return Err(match path.extension().and_then(|e| e.to_str()) {
            Some("py") => fault(
                "a program, not a configuration file",
                Some(
                    "driftlock does not run it; write the values that it makes to a JSON or YAML file and give that",
                ),
            ),
            _ => fault(
                "its name does not tell its format",
                Some(
                    "names that do: *.yaml, *.yml, *.toml, *.json, *.ini, *.cfg, *.conf, *.env, .env, .env.*, and a folder with .hydra in it",
                ),
            ),
        });
    };
    let bytes = host.read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => fault("no such file", Some("paths are relative to the working folder")),
        io::ErrorKind::FileTooLarge => too_large(path),
        _ => Fault::new(path, crate::error::reason(&error), None),
    })?;
    if bytes.len() > SIZE {
        return Err(too_large(path));
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        Fault { line: Some(line), ..fault("not UTF-8", Some("save the file as UTF-8")) }
    })?;
    let documents = format.parse(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|e| at(path, e))?;
    files.push(LoadedFile { path: path.to_path_buf(), format: format.name(), digest: sha256(&bytes) });
    Ok(documents)
}

fn too_large(path: &Path) -> Fault {
    let hint = "a configuration holds settings; record large files with --data";
    Fault::new(path, format!("larger than {} MB", SIZE >> 20), Some(hint))
}

fn at(path: &Path, error: ParseError) -> Fault {
    Fault { line: error.line, ..Fault::new(path, error.what, None) }
}

/// The values of a file by their keys; of several documents, each below its index.
pub(super) fn flat(path: &Path, documents: &[Node]) -> Result<Vec<(Vec<String>, Value)>, Fault> {
    let mut out = Vec::new();
    for (i, document) in documents.iter().enumerate() {
        for (mut key, value) in flatten(document).map_err(|e| at(path, e))? {
            if documents.len() > 1 {
                key.insert(0, i.to_string());
            }
            out.push((key, value));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const FORMATS: [Format; 5] = [Format::Yaml, Format::Toml, Format::Json, Format::Ini, Format::Dotenv];

    /// Pieces that make something a parser would go far into.
    const PIECES: [&str; 28] = [
        "a", "b: ", "- ", "\n", "  ", "[", "]", "{", "}", "&x ", "*x", "<<: ", "\"", "'", "#", "=", "1e-3",
        "!t ", "---\n", ",", ":", "\\", "NaN", "|\n", "%", "é", "[[", "\t",
    ];

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            for format in FORMATS {
                let _any = format.parse(&text).map(|nodes| flat(Path::new("x"), &nodes));
            }
        }

        #[test]
        fn no_likely_text_panics(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..60)) {
            let text: String = pieces.concat();
            for format in FORMATS {
                let _any = format.parse(&text).map(|nodes| flat(Path::new("x"), &nodes));
            }
        }
    }

    #[test]
    fn deep_and_bombs_are_refused_and_not_followed() {
        let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let line = |i: usize| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
        let bomb: String = ["a0: &a0 [x]\n".to_owned()].into_iter().chain((1..30).map(line)).collect();
        let chain: String =
            (1..100_000).fold("a0: &a0 [x]\n".to_owned(), |t, i| t + &format!("a{i}: &a{i} [*a{}]\n", i - 1));
        let base: String = (0..1_000).fold("base: &b\n".to_owned(), |t, i| t + &format!("  k{i}: 1\n"));
        let merges = (0..1_000).fold(base, |t, i| t + &format!("m{i}:\n  <<: *b\n"));
        let block: String = (0..2_000).fold(String::new(), |t, i| t + &" ".repeat(i) + "a:\n");
        let loops = "a: &a [*a]".to_owned();
        for text in [deep("[", "]"), deep("{a: ", "}"), bomb, chain, merges, block, loops] {
            let refused = Format::Yaml
                .parse(&text)
                .and_then(|nodes| nodes.iter().map(flatten).collect::<Result<Vec<_>, _>>());
            assert!(refused.is_err(), "{}", &text[..60.min(text.len())]);
        }
        for text in [deep("[", "]"), deep("{\"a\":", "}")] {
            assert!(Format::Json.parse(&text).is_err());
        }
        assert!(Format::Toml.parse(&format!("a = {}", deep("[", "]"))).is_err());
        assert!(Format::Toml.parse(&format!("a = {}", deep("{a=", "}"))).is_err());
    }
}
