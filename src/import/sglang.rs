//! SGLang's `python -m sglang.check_env`: one `KEY: VALUE` per line, versions by the names of modules.

use super::{Draft, Format, Input, gpus, packages, platform, text, topology};
use crate::error::Error;
use crate::snapshot::{FactPath, Snapshot};

/// See the module.
pub struct Sglang;

impl Format for Sglang {
    fn name(&self) -> &'static str {
        "sglang"
    }

    fn title(&self) -> &'static str {
        "python -m sglang.check_env (SGLang)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let start = |mark: &str| input.text.lines().any(|line| text::unmarked(line).starts_with(mark));
        let marks = [
            "sglang:",
            "sgl_kernel:",
            "flashinfer",
            "ulimit soft:",
            "CUDA available:",
            "ROCM available:",
            "PyTorch:",
        ];
        match marks.iter().filter(|mark| start(mark)).count() {
            n if n >= 3 && (start("sglang:") || start("ulimit soft:")) => 90,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let mut draft = Draft::new(self.name());
        let pairs: Vec<(&str, &str)> = text.lines().filter_map(text::pair).collect();
        let get = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        if let Some(version) = get("Python") {
            platform::python(&mut draft, version);
        }
        let torch = get("PyTorch").filter(|v| packages::is_version(v));
        if let Some(version) = torch {
            draft.set("torch.version", version);
            // The two lines are written for builds with CUDA and with HIP.
            match (get("CUDA available"), get("ROCM available")) {
                (Some(_), None) => draft.absent("torch.hip"),
                (None, Some(_)) => draft.absent("torch.cuda"),
                _ => {}
            }
        }
        if torch.is_none() && get("Python").is_none() {
            return Err(Error::input(format!(
                "`{}`: none of check_env's lines is here",
                input.path.display()
            ))
            .hint("looked for `Python: …`, `PyTorch: …`, `sglang: …`"));
        }
        devices(&mut draft, &text, get("ROCM available").is_some());
        for key in ["CUDA Driver Version", "CUDA Driver Versions"] {
            let version = get(key).filter(|v| packages::is_version(v));
            draft.set_opt("gpu.driver.version", version);
            draft.set_opt("gpu.driver.kernel_module", version);
        }
        // `torch.utils.cpp_extension.CUDA_HOME`.
        let home = get("CUDA_HOME").filter(|home| home.starts_with('/'));
        draft.set_opt("cuda.home", home);
        for key in [
            "NVCC",
            "CUDA_HOME",
            "ROCM_HOME",
            "HIPCC",
            "ROCM Driver Version",
            "CUDA available",
            "ulimit soft",
        ] {
            if let Some(value) = get(key).filter(|value| !value.is_empty()) {
                draft.meta.insert(FactPath::new(["meta", "dump", key]), value.into());
            }
        }
        let known = ["Python", "PyTorch", "NVCC", "ulimit soft"];
        for (key, value) in pairs.iter().filter(|(key, _)| !known.contains(key) && !key.contains(' ')) {
            packages::module(&mut draft, key, value);
        }
        topology::read(&mut draft, text.lines());
        packages::sections(&mut draft);
        draft.rest_unknown("check_env");
        Ok(draft.finish(&text))
    }
}

/// `GPU 0,1: NAME` and `GPU 0,1 Compute Capability: 8.0` of `torch.cuda`, in CUDA's order. That order and what the
/// driver sees differ by `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER`; of devices of one kind only the number can.
fn devices(draft: &mut Draft, text: &str, rocm: bool) {
    let lines = || text.lines().map(text::unmarked);
    let listed = gpus::listed(lines().filter(|line| !line.contains("Compute Capability")));
    let whole = listed.keys().copied().eq(0..u32::try_from(listed.len()).unwrap_or(0)) && !listed.is_empty();
    if !whole {
        return;
    }
    let names: Vec<String> = listed.values().filter_map(|d| d.name.clone()).collect();
    let one_kind = names.windows(2).all(|pair| pair[0] == pair[1]);
    if one_kind && rocm {
        for (n, name) in (0_u32..).zip(&names) {
            gpus::amd(draft, n, name);
        }
    } else if one_kind {
        let mut devices: Vec<_> = listed.into_values().collect();
        let capability = lines().find(|l| l.starts_with("GPU ") && l.contains("Compute Capability"));
        let capability = capability.and_then(text::pair).map(|(_, value)| value.to_owned());
        devices.iter_mut().for_each(|device| device.compute_capability.clone_from(&capability));
        gpus::nvidia(draft, &devices, false);
    }
    draft.set("gpu.visible_names", names);
}
