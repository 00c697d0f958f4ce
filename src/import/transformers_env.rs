//! `transformers env` (before 4.53 `transformers-cli env`) and `diffusers-cli env`.

use super::{Format, Input, hugging_face};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub struct TransformersEnv;

impl Format for TransformersEnv {
    fn name(&self) -> &'static str {
        "transformers_env"
    }

    fn title(&self) -> &'static str {
        "transformers env, diffusers-cli env (Hugging Face)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let has = |mark: &str| input.text.contains(mark);
        let own =
            ["`transformers` version", "transformers version", "Diffusers version", "`diffusers` version"];
        let marks =
            ["Huggingface_hub version", "Safetensors version", "PyTorch version (", "Python version:"];
        let marks = marks.iter().filter(|mark| has(mark)).count();
        match (own.iter().any(|mark| has(mark)), marks) {
            (true, 2..) => 90,
            (true, 1) | (false, 3..) => 70,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        hugging_face::read(input, self.name(), "transformers env")
    }
}
