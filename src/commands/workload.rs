//! `driftlock __workload`: the facts of section `workload`, without running anything.

use std::sync::Arc;

use super::run::choose_python;
use crate::capture::add;
use crate::cli::workload::Workload;
use crate::error::Error;
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::probes::python::interpreter;
use crate::probes::{Context, Options, PythonChoice};
use crate::run::{Program, hooks};
use crate::snapshot::{Snapshot, write};

/// Prints what `run` would record of the command's program before it starts, as a snapshot of that section alone.
pub fn run(args: &Workload) -> Result<Exit, Error> {
    let host: Arc<dyn Host> = Arc::new(Live::new());
    let program = Program::of(host.as_ref(), &args.command);
    let python = args.python.clone().map_or(PythonChoice::Auto, PythonChoice::Path);
    let mut options = Options { python, ..Options::default() };
    interpreter::check(host.as_ref(), &options.python)?;
    choose_python(host.as_ref(), &program, &mut options.python);
    let analysis = hooks::workload(&Context::new(Arc::clone(&host), options), &program);
    let Some(facts) = analysis.facts else {
        return Err(Error::input("the command starts no Python program that can be read")
            .hint("give the interpreter and the script: driftlock __workload python train.py"));
    };
    let mut snapshot = Snapshot::default();
    snapshot.sections.insert("workload".to_owned());
    add(&mut snapshot, facts, host.as_ref(), false);
    super::print(write::to_string(&snapshot).as_bytes())
}
