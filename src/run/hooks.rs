//! The two places where other parts of driftlock join a run.

use crate::host::Host;
use crate::probes::sink::Collected;

use super::Program;
use super::outputs::Written;

/// What is known of the program before it starts.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Facts of section `workload`; `None` where the program was not looked at.
    pub facts: Option<Collected>,
    /// Variables to record as if `--env` named them: those that the program reads.
    pub env: Vec<String>,
}

/// Before the start: what the program's own source says.
pub fn workload(host: &dyn Host, program: &Program) -> Analysis {
    let _not_yet = (host, program);
    Analysis::default()
}

/// After the end: facts of section `outputs` about the files that the command wrote; `None` where nothing was asked for.
pub fn outputs(host: &dyn Host, written: &[Written]) -> Option<Collected> {
    let _not_yet = (host, written);
    None
}
