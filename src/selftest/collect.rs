//! Runs the arms and puts their answers together.

use std::time::{Duration, Instant};

use super::arms::{self, Arm, Level, Wanted};
use super::catalogue::{self, Library};
use super::engine::{Environment, Kind};
use super::fault::Fault;
use super::result::{ArmResult, SCHEMA, SelfTest};
use super::spawn;

/// How to run.
#[derive(Clone, Debug)]
pub struct How {
    /// The engine.
    pub engine: Kind,
    /// The longest that one arm may take.
    pub limit: Duration,
    /// See [`super::protocol::Request::simulate`].
    pub simulate: Option<String>,
}

/// Who is told of the progress.
pub trait Watcher {
    /// An arm of so many operations begins.
    fn arm(&mut self, name: &str, operations: usize);
    /// An operation begins.
    fn operation(&mut self, id: &str);
}

/// Runs every arm.
///
/// # Errors
///
/// The fault of the first arm. A later arm that fails is part of the result: a downgrade may not be runnable.
pub fn run(
    environment: &Environment,
    wanted: &Wanted,
    arms: &[Arm],
    how: &How,
    watcher: &mut dyn Watcher,
) -> Result<SelfTest, Fault> {
    let start = environment.start(how.engine, wanted.library)?;
    let catalogue = catalogue::of(wanted.library);
    let begun = Instant::now();
    let mut result = SelfTest {
        schema: SCHEMA.to_owned(),
        library: wanted.library,
        catalogue: catalogue.version,
        engine: how.engine.word().to_owned(),
        device: wanted.device.clone(),
        level: wanted.level.word().to_owned(),
        load_average_percent: load_average(environment),
        seconds: 0.0,
        arms: Vec::new(),
    };
    let begin = |arm: &Arm, wait: bool| {
        let mut request = arms::request(arm, wanted, catalogue);
        request.simulate.clone_from(&how.simulate);
        request.wait = wait;
        let mut start = start.clone();
        start.env.extend(arm.env.clone());
        if let (true, Some(threads)) = (wanted.library != Library::Torch, arm.threads) {
            // Read once by each BLAS; PyTorch alone can be told later.
            for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
                start.env.insert(name.to_owned(), threads.to_string());
            }
        }
        (request.operations.len(), spawn::start(&start, request))
    };
    // Half of a quick test in Python is the import, so that the next arm's process imports while this arm's does.
    let ahead = wanted.level == Level::Quick && how.engine == Kind::Python;
    let mut next = None;
    for (i, arm) in arms.iter().enumerate() {
        let (operations, process) = next.take().unwrap_or_else(|| begin(arm, false));
        next = arms.get(i + 1).filter(|_| ahead).map(|arm| begin(arm, true));
        watcher.arm(&arm.name, operations);
        let at = Instant::now();
        let answer = process.answer(how.limit, |id| watcher.operation(id));
        if let Some(fault) = &answer.fault
            && result.arms.is_empty()
        {
            return Err(named(fault.clone(), environment));
        }
        // Memory that ran out within an operation tells of the machine's state and nothing of its arithmetic.
        let memory =
            |m: &&super::protocol::Measured| m.raised.as_ref().is_some_and(|r| r.kind == "out-of-memory");
        if let Some(measured) = answer.operations.iter().find(memory)
            && result.arms.is_empty()
        {
            return Err(Fault::OutOfMemory(Some(measured.id.clone())));
        }
        result.arms.push(ArmResult {
            name: arm.name.clone(),
            threads: arm.threads,
            env: arm.env.clone(),
            flags: arm.flags.clone(),
            described: answer.described,
            operations: answer.operations.into_iter().map(|mut m| (std::mem::take(&mut m.id), m)).collect(),
            fault: answer.fault.map(|f| f.to_string()),
            stderr: answer.stderr.trim().to_owned(),
            seconds: seconds(at),
            ..ArmResult::default()
        });
    }
    result.seconds = seconds(begun);
    result.seal();
    Ok(result)
}

/// Puts the interpreter's name where only the environment knows it.
fn named(fault: Fault, environment: &Environment) -> Fault {
    match (fault, environment.python()) {
        (Fault::NoLibrary { library, .. }, Some(python)) => {
            Fault::NoLibrary { library, python: python.display().to_string() }
        }
        (fault, _) => fault,
    }
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// `/proc/loadavg`, proc_loadavg(5).
fn load_average(environment: &Environment) -> Option<u32> {
    let text = environment.host().maybe("/proc/loadavg")?;
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((load * 100.0).round() as u32)
}
