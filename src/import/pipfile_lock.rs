//! `Pipfile.lock`: what `pipenv sync` installs, without the `develop` packages.

use serde_json::Value as Json;

use super::lock::choice::Choices;
use super::lock::pythons::Pythons;
use super::lock::requirement::{Spec, parse};
use super::lock::{Package, begins, direct, fault, json, shown_url};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct PipfileLock;

const SILENT: &str = "Pipfile.lock does not say";

impl Format for PipfileLock {
    fn name(&self) -> &'static str {
        "pipfile_lock"
    }

    fn title(&self) -> &'static str {
        "`Pipfile.lock`: its default packages on Linux x86_64"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let marks = ["\"_meta\"", "\"pipfile-spec\"", "\"default\""];
        if begins(input.text, '{') && marks.iter().all(|mark| input.text.contains(mark)) { 95 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let lock = json(input)?;
        let table = |key: &str| lock.get(key).and_then(Json::as_object);
        let default = table("default").ok_or_else(|| fault(input, None, "has no object `default`"))?;
        let asked = |key: &str| lock.pointer(&format!("/_meta/requires/{key}")).and_then(Json::as_str);
        let requires = asked("python_full_version")
            .map(str::to_owned)
            .or_else(|| asked("python_version").map(|v| format!("{v}.*")));
        let requires = requires.map(|version| format!("=={version}"));
        let markers = default.values().filter_map(|entry| entry.get("markers").and_then(Json::as_str));
        let mut pythons = Pythons::new(requires.as_deref(), markers);
        let mut choices = Choices::default();
        for (name, entry) in default {
            let marker = entry.get("markers").and_then(Json::as_str);
            let when = pythons.when_said(marker);
            choices.add(name, package(name, entry), when);
        }
        for name in table("develop")
            .into_iter()
            .flat_map(|develop| develop.keys())
            .filter(|name| !default.contains_key(*name))
        {
            choices.aside(name, "the lock has it only for development");
        }
        let mut draft = Draft::new(self.name());
        choices.put(&mut draft, &pythons, SILENT);
        draft.unknown("python.packages", "`pipenv sync` leaves what the lock does not name");
        if let Some(requires) = requires {
            draft.unknown("python.version", format!("the lock asks for `{requires}`"));
        }
        draft.partial("python", SILENT);
        Ok(draft.finish(input.text))
    }
}

fn package(name: &str, entry: &Json) -> Package {
    let text = |key: &str| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let version = text("version").unwrap_or_default();
    let pinned = format!("{name}{version}");
    let mut package = match parse(&pinned).map(|r| r.spec) {
        Some(Spec::Exact(version)) => Package::of(version),
        Some(Spec::Range(range)) => {
            Package { why: Some(format!("a range is no version: `{range}`")), ..Package::default() }
        }
        _ => Package { why: Some("the lock gives no version".into()), ..Package::default() },
    };
    let folder = text("subdirectory").map_or_else(String::new, |f| format!("#subdirectory={f}"));
    if let Some((kind, url)) = ["git", "hg", "svn", "bzr"].iter().find_map(|kind| Some((kind, text(kind)?))) {
        let commit = text("ref").map_or_else(String::new, |commit| format!("@{commit}"));
        package.origin = Some(format!("{kind}+{}{commit}{folder}", shown_url(url)));
    } else if let Some(file) = text("file") {
        package = direct::package(name, file);
    } else if let Some(path) = text("path") {
        package.origin = Some(if path == "." { "{project}".into() } else { format!("{{project}}/{path}") });
    }
    package.editable = entry.get("editable").and_then(Json::as_bool).unwrap_or(false);
    package
}
