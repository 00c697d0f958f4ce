//! `pylock.toml` (PEP 751, packaging.python.org "pylock.toml Specification"): what the default groups install on Linux
//! x86_64. An installer does not remove what the file does not name.

use toml::{Table, Value};

use super::lock::choice::Choices;
use super::lock::pythons::{Pythons, When};
use super::lock::{Package, fault, shown_url, toml, toml_str, toml_strs, toml_tables};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct Pylock;

const SILENT: &str = "pylock.toml does not say";

impl Format for Pylock {
    fn name(&self) -> &'static str {
        "pylock"
    }

    fn title(&self) -> &'static str {
        "`pylock.toml` (PEP 751): what its default groups install on Linux x86_64"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let head = input.text.get(..1 << 16).unwrap_or(input.text);
        let starts = |mark: &str| head.lines().any(|line| line.starts_with(mark));
        if starts("lock-version") && (starts("[[packages]]") || starts("created-by") || starts("packages = "))
        {
            95
        } else {
            0
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let lock = toml(input)?;
        match toml_str(&lock, "lock-version") {
            // A later minor version adds what may be passed over.
            Some(version) if version.split('.').next() == Some("1") => {}
            other => {
                let what = other.map_or("no `lock-version`".to_owned(), |v| {
                    format!("version {v}, which driftlock does not know")
                });
                return Err(fault(input, None, format!("a pylock.toml of {what}")));
            }
        }
        let packages: Vec<&Table> = toml_tables(&lock, "packages").collect();
        let requires = toml_str(&lock, "requires-python");
        let markers = packages.iter().filter_map(|p| toml_str(p, "marker"));
        let pythons = Pythons::new(requires, markers);
        let strings = |key: &str| -> Vec<String> { toml_strs(&lock, key).map(str::to_owned).collect() };
        let mut all = pythons
            .clone()
            .with(strings("extras"), [strings("dependency-groups"), strings("default-groups")].concat());
        let mut pythons = pythons.with(Vec::new(), strings("default-groups"));
        let mut choices = Choices::default();
        for table in packages {
            let Some(name) = toml_str(table, "name") else { continue };
            let when = when(table, &mut pythons);
            if when.maybe != 0 {
                choices.add(name, package(name, table), when);
            } else if self::when(table, &mut all).maybe != 0 {
                choices.aside(
                    name,
                    "the lock has it only for an extra or a group that is not installed by default",
                );
            }
        }
        let mut draft = Draft::new(self.name());
        choices.put(&mut draft, &pythons, SILENT);
        draft.unknown("python.packages", "an installer leaves what pylock.toml does not name");
        if let Some(requires) = requires {
            draft.unknown("python.version", format!("the lock allows `{requires}`"));
        }
        draft.partial("python", SILENT);
        Ok(draft.finish(input.text))
    }
}

fn when(table: &Table, pythons: &mut Pythons) -> When {
    pythons.when_said(toml_str(table, "marker")).and(pythons.allowed(toml_str(table, "requires-python")))
}

fn package(name: &str, table: &Table) -> Package {
    let sub = |key: &str| table.get(key).and_then(Value::as_table);
    let mut package = Package::of(toml_str(table, "version").unwrap_or_default());
    if let Some(vcs) = sub("vcs") {
        let kind = toml_str(vcs, "type").unwrap_or("git");
        let commit = toml_str(vcs, "commit-id").map_or_else(String::new, |commit| format!("@{commit}"));
        package.origin = Some(format!("{kind}+{}{commit}{}", place(vcs), folder(vcs)));
    } else if let Some(archive) = sub("archive") {
        let hashes = archive.get("hashes").and_then(Value::as_table);
        let strongest = ["sha256", "sha512", "sha384"];
        let hash = strongest.iter().find_map(|key| Some(format!("{key}={}", toml_str(hashes?, key)?)));
        let parts: Vec<String> = hash
            .into_iter()
            .chain(toml_str(archive, "subdirectory").map(|f| format!("subdirectory={f}")))
            .collect();
        let fragment = if parts.is_empty() { String::new() } else { format!("#{}", parts.join("&")) };
        package.origin = Some(format!("{}{fragment}", place(archive)));
    } else if let Some(directory) = sub("directory") {
        package.origin = Some(format!("{}{}", place(directory), folder(directory)));
        package.editable = directory.get("editable").and_then(Value::as_bool).unwrap_or(false);
    }
    if package.version.is_none() {
        // The version may be left out where the source decides it; the file's name may tell it.
        let wheel = toml_tables(table, "wheels")
            .next()
            .and_then(|w| toml_str(w, "name").or_else(|| toml_str(w, "url")));
        let file = wheel.and_then(|w| w.rsplit('/').next());
        package.version = file.and_then(|file| super::lock::direct::version_of_file(name, file));
        package.why = package.version.is_none().then(|| "the lock gives its source and no version".into());
    }
    package
}

fn place(source: &Table) -> String {
    let path = || {
        toml_str(source, "path")
            .map(|p| if p == "." { "{project}".to_owned() } else { format!("{{project}}/{p}") })
    };
    toml_str(source, "url").map(shown_url).or_else(path).unwrap_or_default()
}

fn folder(source: &Table) -> String {
    toml_str(source, "subdirectory").map_or_else(String::new, |folder| format!("#subdirectory={folder}"))
}
