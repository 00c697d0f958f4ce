//! Values of configuration files: in the copy of the project that a probe runs in, the file gets the mixture's values.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};
use yaml_rust2::{Yaml, YamlEmitter, YamlLoader};

use super::lines::Form;
use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting, shown};
use crate::diff::Change;
use crate::probes::config::source;
use crate::snapshot::{Snapshot, Value};

/// Factors of the values that differ.
pub(super) fn factors(maker: &mut Maker<'_>) {
    let changes: Vec<Change> = maker.changes().filter(|c| c.path.section() == "config").cloned().collect();
    if changes.is_empty() {
        return;
    }
    let files = files(maker);
    for change in changes {
        let key: Vec<String> = change.path.segments()[1..].to_vec();
        // `--config NAME=FILE` puts a name in front of the keys.
        let found = [&key[..], key.get(1..).unwrap_or_default()].into_iter().find_map(|key| {
            let with: Vec<PathBuf> =
                files.iter().filter(|(_, text)| holds(text, key)).map(|(file, _)| file.clone()).collect();
            (!key.is_empty() && !with.is_empty()).then(|| (with, key.to_vec()))
        });
        // One side has the key and the file here is the other's.
        let found = found.or_else(|| {
            let all: Vec<PathBuf> = files.iter().map(|(file, _)| file.clone()).collect();
            (!all.is_empty()).then_some((all, key))
        });
        let Some((with, key)) = found else {
            maker.uncontrolled(&change.path, "no configuration file of both sides is in this project");
            continue;
        };
        let hidden =
            |v: &Option<Value>| v.as_ref().is_some_and(|v| crate::bisect::factor::settable(v).is_none());
        if hidden(&change.a) || hidden(&change.b) {
            maker.uncontrolled(&change.path, "a snapshot does not hold its value (a secret, or a name)");
            continue;
        }
        let (standing, finding) = standing(maker.explanation, std::slice::from_ref(&change.path));
        let set = |value: &Option<Value>| {
            vec![Setting::Config { files: with.clone(), key: key.clone(), value: value.clone() }]
        };
        maker.add(Factor {
            id: change.path.to_string(),
            kind: Kind::Config,
            facts: vec![change.path.clone()],
            shown: [shown(change.a.as_ref()), shown(change.b.as_ref())],
            how: "in the copy of the file".to_owned(),
            simulated: false,
            standing,
            finding,
            settings: [set(&change.a), set(&change.b)],
        });
    }
}

/// The configuration files that either side names and that are in this project, with their trees; by their paths
/// relative to the project.
fn files(maker: &Maker<'_>) -> Vec<(PathBuf, Json)> {
    let named = |s: &Snapshot| -> BTreeSet<String> {
        let name = |segments: &[String]| match segments {
            [config, files, file, _] if config == "config" && files == "--config" => Some(file.clone()),
            _ => None,
        };
        s.volatile.keys().filter_map(|path| name(path.segments())).collect()
    };
    let root = crate::bisect::place::project(maker.host);
    let cwd = maker.host.cwd();
    let mut out = Vec::new();
    for label in named(maker.a).union(&named(maker.b)) {
        let path = match label.strip_prefix("{project}/") {
            Some(rest) => root.join(rest),
            None => cwd.join(label),
        };
        let Ok(relative) = path.strip_prefix(&root) else { continue };
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if let Some(tree) = parse(&path, &text) {
            out.push((relative.to_path_buf(), tree));
        }
    }
    out
}

fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The form of a file of lines, by its name.
fn form(path: &Path) -> Option<Form> {
    match source::Format::of(path)? {
        source::Format::Ini => Some(Form::Ini),
        source::Format::Dotenv => Some(Form::Dotenv),
        _ => None,
    }
}

/// The file as a tree in which keys can be looked up.
fn parse(path: &Path, text: &str) -> Option<Json> {
    if let Some(form) = form(path) {
        let mut tree = Json::Object(Map::new());
        for key in form.keys(text)? {
            put(&mut tree, &key, Some(Json::Null)).ok()?;
        }
        return Some(tree);
    }
    match extension(path).as_str() {
        "json" => serde_json::from_str(text).ok(),
        "toml" => serde_json::to_value(text.parse::<toml::Table>().ok()?).ok(),
        "yaml" | "yml" => match YamlLoader::load_from_str(text).ok()?.as_slice() {
            [one] => Some(of_yaml(one)),
            _ => None,
        },
        _ => None,
    }
}

