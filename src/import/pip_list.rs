//! `pip list` in its columns, in its older form `name (version)`, and as JSON.

use serde_json::Value as Json;

use super::lock::{Package, begins, fault, json, normalise, put};
use super::pip_freeze::complete;
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::probes::python::names::is_name;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct PipList;

const SILENT: &str = "pip list gives name and version only";
const OUTDATED: &str = "a list of outdated distributions names no other";

impl Format for PipList {
    fn name(&self) -> &'static str {
        "pip_list"
    }

    fn title(&self) -> &'static str {
        "`pip list`, also with --format=json"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        if begins(input.text, '[') {
            let conda = input.text.contains("\"base_url\"") || input.text.contains("\"build_string\"");
            let named = input.text.contains("\"name\"") && input.text.contains("\"version\"");
            return if named && !conda { 60 } else { 0 };
        }
        if table(input.text).is_some() {
            return 90;
        }
        let rows: Vec<&str> = input.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if !rows.is_empty() && rows.iter().all(|row| old_row(row).is_some()) { 70 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let mut draft = Draft::new(self.name());
        let (names, outdated) = if begins(input.text, '[') {
            from_json(&mut draft, input)?
        } else {
            from_text(&mut draft, input)?
        };
        if outdated {
            draft.unknown("python.packages", OUTDATED);
            draft.partial("python", "pip list does not say");
        } else {
            complete(&mut draft, &names, false);
        }
        Ok(draft.finish(input.text))
    }
}

fn from_json(draft: &mut Draft, input: &Input<'_>) -> Result<(Vec<String>, bool), Error> {
    let value = json(input)?;
    let mut names = Vec::new();
    let mut outdated = false;
    for entry in value.as_array().into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        let Some(name) = text("name") else { continue };
        outdated |= entry.get("latest_version").is_some();
        let source = text("editable_project_location");
        let package = Package {
            origin: source.map(str::to_owned),
            editable: source.is_some(),
            ..Package::of(text("version").unwrap_or_default())
        };
        put(draft, name, &package, SILENT);
        names.push(normalise(name));
    }
    if names.is_empty() {
        return Err(fault(input, None, "holds no entry with a `name`"));
    }
    Ok((names, outdated))
}

fn from_text(draft: &mut Draft, input: &Input<'_>) -> Result<(Vec<String>, bool), Error> {
    let mut names = Vec::new();
    let Some((header, rows)) = table(input.text) else {
        for line in input.text.lines() {
            if let Some((name, version, source)) = old_row(line.trim()) {
                let package = Package {
                    origin: source.map(str::to_owned),
                    editable: source.is_some(),
                    ..Package::of(version)
                };
                put(draft, name, &package, SILENT);
                names.push(normalise(name));
            }
        }
        if names.is_empty() {
            return Err(fault(input, None, "holds no table with the columns `Package` and `Version`"));
        }
        return Ok((names, false));
    };
    let outdated = header.contains("Latest");
    let source_at = header.find("Editable project location").or_else(|| header.find("Location"));
    for row in rows {
        let mut words = row.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        if !is_name(name) {
            // pip's notices stand behind the table: "[notice] A new release of pip is available".
            continue;
        }
        let source = source_at
            .and_then(|at| row.get(at..))
            .map(str::trim)
            .filter(|s| s.starts_with(['/', '~']) || s.get(1..3) == Some(":\\"));
        // `Location` of --verbose is where it is installed; the installer's column stands behind it.
        let editable = header.contains("Editable project location") && source.is_some();
        let source = source.filter(|_| editable).map(|s| s.split("  ").next().unwrap_or(s).to_owned());
        put(draft, name, &Package { origin: source, editable, ..Package::of(version) }, SILENT);
        names.push(normalise(name));
    }
    if names.is_empty() {
        return Err(fault(input, None, "the table holds no distribution"));
    }
    Ok((names, outdated))
}

/// The line with the names of the columns, and the rows behind the rule below it up to the first empty line.
fn table(text: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header = lines.by_ref().take(50).find(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("Package") && words.next() == Some("Version")
    })?;
    let rule = lines.next()?.trim();
    let is_rule = !rule.is_empty() && rule.chars().all(|c| c == '-' || c == ' ');
    is_rule.then(|| (header, lines.take_while(|line| !line.trim().is_empty())))
}

/// `name (version)` or `name (version, /source)`, as pip wrote before 18.0.
fn old_row(row: &str) -> Option<(&str, &str, Option<&str>)> {
    let (name, inside) = row.strip_suffix(')')?.split_once(" (")?;
    let (version, source) = match inside.split_once(", ") {
        Some((version, source)) => (version, Some(source)),
        None => (inside, None),
    };
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(' ');
    (is_name(name) && is_version).then_some((name, version, source))
}
