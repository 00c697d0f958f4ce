//! The two places where other parts of driftlock join a run.

use crate::probes::Context;
use crate::probes::sink::Collected;
use crate::workload::facts;

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
pub fn workload(cx: &Context, program: &Program) -> Analysis {
    let said = facts::of(cx, program);
    said.map_or_else(Analysis::default, |said| Analysis { facts: Some(said.facts), env: said.env })
}

/// After the end: facts of section `outputs` about the files that the command wrote; `None` where nothing was asked for.
/// Their names are relative to the working directory of the command.
pub fn outputs(program: &Program, written: &[Written], progress: bool) -> Option<Collected> {
    if written.is_empty() {
        return None;
    }
    let paths: Vec<_> = written.iter().map(|w| w.path.clone()).collect();
    let outputs = crate::outputs::read(&paths, &program.cwd, &crate::outputs::Options { progress });
    Some(crate::outputs::record::facts(&outputs))
}
