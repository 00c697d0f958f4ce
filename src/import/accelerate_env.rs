//! `accelerate env`.

use super::{Format, Input, hugging_face};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub struct AccelerateEnv;

impl Format for AccelerateEnv {
    fn name(&self) -> &'static str {
        "accelerate_env"
    }

    fn title(&self) -> &'static str {
        "accelerate env (Hugging Face)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let has = |mark: &str| input.text.contains(mark);
        let own = ["`accelerate` bash location", "`Accelerate` version", "`Accelerate` default config"];
        match own.iter().filter(|mark| has(mark)).count() {
            0 => 0,
            n => 85 + 2 * u8::try_from(n).unwrap_or(0),
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        hugging_face::read(input, self.name(), "accelerate env")
    }
}
