//! vLLM's `collect_env`: PyTorch's with vLLM's version, the GPUs' topology and variables.

use super::collect_env::{self, Fields, Label};
use super::{Format, Input, env, packages, text, topology};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub struct Vllm;

impl Format for Vllm {
    fn name(&self) -> &'static str {
        "vllm"
    }

    fn title(&self) -> &'static str {
        "python collect_env.py of vLLM, vllm collect-env"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let own = ["vLLM Version", "vLLM Build Flags", "vLLM Info"];
        match own.iter().any(|mark| input.text.contains(mark)) {
            true => (collect_env::recognise(input.text).max(60) + 5).min(99),
            false => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let fields = Fields::parse(&text);
        let mut draft = collect_env::read(&fields, self.name(), "collect_env")
            .ok_or_else(|| collect_env::nothing(input))?;
        // `0.5.4@COMMIT`, `0.8.2.dev78+g6ebaf9ac (git sha: 6ebaf9ac)`.
        if let Some(version) = fields.get(Label::Vllm) {
            let version = version.split([' ', '@']).next().unwrap_or_default();
            packages::distribution(&mut draft, "vllm", version);
        }
        topology::read(&mut draft, fields.block(Label::Topology).iter().copied());
        // Before 0.8.5 the variables followed the legend without a heading.
        let places = [Label::Variables, Label::Legend, Label::Topology, Label::BuildFlags];
        for line in places.iter().flat_map(|label| fields.block(*label)) {
            let Some((name, value)) = env::assignment(line) else { continue };
            match SET_BY_ITSELF.iter().find(|(own, set, _)| *own == name && *set == value) {
                Some((_, _, who)) => {
                    draft.unknown(&format!("env.{name}"), format!("{who} sets it to this value itself"));
                }
                None => env::variable(&mut draft, name, value),
            }
        }
        draft.rest_unknown("collect_env");
        Ok(draft.finish(&text))
    }
}

/// Variables that importing vLLM (`vllm/__init__.py`, `vllm/env_override.py`) or starting CUDA (`torch.cuda._lazy_init`)
/// sets before collect_env prints them: what they were before is not told.
const SET_BY_ITSELF: [(&str, &str, &str); 5] = [
    ("CUDA_MODULE_LOADING", "LAZY", "torch"),
    ("NCCL_CUMEM_ENABLE", "0", "vLLM"),
    ("TORCHINDUCTOR_COMPILE_THREADS", "1", "vLLM"),
    ("PYTORCH_NVML_BASED_CUDA_CHECK", "1", "vLLM"),
    ("VLLM_WORKER_MULTIPROC_METHOD", "spawn", "vLLM"),
];
