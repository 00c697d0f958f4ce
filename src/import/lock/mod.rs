//! What the formats of package lists and lock files share: names, requirements, markers, Python versions, files
//! beside the dump, and how a package becomes facts.

pub(super) mod choice;
pub(super) mod direct;
pub(super) mod freeze;
pub(crate) mod marker;
#[expect(clippy::disallowed_methods, reason = "files beside a dump belong to it")]
pub(super) mod near;
pub(super) mod pythons;
pub(crate) mod requirement;
pub(super) mod values;
pub(super) mod yaml;

use super::{Draft, Input};
use crate::error::Error;
use crate::host::nvml::NvmlDevice;
use crate::redact::DisplayUrl;
use crate::snapshot::Value;

pub(super) use crate::probes::python::names::normalise;

/// One distribution, as far as a list or lock tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Its version; `None` where the list does not say.
    pub version: Option<String>,
    /// Where it was installed from, in the form of `python.packages.*.origin`, without credentials.
    pub origin: Option<String>,
    /// That imports read the source folder itself.
    pub editable: bool,
    /// What stands in the way of its version: a range, a folder.
    pub why: Option<String>,
}

impl Package {
    /// One of this version.
    pub(super) fn of(version: impl Into<String>) -> Self {
        Self { version: Some(version.into()).filter(|v| !v.is_empty()), ..Self::default() }
    }
}

/// Records a distribution; what the list does not say of it is unknown with the reason `silent`.
pub(super) fn put(draft: &mut Draft, name: &str, package: &Package, silent: &str) {
    let name = normalise(name);
    let at = |field: &str| ["python".to_owned(), "packages".to_owned(), name.clone(), field.to_owned()];
    match (&package.version, &package.why) {
        (Some(version), _) => draft.set_at(at("version"), version.as_str()),
        (None, Some(why)) => draft.unknown_at(at("version"), why),
        (None, None) => {}
    }
    if let Some(origin) = &package.origin {
        draft.set_at(at("origin"), origin.as_str());
    }
    if package.editable {
        draft.set_at(at("editable"), true);
    }
    draft.unknown_at(["python", "packages", &name], silent);
}

/// Records one conda package: its name, and the fields that are known.
pub(super) fn put_conda(draft: &mut Draft, name: &str, fields: &[(&str, Option<&str>)], silent: &str) {
    for (field, value) in fields {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            draft.set_at(["python", "conda", name, field], value);
        }
    }
    draft.unknown_at(["python", "conda", name], silent);
    // The interpreter itself is a conda package.
    let field =
        |wanted: &str| fields.iter().find(|(field, _)| *field == wanted).and_then(|(_, value)| *value);
    if name == "python" {
        draft.set_opt("python.version", field("version").filter(|v| !v.is_empty()));
        let implementation = match field("build") {
            Some(build) if build.ends_with("pypy") => Some("pypy"),
            Some(build) if build.ends_with("graalpy") => Some("graalpy"),
            Some(_) => Some("cpython"),
            None => None,
        };
        draft.set_opt("python.implementation", implementation);
    }
}

/// A conda platform (`linux-64`) as the facts of the system.
pub(super) fn conda_platform(draft: &mut Draft, platform: &str) {
    let (family, arch) = match platform {
        "linux-64" => ("linux", "x86_64"),
        "linux-aarch64" => ("linux", "aarch64"),
        "linux-ppc64le" => ("linux", "ppc64le"),
        "osx-64" => ("darwin", "x86_64"),
        "osx-arm64" => ("darwin", "arm64"),
        "win-64" => ("windows", "x86_64"),
        "win-arm64" => ("windows", "arm64"),
        _ => return,
    };
    draft.set("os.family", family);
    draft.set("os.arch", arch);
}

/// What follows from the names of NVIDIA's devices: compute capability, SM count. What is set already stays.
pub(super) fn nvidia(draft: &mut Draft, names: &[&str]) {
    let device = |name: &&str| NvmlDevice { name: Some((*name).to_owned()), ..NvmlDevice::default() };
    super::gpus::nvidia(draft, &names.iter().map(device).collect::<Vec<_>>(), false);
}

/// A text that is a value, without credentials where it is an address.
pub(super) fn shown_url(url: &str) -> String {
    DisplayUrl::new(url).to_string()
}

/// The error of a dump that cannot be read: its name, the line where there is one, what is wrong, and a remedy.
pub(super) fn fault(input: &Input<'_>, line: Option<usize>, what: impl std::fmt::Display) -> Error {
    let at = line.map_or_else(String::new, |line| format!(", line {line}"));
    Error::input(format!("`{}`{at}: {what}", input.path.display()))
        .hint("write the file anew with the program that made it, or name another format with --from")
}

/// A JSON dump.
///
/// # Errors
/// The line that is not JSON.
pub(super) fn json(input: &Input<'_>) -> Result<serde_json::Value, Error> {
    serde_json::from_str(input.text.trim_start_matches('\u{feff}')).map_err(|e| {
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        fault(input, Some(e.line()), format!("not JSON: {what}"))
    })
}

/// A TOML dump.
///
/// # Errors
/// The line that is not TOML.
pub(super) fn toml(input: &Input<'_>) -> Result<toml::Table, Error> {
    let text = input.text.trim_start_matches('\u{feff}');
    toml::from_str(text).map_err(|e: toml::de::Error| {
        let line =
            e.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        fault(input, line, format!("not TOML: {}", e.message()))
    })
}

/// The text of a TOML value below keys.
pub(super) fn toml_str<'a>(table: &'a toml::Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(toml::Value::as_str).filter(|text| !text.is_empty())
}

/// The tables of an array of tables; none where it is something else.
pub(super) fn toml_tables<'a>(table: &'a toml::Table, key: &str) -> impl Iterator<Item = &'a toml::Table> {
    table.get(key).and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_table)
}

/// The texts of a list.
pub(super) fn toml_strs<'a>(table: &'a toml::Table, key: &str) -> impl Iterator<Item = &'a str> {
    table.get(key).and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str)
}

/// Whether the text begins as JSON does, with this sign.
pub(super) fn begins(text: &str, sign: char) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(sign)
}

/// A list of texts as a value.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> Value {
    Value::List(items.into_iter().map(Value::Str).collect())
}