/// Shape only: what the values are does not matter for a look-up.
fn of_yaml(node: &Yaml) -> Json {
    match node {
        Yaml::Hash(hash) => hash.iter().map(|(k, v)| (yaml_key(k), of_yaml(v))).collect::<Map<_, _>>().into(),
        Yaml::Array(items) => items.iter().map(of_yaml).collect(),
        _ => Json::Null,
    }
}

fn yaml_key(key: &Yaml) -> String {
    match key {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(n) => n.to_string(),
        Yaml::Boolean(b) => b.to_string(),
        _ => "null".to_owned(),
    }
}

fn holds(tree: &Json, key: &[String]) -> bool {
    key.iter()
        .try_fold(tree, |at, segment| match at {
            Json::Object(map) => map.get(segment),
            Json::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
        .is_some()
}

/// The text of a configuration file with values replaced; everything else keeps its meaning, and in INI and `.env` its
/// comments.
///
/// # Errors
///
/// Why it cannot be.
pub fn rewrite(path: &Path, text: &str, values: &[(Vec<String>, Option<Value>)]) -> Result<String, String> {
    if let Some(form) = form(path) {
        let mut values = values.iter();
        return values.try_fold(text.to_owned(), |text, (key, value)| form.put(&text, key, value.as_ref()));
    }
    match extension(path).as_str() {
        "json" => {
            let mut tree: Json = serde_json::from_str(text).map_err(|e| e.to_string())?;
            for (key, value) in values {
                put(&mut tree, key, value.as_ref().map(crate::explain::report::json))?;
            }
            serde_json::to_string_pretty(&tree).map_err(|e| e.to_string())
        }
        "toml" => {
            let mut tree: toml::Value = toml::Value::Table(text.parse().map_err(|e| format!("{e}"))?);
            for (key, value) in values {
                put_toml(&mut tree, key, value.as_ref())?;
            }
            toml::to_string(&tree).map_err(|e| e.to_string())
        }
        _ => {
            let mut documents = YamlLoader::load_from_str(text).map_err(|e| e.to_string())?;
            let [tree] = documents.as_mut_slice() else {
                return Err("several YAML documents".to_owned());
            };
            for (key, value) in values {
                put_yaml(tree, key, value.as_ref())?;
            }
            let mut out = String::new();
            YamlEmitter::new(&mut out).dump(tree).map_err(|e| e.to_string())?;
            Ok(out + "\n")
        }
    }
}

pub(super) fn missing(key: &[String]) -> String {
    format!("the file has no place for `{}`", key.join("."))
}

fn put(tree: &mut Json, key: &[String], value: Option<Json>) -> Result<(), String> {
    let (last, way) = key.split_last().ok_or("an empty key")?;
    let mut at = tree;
    for segment in way {
        at = match at {
            Json::Object(map) => map.entry(segment.clone()).or_insert_with(|| Map::new().into()),
            Json::Array(items) => {
                segment.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?
            }
            _ => return Err(missing(key)),
        };
    }
    match (at, value) {
        (Json::Object(map), Some(value)) => drop(map.insert(last.clone(), value)),
        (Json::Object(map), None) => drop(map.shift_remove(last)),
        (Json::Array(items), Some(value)) => {
            let place =
                last.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?;
            *place = value;
        }
        _ => return Err(missing(key)),
    }
    Ok(())
}

fn toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Str(text) => toml::Value::String(text.clone()),
        Value::Int(n) => toml::Value::Integer(*n),
        Value::Bool(b) => toml::Value::Boolean(*b),
        Value::Float(x) => toml::Value::Float(*x),
        Value::List(items) => toml::Value::Array(items.iter().map(toml_value).collect()),
    }
}

