//! What a run uses: the rules that speak of anything else have nothing to say about it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::rule::RuleScope;
use super::supply;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// What a run uses. `None` is unknown: anything may be in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `torch`, `numpy`, …
    pub frameworks: Option<BTreeSet<String>>,
    /// `openblas`, `mkl`, …
    pub libraries: Option<BTreeSet<String>>,
    /// `cpu`, `cuda`, …
    pub devices: Option<BTreeSet<String>>,
    /// Families of operations; `torch` alone stands for anything that torch can do.
    pub operations: Option<BTreeSet<String>>,
    /// How it is known.
    pub from: From,
}

/// How a scope is known, the surest last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// From what is installed on both sides.
    #[default]
    Inferred,
    /// From what the runs loaded and what their programs do.
    Run,
    /// From `--scope`.
    Flag,
}

/// The frameworks that rules speak of, with the fact that says that one is installed.
pub(super) const FRAMEWORKS: [(&str, &str); 6] = [
    ("torch", "torch.version"),
    ("tensorflow", "tensorflow.version"),
    ("jax", "jax.version"),
    ("numpy", "numpy.version"),
    ("scipy", "scipy.version"),
    ("sklearn", "sklearn.version"),
];

/// Of these most programs use one.
const TRAINERS: [&str; 3] = ["torch", "tensorflow", "jax"];

/// The devices that rules speak of.
pub const DEVICES: [&str; 6] = ["cpu", "cuda", "rocm", "xpu", "mps", "tpu"];

impl Scope {
    /// The scope of two runs: what either uses.
    pub fn of(a: &Snapshot, b: &Snapshot) -> Self {
        let run = |s: &Snapshot| s.sections.contains("run") || s.sections.contains("workload");
        if run(a) && run(b) {
            let mut scope = Self::of_runs(a, b);
            let inferred = Self::inferred(a, b);
            scope.frameworks = scope.frameworks.or(inferred.frameworks);
            scope.devices = scope.devices.or(inferred.devices);
            return scope;
        }
        Self::inferred(a, b)
    }

    /// The scope of one snapshot.
    pub fn of_one(snapshot: &Snapshot) -> Self {
        Self::of(snapshot, snapshot)
    }

    /// From a list such as `torch,cuda,cudnn,torch.conv`: what the list does not speak of stays as it is.
    pub fn narrowed(mut self, words: &[String]) -> Self {
        let mut given: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for word in words {
            let kind = if DEVICES.contains(&word.as_str()) {
                "devices"
            } else if word == "python" || FRAMEWORKS.iter().any(|(name, _)| name == word) {
                "frameworks"
            } else if word.contains('.') {
                "operations"
            } else {
                "libraries"
            };
            given.entry(kind).or_default().insert(word.clone());
        }
        for (kind, set) in given {
            match kind {
                "devices" => self.devices = Some(set),
                "frameworks" => self.frameworks = Some(set),
                "operations" => self.operations = Some(set),
                _ => self.libraries = Some(set),
            }
        }
        self.from = From::Flag;
        self
    }

    fn of_runs(a: &Snapshot, b: &Snapshot) -> Self {
        let union = |fact: &str| -> Option<BTreeSet<String>> {
            let mut all = list(a, fact)?;
            all.extend(list(b, fact)?);
            Some(all)
        };
        let mut operations = union("workload.operations");
        if let Some(operations) = &mut operations {
            // `torch: transformers.Trainer is not modelled`: anything of torch may run.
            for side in [a, b] {
                for reason in list(side, "workload.incomplete").unwrap_or_default() {
                    let framework = reason.split(':').next().unwrap_or_default().trim().to_owned();
                    operations.insert(framework);
                }
            }
        }
        let operations = operations.filter(|o| !o.contains("program") && !o.contains("all"));
        Self {
            frameworks: union("workload.frameworks").map(|mut f| {
                f.insert("python".to_owned());
                f
            }),
            libraries: union("run.uses"),
            devices: union("run.devices").map(|mut d| {
                d.insert("cpu".to_owned());
                d
            }),
            operations,
            from: From::Run,
        }
    }

