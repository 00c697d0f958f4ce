//! `pip inspect`: every distribution with its metadata and direct URL, and the environment of the markers
//! (pip documentation, "`pip inspect` JSON output format").

use serde_json::Value as Json;

use super::lock::{Package, begins, direct, fault, json, normalise, put};
use super::pip_freeze::complete;
use super::{Draft, Format, Input, platform};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct PipInspect;

const SILENT: &str = "pip inspect does not say";

impl Format for PipInspect {
    fn name(&self) -> &'static str {
        "pip_inspect"
    }

    fn title(&self) -> &'static str {
        "`pip inspect`: every distribution with its source, and the interpreter"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let marks = ["\"pip_version\"", "\"installed\"", "\"metadata\""];
        if begins(input.text, '{') && marks.iter().all(|mark| input.text.contains(mark)) { 95 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let report = json(input)?;
        let installed = report.get("installed").and_then(Json::as_array);
        let installed = installed.ok_or_else(|| fault(input, None, "has no list `installed`"))?;
        let mut draft = Draft::new(self.name());
        draft.meta("imported_version", text(&report, "pip_version").unwrap_or_default());
        let mut names = Vec::new();
        for entry in installed {
            let metadata = entry.get("metadata").unwrap_or(&Json::Null);
            let Some(name) = text(metadata, "name") else { continue };
            let package = Package {
                version: text(metadata, "version").map(str::to_owned),
                ..entry.get("direct_url").map(|url| origin(name, url)).unwrap_or_default()
            };
            put(&mut draft, name, &package, SILENT);
            if let Some(installer) = text(entry, "installer") {
                draft.set_at(["python", "packages", &normalise(name), "installer"], installer);
            }
            names.push(normalise(name));
        }
        complete(&mut draft, &names, false);
        if let Some(environment) = report.get("environment") {
            facts_of(&mut draft, environment);
        }
        draft.rest_unknown("pip inspect");
        Ok(draft.finish(input.text))
    }
}

/// The variables of markers (PEP 508), as `packaging.markers.default_environment` gives them.
fn facts_of(draft: &mut Draft, environment: &Json) {
    draft.set_opt("python.version", text(environment, "python_full_version"));
    let implementation = text(environment, "implementation_name").map(str::to_ascii_lowercase);
    draft.set_opt("python.implementation", implementation);
    draft.set_opt("os.family", text(environment, "platform_system").map(str::to_ascii_lowercase));
    draft.set_opt("os.kernel", text(environment, "platform_release"));
    draft.set_opt("os.kernel_build", text(environment, "platform_version"));
    if let Some(machine) = text(environment, "platform_machine") {
        platform::arch(draft, machine);
    }
}

/// `direct_url.json` (PEP 610).
fn origin(name: &str, url: &Json) -> Package {
    let address = text(url, "url").unwrap_or_default();
    let mut reference = address.to_owned();
    if let Some(vcs) = url.get("vcs_info") {
        let (kind, commit) = (text(vcs, "vcs").unwrap_or("git"), text(vcs, "commit_id").unwrap_or_default());
        reference = format!("{kind}+{address}@{commit}");
    }
    let mut fragment = Vec::new();
    if let Some(archive) = url.get("archive_info") {
        let hashes = archive.get("hashes").unwrap_or(&Json::Null);
        let strongest =
            ["sha256", "sha512", "sha384"].iter().find_map(|h| Some(format!("{h}={}", text(hashes, h)?)));
        fragment.extend(strongest.or_else(|| text(archive, "hash").map(str::to_owned)));
    }
    fragment.extend(text(url, "subdirectory").map(|folder| format!("subdirectory={folder}")));
    if !fragment.is_empty() {
        reference = format!("{reference}#{}", fragment.join("&"));
    }
    let editable = url.pointer("/dir_info/editable").and_then(Json::as_bool).unwrap_or(false);
    Package { editable, why: None, ..direct::package(name, &reference) }
}

fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}
