//! `driftlock __nvml`, for driftlock itself.

use clap::Args;

/// Arguments of `driftlock __nvml`.
#[derive(Args, Debug)]
pub struct Nvml {
    /// The process that waits for the answer; without it there is none to wait
    pub parent: Option<u32>,
}
