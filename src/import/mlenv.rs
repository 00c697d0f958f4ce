//! `mlenv snapshot` (mlenv-cli): Python, platform, packages, torch's CUDA, GPUs and some variables.

use serde_json::{Map, Value as Json};

use super::lock::{Package, begins, fault, json, normalise, nvidia, put};
use super::pip_freeze::complete;
use super::{Draft, Format, Input, platform};
use crate::error::Error;
use crate::redact::env_value;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct Mlenv;

const SILENT: &str = "mlenv gives name and version only";

impl Format for Mlenv {
    fn name(&self) -> &'static str {
        "mlenv"
    }

    fn title(&self) -> &'static str {
        "`mlenv snapshot` (mlenv-cli)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let marks = ["\"schema_version\"", "\"sections\"", "\"packages\""];
        let one = ["\"implementation\"", "\"platform\"", "\"torch_cuda\""]
            .iter()
            .any(|mark| input.text.contains(mark));
        if begins(input.text, '{') && one && marks.iter().all(|mark| input.text.contains(mark)) {
            90
        } else {
            0
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let dump = json(input)?;
        let sections = dump.get("sections").and_then(Json::as_object);
        let sections = sections.ok_or_else(|| fault(input, None, "has no object `sections`"))?;
        let empty = Map::new();
        let section = |name: &str| sections.get(name).and_then(Json::as_object).unwrap_or(&empty);
        let mut draft = Draft::new(self.name());
        let text = |section: &Map<String, Json>, key: &str| {
            section.get(key).and_then(Json::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let python = section("python");
        draft.set_opt("python.version", text(python, "version"));
        draft
            .set_opt("python.implementation", text(python, "implementation").map(|i| i.to_ascii_lowercase()));
        draft.set_opt("python.executable", text(python, "executable"));
        let system = section("platform");
        draft.set_opt("os.family", text(system, "system").map(|s| s.to_ascii_lowercase()));
        draft.set_opt("os.kernel", text(system, "release"));
        if let Some(machine) = text(system, "machine") {
            platform::arch(&mut draft, &machine);
        }
        // `platform.libc_ver()` with its default: the C library itself is asked from Python 3.8 on.
        let libc = text(system, "libc");
        if let Some(("glibc", version)) = libc.as_deref().and_then(|l| l.split_once(' ')) {
            draft.set("os.libc", "glibc");
            if platform::asks_libc(&draft, 8) {
                draft.set("os.libc_version", version);
            }
        }
        let packages = section("packages");
        for (name, version) in packages {
            put(&mut draft, name, &Package::of(version.as_str().unwrap_or_default()), SILENT);
        }
        if !packages.is_empty() {
            complete(&mut draft, &packages.keys().map(|name| normalise(name)).collect::<Vec<_>>(), false);
        }
        let cuda = section("cuda");
        draft.set_opt("torch.version", text(cuda, "torch"));
        draft.set_opt("torch.cuda", text(cuda, "torch_cuda"));
        gpus(&mut draft, section("gpus"));
        for (name, value) in section("env") {
            if let Some(value) = value.as_str() {
                draft.set_at(["env", name], env_value(name, value).text());
            }
        }
        draft.rest_unknown("mlenv");
        Ok(draft.finish(input.text))
    }
}

/// NVML's devices: `count`, `gpu0`, `gpu1`, …, `driver`.
fn gpus(draft: &mut Draft, gpus: &Map<String, Json>) {
    let text = |key: &str| gpus.get(key).and_then(Json::as_str);
    draft.set_opt("gpu.count", text("count").and_then(|count| count.parse::<i64>().ok()));
    draft.set_opt("gpu.driver.version", text("driver"));
    let keys: Vec<String> = (0..1024).map(|i| format!("gpu{i}")).collect();
    let names: Vec<&str> = keys.iter().map_while(|key| text(key)).collect();
    nvidia(draft, &names);
}
