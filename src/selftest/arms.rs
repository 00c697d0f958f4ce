//! Which processes run, each in its own state of the machine and the library.

use std::collections::BTreeMap;

use super::catalogue::{Catalogue, Library, Tier};
use super::protocol::{Asked, Request};

/// How thorough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// As found and deterministic, without the extended tier.
    Quick,
    /// The arms that tell what is unstable.
    #[default]
    Default,
    /// Those that explain as well.
    Full,
}

impl Level {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Default => "default",
            Self::Full => "full",
        }
    }
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arm {
    /// Its name in the result.
    pub name: String,
    /// Threads; as found without.
    pub threads: Option<u32>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Flags.
    pub flags: BTreeMap<String, i64>,
    /// Runs of each operation.
    pub runs: u32,
    /// Whether race-prone operations are repeated often.
    pub races: bool,
    /// Whether error signatures are computed.
    pub signatures: bool,
    /// Busy side streams.
    pub load: u32,
    /// Only families that this arm can move; empty for all.
    pub families: Vec<&'static str>,
}

impl Arm {
    fn new(name: impl Into<String>, runs: u32) -> Self {
        Self { name: name.into(), runs, ..Self::default() }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, name: &str, value: i64) -> Self {
        self.flags.insert(name.to_owned(), value);
        self
    }

    fn threads(mut self, threads: u32) -> Self {
        self.threads = Some(threads);
        self
    }
}

/// What the plan depends on.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The library.
    pub library: Library,
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// How thorough.
    pub level: Level,
    /// CPUs that the process may use.
    pub cpus: u32,
    /// The most runs of a race-prone operation.
    pub repeat: u32,
    /// Fresh processes beside the first.
    pub processes: u32,
}

/// Runs of a race-prone operation: 66 equal ones bound another result to 4.5 % a run.
pub const REPEAT: u32 = 66;

/// Seconds that the repeats of one operation may take.
const SECONDS: f64 = 3.0;

/// Causes of a difference between CPUs that can be emulated: name, variable, value. Each is a documented switch of
/// the library that downgrades its own dispatch.
pub const EMULATIONS: [(&str, &str, &str); 7] = [
    ("aten-avx2", "ATEN_CPU_CAPABILITY", "avx2"),
    ("aten-default", "ATEN_CPU_CAPABILITY", "default"),
    ("mkl-avx2", "MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ("mkl-compatible", "MKL_CBWR", "COMPATIBLE"),
    ("onednn-avx2", "ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("onednn-avx512-core", "ONEDNN_MAX_CPU_ISA", "AVX512_CORE"),
    ("onednn-sse41", "ONEDNN_MAX_CPU_ISA", "SSE41"),
];

/// The arms of a self-test in order.
pub fn plan(wanted: &Wanted) -> Vec<Arm> {
    let torch = wanted.library == Library::Torch;
    let cuda = wanted.device.starts_with("cuda");
    let quick = wanted.level == Level::Quick;
    let mut arms = Vec::new();
    if !quick && !cuda {
        arms.push(Arm { signatures: true, ..Arm::new("one-thread", 2).threads(1) });
    }
    arms.push(Arm { races: !quick, signatures: cuda, ..Arm::new("found", if quick { 2 } else { 3 }) });
    if !quick {
        arms.extend((1..=wanted.processes).map(|n| Arm::new(format!("fresh-{n}"), 1)));
    }
    if torch {
        let deterministic = |name: &str, runs| {
            let arm = Arm::new(name, runs).flag("deterministic_algorithms", 1);
            if cuda { arm.env("CUBLAS_WORKSPACE_CONFIG", ":4096:8") } else { arm }
        };
        arms.push(Arm { races: !quick, ..deterministic("deterministic", if quick { 1 } else { 3 }) });
        if !quick && !cuda && wanted.cpus > 1 {
            arms.push(deterministic("deterministic-one-thread", 1).threads(1));
        }
    }
    if cuda && torch && !quick {
        let products = vec!["mm", "conv", "attn", "rnn", "train", "la"];
        for (name, value) in [("tf32-on", 1), ("tf32-off", 0)] {
            let arm = Arm::new(name, 2).flag("cuda.matmul.allow_tf32", value).flag("cudnn.allow_tf32", value);
            arms.push(Arm { signatures: true, families: products.clone(), ..arm });
        }
        // Last: the choice of the benchmark stays in the process.
        let families = vec!["conv", "train", "rnn"];
        arms.push(Arm { families, ..Arm::new("cudnn-benchmark", 2).flag("cudnn.benchmark", 1) });
        if wanted.level == Level::Full {
            for (name, value) in [("workspace-4096-8", ":4096:8"), ("workspace-16-8", ":16:8")] {
                arms.push(Arm::new(name, 2).env("CUBLAS_WORKSPACE_CONFIG", value));
            }
            arms.push(Arm { load: 3, races: true, ..Arm::new("load", 3) });
        }
    }
    if wanted.level == Level::Full && !cuda {
        arms.extend(emulations(wanted.cpus));
    }
    arms
}

/// The arms that emulate another CPU, all at one thread, and other thread counts.
pub fn emulations(cpus: u32) -> Vec<Arm> {
    let mut arms: Vec<Arm> = EMULATIONS
        .iter()
        .map(|(name, variable, value)| Arm::new(*name, 1).threads(1).env(variable, value))
        .collect();
    let mut counts: Vec<u32> = [2, 4, 8, 16, 32, 64].into_iter().filter(|n| *n <= cpus.max(2)).collect();
    counts.push(cpus);
    counts.retain(|n| *n > 1);
    counts.sort_unstable();
    counts.dedup();
    arms.extend(counts.into_iter().map(|n| Arm::new(format!("threads-{n}"), 1).threads(n)));
    arms
}

/// What an arm asks of the engine.
pub fn request(arm: &Arm, wanted: &Wanted, catalogue: &Catalogue) -> Request {
    let cuda = wanted.device.starts_with("cuda");
    let operations = catalogue
        .operations
        .iter()
        .filter(|o| wanted.level != Level::Quick || o.tier != Tier::Extended)
        .filter(|o| arm.families.is_empty() || arm.families.contains(&o.family()))
        .map(|o| {
            // On a CPU the operations that race there, and those of their family that could.
            let races = arm.races && if cuda { o.race_prone } else { o.cpu_race || o.family() == "idx" };
            Asked {
                id: o.id.clone(),
                runs: arm.runs,
                most_runs: if races { wanted.repeat.max(arm.runs) } else { arm.runs },
                seconds: if races { SECONDS } else { 0.0 },
                reference: arm.signatures && o.reference,
                hypotheses: o.hypotheses,
                values: o.id.ends_with(".batch_invariance"),
            }
        })
        .collect();
    Request {
        device: wanted.device.clone(),
        threads: arm.threads,
        flags: arm.flags.clone(),
        load: arm.load,
        signatures: arm.signatures,
        wait: false,
        simulate: None,
        operations,
    }
}