    fn inferred(a: &Snapshot, b: &Snapshot) -> Self {
        let mut frameworks = BTreeSet::from(["python".to_owned()]);
        let mut devices = BTreeSet::from(["cpu".to_owned()]);
        let trainers = FRAMEWORKS.iter().filter(|(name, _)| TRAINERS.contains(name));
        let trainer = trainers.clone().any(|(_, fact)| is(a, fact) || is(b, fact));
        for side in [a, b] {
            for (name, fact) in FRAMEWORKS {
                // Where one of the three is known to be there, the others are not supposed for want of knowledge.
                let supposed = !TRAINERS.contains(&name) || !trainer;
                let there = is(side, fact) || (may_be(side, fact) && !supply::is_left_out(side, name));
                if there && (supposed || is(side, fact)) {
                    frameworks.insert(name.to_owned());
                }
            }
            let vendor = |v: &str| {
                let known = side.facts.iter().any(|(p, value)| {
                    matches!(p.segments(), [gpu, _, name] if gpu == "gpu" && name == "vendor")
                        && value.as_str() == Some(v)
                });
                known || gpus_unknown(side)
            };
            for (device, v) in [("cuda", "nvidia"), ("rocm", "amd"), ("xpu", "intel")] {
                if vendor(v) {
                    devices.insert(device.to_owned());
                }
            }
        }
        Self {
            frameworks: Some(frameworks),
            libraries: None,
            devices: Some(devices),
            operations: None,
            from: From::Inferred,
        }
    }

    /// Whether a rule's scope and this one meet.
    pub fn meets(&self, rule: &RuleScope) -> bool {
        let meets = |wanted: &[String], have: &Option<BTreeSet<String>>| match have {
            Some(have) => wanted.is_empty() || wanted.iter().any(|w| have.contains(w)),
            None => true,
        };
        meets(&rule.frameworks, &self.frameworks)
            && meets(&rule.libraries, &self.libraries)
            && meets(&rule.devices, &self.devices)
            && self.meets_operations(&rule.operations)
    }

    fn meets_operations(&self, wanted: &[String]) -> bool {
        let (out, wanted): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|w| w.starts_with('!'));
        let Some(have) = &self.operations else {
            // What is not known to be in use is not, where its framework is not: `tensorflow.rnn` in a run of NumPy.
            return wanted.is_empty() || wanted.iter().any(|w| self.may_use(w));
        };
        let excluded = |op: &str| out.iter().any(|w| below(op, &w[1..]));
        wanted.is_empty()
            || have.iter().any(|op| {
                let named = wanted.iter().any(|w| below(op, w) || stands_for(op, w));
                named && !excluded(op)
            })
    }

    /// Whether the framework of a family of operations may be in use.
    fn may_use(&self, operation: &str) -> bool {
        let framework = operation.split('.').next().unwrap_or_default();
        let is_framework = framework == "python" || FRAMEWORKS.iter().any(|(name, _)| *name == framework);
        !is_framework || self.frameworks.as_ref().is_none_or(|have| have.contains(framework))
    }

    /// The members of a rule's scope that this run really uses: for the wording of a finding.
    pub fn shared_operations(&self, rule: &RuleScope) -> Vec<String> {
        let Some(have) = &self.operations else {
            return Vec::new();
        };
        have.iter()
            .filter(|op| {
                let one = Self { operations: Some(BTreeSet::from([(*op).clone()])), ..Self::default() };
                !rule.operations.is_empty() && one.meets_operations(&rule.operations)
            })
            .cloned()
            .collect()
    }
}

impl RuleScope {
    /// Whether the rule is about what only few programs do: the surroundings as values, the order of sets.
    pub fn is_rare(&self) -> bool {
        !self.operations.is_empty() && self.operations.iter().all(|o| o.starts_with("python."))
    }
}

/// Whether a run's family says less than the rule's and may be meant: a framework alone stands for all that it can
/// do, and a family without its variant (`small`, `plain`, `tensor`) for every variant.
fn stands_for(op: &str, wanted: &str) -> bool {
    let variant = |rest: &str| matches!(rest, ".small" | ".plain" | ".tensor");
    wanted.strip_prefix(op).is_some_and(|rest| (!op.contains('.') && rest.starts_with('.')) || variant(rest))
}

/// Whether the family `op` is `above` or below it.
fn below(op: &str, above: &str) -> bool {
    op.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn path(text: &str) -> FactPath {
    FactPath::new(text.split('.'))
}

/// A fact that is a list of names; `None` where it is not known.
fn list(snapshot: &Snapshot, fact: &str) -> Option<BTreeSet<String>> {
    match snapshot.look(&path(fact)) {
        Looked::Value(Value::List(items)) => Some(items.iter().map(Value::plain).collect()),
        Looked::Value(_) | Looked::Absent => Some(BTreeSet::new()),
        Looked::Unknown(_) => None,
    }
}

fn is(snapshot: &Snapshot, fact: &str) -> bool {
    matches!(snapshot.look(&path(fact)), Looked::Value(_))
}

fn may_be(snapshot: &Snapshot, fact: &str) -> bool {
    !matches!(snapshot.look(&path(fact)), Looked::Absent)
}

fn gpus_unknown(snapshot: &Snapshot) -> bool {
    !snapshot.sections.contains("gpu") || snapshot.unknown.contains_key(&path("gpu"))
}
