//! Weights & Biases: `wandb-metadata.json` of a run, and what wandb writes beside it: `requirements.txt` (every
//! distribution), `config.yaml` (the run's parameters), `conda-environment.yaml`.
//!
//! The file comes in two makes: of the Python client (to 0.18), and of wandb-core since, whose sizes are texts in
//! bytes (`core/internal/runenvironment`, `wandb/sdk/internal/system/system_info.py`).

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::lock::{begins, fault, freeze, json, list, near, nvidia, shown_url, values, yaml};
use super::{Draft, Format, Input, conda_env, pip_freeze, platform};
use crate::error::Error;
use crate::redact::{Labels, secret};
use crate::snapshot::{Snapshot, Value};

/// See the module.
pub(super) struct Wandb;

const FILE: &str = "wandb-metadata.json";
const SILENT: &str = "wandb gives name and version only";
/// What `memory.total` is rounded to, in bytes, as a capture rounds it.
const STEP: u64 = 64 << 20;

impl Format for Wandb {
    fn name(&self) -> &'static str {
        "wandb"
    }

    fn title(&self) -> &'static str {
        "`wandb-metadata.json` of a run of Weights & Biases, or the run's folder"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        if input.text.is_empty() {
            return if metadata_of(input.path).is_some() { 95 } else { 0 };
        }
        if !begins(input.text, '{') {
            return 0;
        }
        let marks = [
            "heartbeatAt",
            "startedAt",
            "codePath",
            "cpu_count",
            "gpu_count",
            "cudaVersion",
            "writerId",
            "program",
            "executable",
            "host",
        ];
        let found = marks.iter().filter(|mark| input.text.contains(&format!("\"{mark}\""))).count();
        let named = input.path.file_name().is_some_and(|name| name == FILE);
        let platform = input.text.contains("\"os\"") && input.text.contains("\"python\"");
        match (named, platform, found) {
            (true, _, _) => 95,
            (false, true, 3..) => 85,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let path = if input.text.is_empty() { metadata_of(input.path) } else { None };
        let held = path.as_ref().and_then(|path| near::text(path));
        let input = match (&path, &held) {
            (Some(path), Some(text)) => Input { path, text },
            _ => *input,
        };
        let run = json(&input)?;
        if !run.is_object() {
            return Err(fault(&input, None, "is no JSON object"));
        }
        let mut draft = Draft::new(self.name());
        let labels = values::labels(text(&run, "root"));
        of_system(&mut draft, &run, &labels);
        of_gpus(&mut draft, &run);
        of_run(&mut draft, &run, &labels);
        let names = beside(&mut draft, input.path, &labels);
        draft.rest_unknown("wandb");
        // The user's name stands in paths that are no home folders, too.
        let user = text(&run, "username").map_or_else(String::new, |user| format!("\n/home/{user}/"));
        Ok(draft.finish(&format!("{}\n{names}{user}", input.text)))
    }
}

/// The file in a run's folder, or in its folder `files`.
fn metadata_of(folder: &Path) -> Option<PathBuf> {
    [folder.join(FILE), folder.join("files").join(FILE)].into_iter().find(|path| near::is_file(path))
}