fn put_toml(tree: &mut toml::Value, key: &[String], value: Option<&Value>) -> Result<(), String> {
    let (last, way) = key.split_last().ok_or("an empty key")?;
    let mut at = tree;
    for segment in way {
        at = match at {
            toml::Value::Table(map) => {
                map.entry(segment.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            }
            toml::Value::Array(items) => {
                segment.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?
            }
            _ => return Err(missing(key)),
        };
    }
    match (at, value) {
        (toml::Value::Table(map), Some(value)) => drop(map.insert(last.clone(), toml_value(value))),
        (toml::Value::Table(map), None) => drop(map.remove(last)),
        (toml::Value::Array(items), Some(value)) => {
            let place =
                last.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?;
            *place = toml_value(value);
        }
        _ => return Err(missing(key)),
    }
    Ok(())
}

fn yaml_value(value: &Value) -> Yaml {
    match value {
        // What a snapshot writes for nothing and for an empty table (docs/reference/config.md).
        Value::Str(text) if text == "null" => Yaml::Null,
        Value::Str(text) if text == "{}" => Yaml::Hash(yaml_rust2::yaml::Hash::new()),
        Value::Str(text) if text == "nan" => Yaml::Real(".nan".to_owned()),
        Value::Str(text) => Yaml::String(text.clone()),
        Value::Int(n) => Yaml::Integer(*n),
        Value::Bool(b) => Yaml::Boolean(*b),
        Value::Float(x) => Yaml::Real(yaml_float(*x)),
        Value::List(items) => Yaml::Array(items.iter().map(yaml_value).collect()),
    }
}

/// As YAML 1.1 knows a float too, which needs a point and a signed exponent (PyYAML's resolver).
fn yaml_float(x: f64) -> String {
    if x.is_infinite() {
        return if x > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{x:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

fn put_yaml(tree: &mut Yaml, key: &[String], value: Option<&Value>) -> Result<(), String> {
    let (last, way) = key.split_last().ok_or("an empty key")?;
    let mut at = tree;
    for segment in way {
        at = match at {
            Yaml::Hash(hash) => {
                let name = hash.keys().find(|k| yaml_key(k) == *segment).cloned();
                let name = name.unwrap_or_else(|| Yaml::String(segment.clone()));
                hash.entry(name).or_insert_with(|| Yaml::Hash(yaml_rust2::yaml::Hash::new()))
            }
            Yaml::Array(items) => {
                segment.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?
            }
            _ => return Err(missing(key)),
        };
    }
    match (at, value) {
        (Yaml::Hash(hash), value) => {
            let name = hash.keys().find(|k| yaml_key(k) == *last).cloned();
            let name = name.unwrap_or_else(|| Yaml::String(last.clone()));
            match value {
                Some(value) => drop(hash.insert(name, yaml_value(value))),
                None => drop(hash.remove(&name)),
            }
        }
        (Yaml::Array(items), Some(value)) => {
            let place =
                last.parse::<usize>().ok().and_then(|i| items.get_mut(i)).ok_or_else(|| missing(key))?;
            *place = yaml_value(value);
        }
        _ => return Err(missing(key)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn values_are_replaced_in_each_format() {
        let values = [
            (key("train.lr"), Some(Value::Float(1e-5))),
            (key("train.layers.1"), Some(Value::Int(7))),
            (key("gone"), None),
            (key("new.x"), Some(Value::from("a"))),
        ];
        let yaml =
            rewrite(Path::new("c.yaml"), "train: {lr: 1e-3, layers: [1, 2]}\ngone: 1\n", &values).unwrap();
        assert!(yaml.contains("lr: 1.0e-5") && yaml.contains("- 7") && yaml.contains("x: a"), "{yaml}");
        assert!(!yaml.contains("gone"));
        let json = r#"{"train": {"lr": 0.001, "layers": [1, 2]}, "gone": 1}"#;
        let json: Json = serde_json::from_str(&rewrite(Path::new("c.json"), json, &values).unwrap()).unwrap();
        assert_eq!(json, serde_json::json!({"train": {"lr": 1e-5, "layers": [1, 7]}, "new": {"x": "a"}}));
        let toml =
            rewrite(Path::new("c.toml"), "gone = 1\n[train]\nlr = 1e-3\nlayers = [1, 2]\n", &values).unwrap();
        let toml: toml::Table = toml.parse().unwrap();
        assert_eq!(toml["train"]["layers"][1].as_integer(), Some(7));
        assert!(rewrite(Path::new("c.json"), "[1]", &[(key("5"), Some(Value::Int(1)))]).is_err());
    }

    #[test]
    fn floats_that_yaml_1_1_reads_as_floats() {
        assert_eq!(yaml_float(1e-5), "1.0e-5");
        assert_eq!(yaml_float(1.5e300), "1.5e+300");
        assert_eq!(yaml_float(0.1), "0.1");
        assert_eq!(yaml_float(f64::NEG_INFINITY), "-.inf");
    }
}
