//! `nvidia-smi -q` as text and as XML, and the table that `nvidia-smi` alone prints.
//!
//! The two long forms are read into one tree of labels and then into what NVML would say, since nvidia-smi says what
//! NVML does, in other words: so that facts come out as in a capture.

mod device;
pub mod table;
mod tree;
mod xml;

use super::{Draft, Format, Input, gpus, packages, text};
use crate::error::Error;
use crate::snapshot::Snapshot;
use tree::Log;

/// `nvidia-smi -q`.
pub struct NvidiaSmi;

impl Format for NvidiaSmi {
    fn name(&self) -> &'static str {
        "nvidia_smi"
    }

    fn title(&self) -> &'static str {
        "nvidia-smi -q, nvidia-smi -q -x, nvidia-smi"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let has = |mark: &str| input.text.contains(mark);
        match () {
            () if has("<nvidia_smi_log") || has("NVSMI LOG") => 95,
            // Longer dumps hold a table, too.
            () if has("| NVIDIA-SMI ") => 50,
            () => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let mut draft = Draft::new(self.name());
        if input.text.contains("<nvidia_smi_log") {
            let log = xml::parse(input.text).map_err(|(line, what)| {
                Error::input(format!("`{}`, line {line}: {what}", input.path.display()))
            })?;
            record(&mut draft, &log);
            draft.rest_unknown("nvidia-smi");
            return Ok(draft.finish(input.text));
        }
        let text = text::clean(input.text);
        let log = tree::parse(&text);
        if log.devices.is_empty() && log.head.is_empty() {
            if !table::read(&mut draft, &text) {
                return Err(Error::input(format!("`{}`: no device and no driver is here", input.path.display()))
                    .hint("looked for `Driver Version : …` and `GPU 00000000:…` of nvidia-smi -q, `| NVIDIA-SMI` of its table"));
            }
        } else {
            record(&mut draft, &log);
        }
        draft.rest_unknown("nvidia-smi");
        Ok(draft.finish(&text))
    }
}

fn record(draft: &mut Draft, log: &Log) {
    let head = |names: [&str; 2]| names.iter().find_map(|name| log.head.get(*name)).map(String::as_str);
    driver(draft, head(["driver version", "driver_version"]), head(["cuda version", "cuda_version"]));
    if let Some(time) = head(["timestamp", "timestamp"]) {
        draft.meta("imported_time", time);
    }
    let devices: Vec<_> = log.devices.iter().map(device::of).collect();
    let attached = head(["attached gpus", "attached_gpus"]).and_then(|n| n.parse::<usize>().ok());
    // `-i` shows one device of many.
    gpus::nvidia(draft, &devices, attached == Some(devices.len()));
}

/// Records the driver's version and the newest CUDA that it runs.
fn driver(draft: &mut Draft, version: Option<&str>, cuda: Option<&str>) {
    let version = version.filter(|v| packages::is_version(v));
    draft.set_opt("gpu.driver.version", version);
    draft.set_opt("gpu.driver.kernel_module", version);
    draft.set_opt("gpu.driver.cuda_max", cuda.filter(|v| packages::is_version(v)));
}
