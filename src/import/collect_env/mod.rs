//! `python -m torch.utils.collect_env`, from its beginning (torch 1.0) on, and the copy of it in vLLM.
//!
//! Its source tells what its words mean. `None` is what a command gives that fails or prints nothing known; it is
//! written `Could not collect`. Where none of nvcc, `nvidia-smi -L` and `nvidia-smi` gave anything and torch sees no
//! device, all of these are written `No CUDA` instead. `N/A` is written where torch cannot be imported, and for HIP
//! in builds without it.

pub(super) mod fields;
mod packages;

use super::{Draft, Format, Input, gpus, lscpu, platform, text};
use crate::error::Error;
use crate::snapshot::{FactPath, Snapshot};
pub(super) use fields::{Fields, Label};

/// See the module.
pub struct CollectEnv;

impl Format for CollectEnv {
    fn name(&self) -> &'static str {
        "collect_env"
    }

    fn title(&self) -> &'static str {
        "python -m torch.utils.collect_env (PyTorch)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        recognise(input.text)
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let fields = Fields::parse(&text);
        // Copies of the script in other projects add little lines of their own; vLLM's are read.
        let draft = read(&fields, self.name(), "collect_env").ok_or_else(|| nothing(input))?;
        Ok(draft.finish(&text))
    }
}

/// How sure it is that this is collect_env's: by how many of its labels there are.
pub(super) fn recognise(text: &str) -> u8 {
    let marks = [
        "PyTorch version",
        "Is debug build",
        "CUDA used to build PyTorch",
        "CUDA runtime version",
        "GPU models and configuration",
        "Nvidia driver version",
        "Versions of relevant libraries",
        "Is XNNPACK available",
        "HIP runtime version",
        "Is CUDA available",
    ];
    match marks.iter().filter(|mark| text.contains(**mark)).count() {
        0 | 1 => 0,
        n => 60 + 3 * u8::try_from(n).unwrap_or(0),
    }
}

/// The error of a text that holds nothing of what was looked for.
pub(super) fn nothing(input: &Input<'_>) -> Error {
    Error::input(format!("`{}`: none of collect_env's lines is here", input.path.display()))
        .hint("looked for `PyTorch version: …`, `OS: …`, `GPU models and configuration: …` and the like")
}

/// What the fields say; `None` where there are none.
pub(super) fn read(fields: &Fields<'_>, format: &str, program: &str) -> Option<Draft> {
    if fields.is_empty() {
        return None;
    }
    let mut draft = Draft::new(format);
    for (label, value) in fields.words() {
        draft.meta.insert(FactPath::new(["meta", "dump", label]), value.into());
    }
    if let Some(version) = fields.get(Label::Python) {
        platform::python(&mut draft, version);
    }
    system(&mut draft, fields);
    torch(&mut draft, fields);
    packages::read(&mut draft, fields.block(Label::Libraries));
    processor(&mut draft, fields);
    devices(&mut draft, fields);
    super::packages::sections(&mut draft);
    draft.rest_unknown(program);
    Some(draft)
}

/// A field that says something: not one of the words for nothing.
fn said<'a>(fields: &Fields<'a>, label: Label) -> Option<&'a str> {
    fields.get(label).filter(|value| !NOTHING.contains(value))
}

/// What collect_env writes for nothing.
const NOTHING: [&str; 6] = ["", "N/A", "None", "Could not collect", "No CUDA", "No XPU"];

fn system(draft: &mut Draft, fields: &Fields<'_>) {
    if let Some(os) = said(fields, Label::Os) {
        platform::system(draft, os);
    }
    if let Some(text) = said(fields, Label::Platform) {
        platform::platform(draft, text);
    }
    // `platform.libc_ver()`, its two parts joined.
    if let Some((name @ ("glibc" | "musl"), version)) =
        said(fields, Label::Libc).and_then(|text| text.split_once('-'))
    {
        draft.set("os.libc", name);
        if platform::asks_libc(draft, 8) && version.starts_with(|c: char| c.is_ascii_digit()) {
            draft.set("os.libc_version", version);
        } else if !draft.has("os.libc_version") {
            draft.unknown("os.libc_version", "Python before 3.8 gives the version that its executable needs");
        }
    }
}