fn of_system(draft: &mut Draft, run: &Json, labels: &Labels) {
    if let Some(python) = text(run, "python") {
        // `3.9.18`, or `CPython 3.11.14` of wandb-core.
        let (implementation, version) = python.split_once(' ').unwrap_or(("", python));
        let known = ["cpython", "pypy", "graalpy"].contains(&implementation.to_ascii_lowercase().as_str());
        draft.set_opt("python.implementation", known.then(|| implementation.to_ascii_lowercase()));
        platform::python(draft, if known { version } else { python });
    }
    if let Some(system) = text(run, "os") {
        platform::platform(draft, system);
    }
    if let Some(executable) = text(run, "executable") {
        draft.set("python.executable", labels.show(Path::new(executable)));
    }
    // Before psutil was asked (0.12), `cpu_count` was multiprocessing.cpu_count(): the logical ones.
    let count = whole(run.get("cpu_count")).or_else(|| whole(run.pointer("/cpu/count")));
    let logical = whole(run.get("cpu_count_logical")).or_else(|| whole(run.pointer("/cpu/countLogical")));
    match logical {
        Some(logical) => {
            draft.set("cpu.logical_cpus", logical);
            draft.set_opt("cpu.physical_cores", count.filter(|count| *count > 0));
        }
        None => draft.set_opt("cpu.logical_cpus", count),
    }
    let memory = match run.pointer("/memory/total") {
        // GiB of the Python client.
        Some(Json::Number(number)) => {
            number.as_f64().filter(|g| (0.0..1e9).contains(g)).map(|g| (g * (1_u64 << 30) as f64) as u64)
        }
        Some(Json::String(bytes)) => bytes.parse::<u64>().ok(),
        _ => None,
    };
    draft
        .set_opt("memory.total", memory.filter(|m| *m > 0).map(|m| m.saturating_add(STEP / 2) / STEP * STEP));
    meta(draft, "host", text(run, "host"));
    meta(draft, "user", text(run, "username"));
    // The image, where WANDB_DOCKER or Kubernetes names it.
    draft.set_opt("container.image", text(run, "docker").map(shown_url));
    for (name, value) in run.get("slurm").and_then(Json::as_object).into_iter().flatten() {
        if let Some(value) = value.as_str() {
            draft.set_at(["env".to_owned(), format!("SLURM_{}", name.to_ascii_uppercase())], value);
        }
    }
}

/// `gpu` is the first device's name, or all of them in brackets; the lists tell more.
fn of_gpus(draft: &mut Draft, run: &Json) {
    // NVML's devices; the client asks only NVML here, Apple's GPU comes under another key.
    draft.set_opt("gpu.count", whole(run.get("gpu_count")).filter(|count| *count > 0));
    draft.set_opt(
        "gpu.driver.cuda_max",
        text(run, "cudaVersion").filter(|v| v.starts_with(|c: char| c.is_ascii_digit())),
    );
    // `nvcc --version`, of the Python client.
    draft.set_opt(
        "cuda.nvcc_version",
        text(run, "cuda").filter(|v| v.starts_with(|c: char| c.is_ascii_digit())),
    );
    let vendors = [("gpu_nvidia", "nvidia"), ("gpu_devices", "nvidia"), ("gpu_amd", "amd")];
    let mut index = 0;
    for (key, vendor) in vendors {
        // Both keys stand for the same devices.
        if key == "gpu_devices" && index > 0 {
            continue;
        }
        for device in run.get(key).and_then(Json::as_array).into_iter().flatten().take(1024) {
            let name = text(device, "name").or_else(|| text(device, "series"));
            // ROCm's names begin with AMD in the list of the Python client, too.
            let vendor = if name.is_some_and(|n| n.starts_with("AMD")) { "amd" } else { vendor };
            let at = |field: &str| format!("gpu.{index}.{field}");
            draft.set(&at("vendor"), vendor);
            draft.set_opt(&at("name"), name);
            let memory = whole(device.get("memoryTotal")).or_else(|| whole(device.get("memory_total")));
            draft.set_opt(&at("memory_total"), memory.filter(|m| *m > 0));
            draft.set_opt(&at("architecture"), text(device, "architecture").map(str::to_ascii_lowercase));
            draft.set_opt(&at("uuid"), text(device, "uuid"));
            index += 1;
        }
    }
    if let (0, Some(name)) = (index, text(run, "gpu")) {
        let names = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let names: Vec<&str> = names.map_or_else(|| vec![name], |names| names.split(", ").collect());
        for (i, name) in names.into_iter().take(1024).enumerate() {
            draft.set(&format!("gpu.{i}.name"), name);
        }
    }
    // The lists of NVIDIA's devices come first and alone tell the maker.
    let names = (0..index).map_while(|i| {
        let is = |field: &str| draft.get(&format!("gpu.{i}.{field}")).and_then(|value| value.as_str());
        (is("vendor") == Some("nvidia")).then(|| is("name").map(str::to_owned)).flatten()
    });
    let names: Vec<String> = names.collect();
    nvidia(draft, &names.iter().map(String::as_str).collect::<Vec<_>>());
}

