//! What `transformers env`, `diffusers-cli env` and `accelerate env` have in common: a list of `- KEY: VALUE`.

use super::{Draft, Input, gpus, packages, platform, text};
use crate::error::Error;
use crate::host::nvml::NvmlDevice;
use crate::snapshot::{FactPath, Snapshot};

/// Packages whose version is that of their distribution, by the word before `version`.
const DISTRIBUTIONS: [(&str, &str); 24] = [
    ("transformers", "transformers"),
    ("diffusers", "diffusers"),
    ("accelerate", "accelerate"),
    ("huggingface_hub", "huggingface-hub"),
    ("safetensors", "safetensors"),
    ("tokenizers", "tokenizers"),
    ("datasets", "datasets"),
    ("peft", "peft"),
    ("trl", "trl"),
    ("bitsandbytes", "bitsandbytes"),
    ("xformers", "xformers"),
    ("deepspeed", "deepspeed"),
    ("numpy", "numpy"),
    ("flax", "flax"),
    ("jax", "jax"),
    ("jaxlib", "jaxlib"),
    ("sentence-transformers", "sentence-transformers"),
    ("evaluate", "evaluate"),
    ("optimum", "optimum"),
    ("pyarrow", "pyarrow"),
    ("pandas", "pandas"),
    ("fsspec", "fsspec"),
    ("pydantic", "pydantic"),
    ("gradio", "gradio"),
];

/// Reads the list; `format` and `program` name it.
///
/// # Errors
///
/// None of the list's lines is in the text.
pub(super) fn read(input: &Input<'_>, format: &str, program: &str) -> Result<Snapshot, Error> {
    let text = text::clean(input.text);
    let mut draft = Draft::new(format);
    let mut found = false;
    let mut lines = text.lines().peekable();
    // The version of Python decides what its platform says.
    let version = text.lines().filter_map(pair).find(|(key, _)| key == "python version");
    if let Some((_, version)) = version {
        platform::python(&mut draft, version);
    }
    while let Some(line) = lines.next() {
        let Some((key, value)) = pair(line) else { continue };
        found |= one(&mut draft, &key, value);
        if key == "accelerator" {
            let more = std::iter::from_fn(|| lines.next_if(|line| line.trim().ends_with(" MiB")));
            accelerators(&mut draft, value, more);
        }
    }
    if !found {
        return Err(Error::input(format!(
            "`{}`: none of the lines of {program} is here",
            input.path.display()
        ))
        .hint(
            "looked for `- Platform: …`, `- Python version: …`, `- PyTorch version (GPU?): …` and the like",
        ));
    }
    packages::sections(&mut draft);
    draft.rest_unknown(program);
    Ok(draft.finish(&text))
}

/// The key in lower case, without code marks, signs and what stands in its brackets.
fn pair(line: &str) -> Option<(String, &str)> {
    let (key, value) = text::pair(line)?;
    let key = key.split(" (").next().unwrap_or_default().replace(['`', '*'], "");
    let key = key.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim();
    (key.len() <= 64).then(|| (key.to_ascii_lowercase(), value))
}

/// Records one line; whether it is one of the list.
fn one(draft: &mut Draft, key: &str, value: &str) -> bool {
    match key {
        "platform" => platform::platform(draft, value),
        "python version" => {}
        // `2.0.1+cpu (False)`, `2.8.0 (CUDA)`: `torch.__version__`, and whether torch sees a GPU.
        "pytorch version" => {
            if let Some(version) = version(value) {
                draft.set("torch.version", version);
                match version.split_once('+') {
                    Some((_, tag)) => draft.set("torch.local_tag", tag),
                    None => draft.absent("torch.local_tag"),
                }
            }
            words(draft, "PyTorch version", value);
        }
        "tensorflow version" => {
            draft.set_opt("tensorflow.version", version(value));
            words(draft, "Tensorflow version", value);
        }
        // `torch.cuda.get_device_name()`: the current device, CUDA's first one.
        "gpu type" if !value.is_empty() && !value.starts_with('<') => {
            gpus::nvidia(
                draft,
                &[NvmlDevice { name: Some(value.to_owned()), ..NvmlDevice::default() }],
                false,
            );
        }
        "system ram" => words(draft, "System RAM", value),
        "using distributed or parallel set-up in script?" | "using gpu in script?" | "accelerator" => {}
        _ => {
            let name = key.strip_suffix(" version");
            let Some((_, name)) = DISTRIBUTIONS.iter().find(|(word, _)| Some(*word) == name) else {
                return false;
            };
            if let Some(version) = version(value) {
                packages::distribution(draft, name, version);
            }
        }
    }
    true
}

fn words(draft: &mut Draft, label: &str, value: &str) {
    draft.meta.insert(FactPath::new(["meta", "dump", label]), value.into());
}

/// The first word, where it is a version.
fn version(value: &str) -> Option<&str> {
    value.split_whitespace().next().filter(|word| packages::is_version(word))
}

/// `NVIDIA H100 80GB HBM3, 81559 MiB`, one line for each device, as `nvidia-smi` lists them.
fn accelerators<'a>(draft: &mut Draft, first: &'a str, more: impl Iterator<Item = &'a str>) {
    let device = |line: &str| {
        let (name, memory) = line.trim().rsplit_once(", ")?;
        let mib: u64 = memory.strip_suffix(" MiB")?.parse().ok()?;
        Some(NvmlDevice {
            name: Some(name.to_owned()),
            memory_total: mib.checked_mul(1 << 20),
            ..NvmlDevice::default()
        })
    };
    let devices: Option<Vec<NvmlDevice>> = [first].into_iter().chain(more).take(1_024).map(device).collect();
    if let Some(devices) = devices {
        gpus::nvidia(draft, &devices, true);
    }
}