fn torch(draft: &mut Draft, fields: &Fields<'_>) {
    let version = fields.get(Label::Torch);
    if version == Some("N/A") {
        return draft.partial("torch", "import torch failed, or there is no torch");
    }
    let Some(version) = version.filter(|v| super::packages::is_version(v)) else { return };
    draft.set("torch.version", version);
    match version.split_once('+') {
        Some((_, tag)) => draft.set("torch.local_tag", tag),
        None => draft.absent("torch.local_tag"),
    }
    match fields.get(Label::Debug) {
        Some("Yes" | "True") => draft.set("torch.debug", true),
        Some("No" | "False") => draft.set("torch.debug", false),
        _ => {}
    }
    // torch was imported, so that what it says nothing of is not in the build.
    for (label, fact) in [(Label::Cuda, "torch.cuda"), (Label::Rocm, "torch.hip"), (Label::Xpu, "torch.xpu")]
    {
        match fields.get(label) {
            Some(value) if super::packages::is_version(value) => draft.set(fact, value),
            Some(value) if NOTHING.contains(&value) && !value.is_empty() => {
                draft.absent(fact);
                if label == Label::Rocm {
                    draft.absent("torch.rocm");
                }
            }
            _ => {}
        }
    }
}

fn processor(draft: &mut Draft, fields: &Fields<'_>) {
    let lines = fields.block(Label::Cpu);
    if lines.iter().all(|line| line.trim().is_empty()) {
        return;
    }
    // Windows: `Name=…` of wmic, `Name: …` of PowerShell; macOS: the name alone.
    let windows = |key: &str| {
        let value = lines
            .iter()
            .find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix(['=', ':']));
        value.map(str::trim).filter(|v| !v.is_empty())
    };
    if let (Some(name), Some(vendor)) = (windows("Name"), windows("Manufacturer")) {
        draft.set("cpu.model", name);
        draft.set("cpu.vendor", vendor);
        return;
    }
    let cpu = lscpu::parse(lines.iter().copied());
    if cpu == lscpu::Lscpu::default() {
        let name = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
        let name = name.strip_prefix("machdep.cpu.brand_string:").map_or(name, str::trim);
        if ["Apple M", "Intel(R)", "VirtualApple"].iter().any(|start| name.starts_with(start)) {
            draft.set("cpu.model", name);
        }
        return;
    }
    lscpu::record(draft, &cpu);
}

fn devices(draft: &mut Draft, fields: &Fields<'_>) {
    if let Some(driver) = said(fields, Label::Driver).filter(|v| super::packages::is_version(v)) {
        // nvidia-smi's header gives the kernel module's version, by way of NVML; it fails where the library's differs.
        draft.set("gpu.driver.version", driver);
        draft.set("gpu.driver.kernel_module", driver);
    }
    if let Some(nvcc) = said(fields, Label::Runtime).filter(|v| super::packages::is_version(v)) {
        draft.set("cuda.nvcc_version", nvcc);
    }
    if fields.get(Label::Gpus) == Some("No CUDA") {
        // nvcc, nvidia-smi and torch were all asked, and none knew of anything: no driver and no device that CUDA
        // could use. Devices of other makers are unknown.
        draft.set("gpu.visible", Vec::<String>::new());
        draft.set("gpu.visible_names", Vec::<String>::new());
        draft.absent("cuda.nvcc_version");
        return;
    }
    let lines = || fields.get(Label::Gpus).into_iter().chain(fields.block(Label::Gpus).iter().copied());
    if said(fields, Label::Rocm).is_some() {
        // The current device alone, by torch.
        if let Some(name) = lines().map(str::trim).find(|line| !NOTHING.contains(line)) {
            gpus::amd(draft, 0, name);
        }
        return;
    }
    let listed = gpus::listed(lines());
    // The list of a text that was cut off, or of which a device is missing, is no count.
    let whole =
        listed.keys().copied().eq(0..u32::try_from(listed.len()).unwrap_or(0)) && fields.follows(Label::Gpus);
    if listed.keys().copied().eq(0..u32::try_from(listed.len()).unwrap_or(0)) && !listed.is_empty() {
        let devices: Vec<_> = listed.into_values().collect();
        gpus::nvidia(draft, &devices, whole);
    } else {
        for (n, device) in listed {
            draft.set(&format!("gpu.{n}.vendor"), "nvidia");
            draft.set_opt(&format!("gpu.{n}.name"), device.name);
        }
    }
    // macOS: the current device's bare name.
    let plain = lines().map(str::trim).find(|l| !NOTHING.contains(l) && !l.starts_with("GPU "));
    if let Some(name) =
        plain.filter(|_| !draft.has("gpu.0.name") && draft.get("os.family") == Some(&"darwin".into()))
    {
        draft.set("gpu.0.name", name);
    }
}