fn of_run(draft: &mut Draft, run: &Json, labels: &Labels) {
    meta(draft, "imported_time", text(run, "startedAt"));
    if let Some(commit) = run.pointer("/git/commit").and_then(Json::as_str).filter(|c| !c.is_empty()) {
        draft.set("git.vcs", "git");
        draft.set("git.commit", commit);
        let remote =
            run.pointer("/git/remote").or_else(|| run.pointer("/git/remoteUrl")).and_then(Json::as_str);
        draft.set_opt("git.remotes.origin", remote.filter(|r| !r.is_empty()).map(shown_url));
    }
    let args = run.get("args").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    if let Some(program) = text(run, "program") {
        // A secret may stand in the argument behind its option: the line is looked at as a whole.
        let words = ["python"]
            .into_iter()
            .chain(program.split_whitespace().filter(|_| program.starts_with("-m ")))
            .map(str::to_owned);
        let words = words.chain((!program.starts_with("-m ")).then(|| labels.show(Path::new(program))));
        let command = words.chain(args.map(|arg| shown_argument(labels, arg)));
        draft.set("run.command", list(redacted(command.collect())));
    }
}

/// An argument, paths below the project relative to it.
fn shown_argument(labels: &Labels, arg: &str) -> String {
    match arg.split_once('=') {
        Some((option, path)) if path.starts_with('/') => format!("{option}={}", labels.show(Path::new(path))),
        _ if arg.starts_with('/') => labels.show(Path::new(arg)),
        _ => arg.to_owned(),
    }
}

/// The words of a command line without secrets: in a word, and in the word behind an option whose name says so.
pub(super) fn redacted(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut name: Option<String> = None;
    for word in words {
        let hidden = match &name {
            Some(option) if !word.starts_with('-') => {
                crate::redact::env_value(option, &word).text().to_owned()
            }
            _ => match word.split_once('=') {
                Some((option, value)) if option.starts_with('-') => {
                    let key = option.trim_start_matches('-').replace('-', "_");
                    format!("{option}={}", crate::redact::env_value(&key, value).text())
                }
                _ => secret::text(&word).into_owned(),
            },
        };
        name = word
            .strip_prefix('-')
            .map(|option| option.trim_start_matches('-').replace('-', "_"))
            .filter(|o| !o.contains('='));
        out.push(hidden);
    }
    out
}

/// The files that wandb writes into the same folder. They are looked for only beside a file of wandb's own name.
/// Returns their texts, for the names of people in them.
fn beside(draft: &mut Draft, path: &Path, labels: &Labels) -> String {
    if path.file_name().is_none_or(|name| name != FILE) {
        return String::new();
    }
    let mut texts = String::new();
    if let Some(text) = near::text(&path.with_file_name("requirements.txt")) {
        let names = freeze::put_all(draft, text.lines(), SILENT);
        if !names.is_empty() {
            pip_freeze::complete(draft, &names, false);
            draft.partial("python", "wandb does not say");
        }
        texts.push_str(&text);
    }
    if let Some(text) = near::text(&path.with_file_name("conda-environment.yaml")) {
        if let Ok(file) = yaml::read(&text) {
            let _partial = conda_env::put_file(draft, &file);
        }
        texts.push_str(&text);
    }
    if let Some(text) = near::text(&path.with_file_name("config.yaml")) {
        config(draft, &text, labels);
        texts.push_str(&text);
    }
    texts
}

/// `config.yaml`: each parameter with `desc` and `value`; what wandb keeps of itself stands at `_wandb`.
fn config(draft: &mut Draft, text: &str, labels: &Labels) {
    let values = match crate::probes::config::values(text, false) {
        Ok(values) => values,
        Err(what) => return draft.unknown("config", format!("config.yaml: {what}")),
    };
    for (keys, value) in values {
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["_wandb", "value", "cli_version"] | ["_wandb", "cli_version"] => {
                draft.meta("imported_version", value.plain());
            }
            ["_wandb", "value", "python_version"] | ["_wandb", "python_version"] => {
                if let Value::Str(version) = value {
                    draft.set("python.version", version);
                }
            }
            ["_wandb" | "wandb_version", ..] | [_, "desc"] => {}
            [name, "value", rest @ ..] => {
                let keys: Vec<String> = [*name].iter().chain(rest).map(|key| (*key).to_owned()).collect();
                values::put(draft, labels, &keys, value);
            }
            _ => {}
        }
    }
}

fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// A whole number, be it a text.
fn whole(value: Option<&Json>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Says something of the snapshot, where the run says it.
fn meta(draft: &mut Draft, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        draft.meta(name, value);
    }
}
