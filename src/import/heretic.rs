//! heretic's `reproduce.json`, which lies beside the models that heretic publishes.

use serde_json::{Map, Value as Json};

use super::lock::{Package, begins, direct, fault, json, nvidia, put, values};
use super::{Draft, Format, Input, platform};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct Heretic;

const SILENT: &str = "reproduce.json gives name and version only";

impl Format for Heretic {
    fn name(&self) -> &'static str {
        "heretic"
    }

    fn title(&self) -> &'static str {
        "heretic's `reproduce.json`"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let marks = ["\"environment\"", "\"requirements\"", "\"pytorch_version\"", "\"heretic\""];
        if begins(input.text, '{') && marks.iter().all(|mark| input.text.contains(mark)) { 95 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let dump = json(input)?;
        let environment = dump.get("environment").and_then(Json::as_object);
        let environment = environment.ok_or_else(|| fault(input, None, "has no object `environment`"))?;
        let mut draft = Draft::new(self.name());
        if let Some(time) = text(&dump, "timestamp") {
            draft.meta("imported_time", time);
        }
        if let Some(system) = dump.get("system").filter(|s| s.is_object()) {
            of_system(&mut draft, system);
        }
        let torch = environment.get("pytorch_version").and_then(Json::as_str);
        draft.set_opt("torch.version", torch);
        if let Some(heretic) = environment.get("heretic") {
            if let Some(version) = text(heretic, "version") {
                draft.meta("imported_version", version);
            }
            put(&mut draft, "heretic-llm", &own(heretic), SILENT);
        }
        let requirements = environment.get("requirements").and_then(Json::as_object);
        for (name, version) in requirements.unwrap_or(&Map::new()) {
            if let Some(version) = version.as_str() {
                put(&mut draft, name, &Package::of(version), SILENT);
            }
        }
        draft.unknown(
            "python.packages",
            "reproduce.json lists what heretic and torch need, not all that is installed",
        );
        if let Some(settings) = dump.get("settings") {
            let labels = values::labels(None);
            let flat = crate::probes::config::values(&settings.to_string(), true);
            for (keys, value) in flat.map_err(|what| fault(input, None, format!("`settings`: {what}")))? {
                values::put(&mut draft, &labels, &keys, value);
            }
        }
        draft.rest_unknown("reproduce.json");
        Ok(draft.finish(input.text))
    }
}

/// heretic itself: from PyPI, from a commit, or from a folder.
fn own(heretic: &Json) -> Package {
    let version = text(heretic, "version").unwrap_or_default();
    let metadata = heretic.get("metadata").unwrap_or(&Json::Null);
    let url = text(metadata, "url").unwrap_or_default();
    match text(metadata, "type") {
        Some("git") => {
            let commit =
                text(metadata, "commit_hash").map_or_else(String::new, |commit| format!("@{commit}"));
            let found = direct::package("heretic-llm", &format!("git+{url}{commit}"));
            Package { version: Some(version.to_owned()), why: None, ..found }
        }
        _ => Package::of(version),
    }
}

/// What heretic's `system.py` asks `platform`, py-cpuinfo and torch.
fn of_system(draft: &mut Draft, system: &Json) {
    let at =
        |path: &str| system.pointer(path).and_then(Json::as_str).filter(|t| !t.is_empty() && *t != "Unknown");
    let number =
        |path: &str| system.pointer(path).and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    draft.set_opt("python.version", at("/python/version"));
    draft.set_opt("python.implementation", at("/python/implementation").map(str::to_ascii_lowercase));
    draft.set_opt(
        "python.kind",
        at("/python/environment").and_then(|kind| match kind {
            "Conda" => Some("conda"),
            "Virtualenv/Venv" => Some("venv"),
            // pyenv's and the system's are told apart by nothing.
            _ => None,
        }),
    );
    if let Some(text) = at("/os/platform") {
        platform::platform(draft, text);
    }
    if let Some(machine) = at("/os/machine") {
        platform::arch(draft, machine);
    }
    draft.set_opt("cpu.model", at("/cpu/brand"));
    draft.set_opt("cpu.vendor", at("/cpu/vendor"));
    draft.set_opt("cpu.family", number("/cpu/family"));
    draft.set_opt("cpu.model_number", number("/cpu/model"));
    draft.set_opt("cpu.stepping", number("/cpu/stepping"));
    draft.set_opt("cpu.logical_cpus", number("/cpu/count"));
    draft.set_opt("cpu.dispatch.aten", at("/cpu/capability").map(str::to_ascii_lowercase));
    let kind = at("/accelerators/type");
    let version = at("/accelerators/api_version");
    let driver = at("/accelerators/driver_version");
    match kind {
        Some("CUDA") => {
            draft.set_opt("torch.cuda", version);
            draft.set_opt("gpu.driver.version", driver);
        }
        Some("ROCm") => draft.set_opt("torch.hip", version),
        _ => {}
    }
    let devices = system.pointer("/accelerators/devices").and_then(Json::as_array);
    let names: Vec<&str> = devices.into_iter().flatten().filter_map(|device| text(device, "name")).collect();
    if !matches!(kind, Some("CUDA" | "ROCm")) || names.is_empty() {
        return;
    }
    // torch lists the devices that the process sees, in CUDA's order: which of the machine's they are is told only
    // where all are alike.
    if kind == Some("CUDA") {
        draft.set("gpu.visible_names", names.clone());
    }
    if names.iter().all(|name| Some(name) == names.first()) {
        let vendor = if kind == Some("CUDA") { "nvidia" } else { "amd" };
        for (i, name) in names.iter().enumerate() {
            draft.set_at(["gpu", &i.to_string(), "name"], *name);
            draft.set_at(["gpu", &i.to_string(), "vendor"], vendor);
        }
        if vendor == "nvidia" {
            nvidia(draft, &names);
        }
    }
}

fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}
