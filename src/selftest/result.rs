//! The result of a self-test: `driftlock/selftest/1`, as `-o` writes it and `--explain` reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::catalogue::{Library, family};
use super::digest;
use super::protocol::Measured;

/// The name of this form.
pub const SCHEMA: &str = "driftlock/selftest/1";

/// A whole self-test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelfTest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The library.
    pub library: Library,
    /// The catalogue's version.
    pub catalogue: u32,
    /// `tch` or `python`.
    pub engine: String,
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// `quick`, `default`, `full`.
    pub level: String,
    /// The 1-minute load average before the start, times 100: repeats on a busy machine prove less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_average_percent: Option<u32>,
    /// Seconds that it took.
    pub seconds: f64,
    /// The arms in the order in which they ran.
    pub arms: Vec<ArmResult>,
}

/// What one arm gave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ArmResult {
    /// Its name: `one-thread`, `found`, `fresh-1`, `deterministic`, …
    pub name: String,
    /// Threads asked for; as found without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Variables set for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Flags set for it, and read back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, i64>,
    /// What the engine says of itself and of the device.
    #[serde(default)]
    pub described: Map<String, Json>,
    /// The digest of every stable operation.
    #[serde(default)]
    pub root: String,
    /// The digest of each family's stable operations.
    #[serde(default)]
    pub families: BTreeMap<String, String>,
    /// Every operation that ran.
    pub operations: BTreeMap<String, Measured>,
    /// Why it ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the libraries wrote on standard error: the end of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
    /// Seconds from start to end.
    pub seconds: f64,
}

/// One output of an operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The first 16 hexadecimal digits of its digest.
    pub digest: String,
    /// How it is wrong against float64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// log2 of the relative L2 distance to the reference with operands rounded so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hypotheses: BTreeMap<String, f64>,
}

/// The error of an output against float64, in quarter octaves: equal between machines that only sum in another order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// Values.
    pub n: u64,
    /// Of these not finite on either side.
    pub nonfinite: u64,
    /// Of these zero.
    pub zeros: u64,
    /// log2 of the relative L2 error; -999 for none.
    pub log2_l2: f64,
    /// log2 of the median relative error.
    pub log2_p50: f64,
    /// log2 of its 90th percentile.
    pub log2_p90: f64,
    /// log2 of its maximum.
    pub log2_max: f64,
    /// Mean signed error over the L2 error: near 0 for round to nearest, near -0.7 for truncation.
    pub bias: f64,
    /// Some values, as hexadecimal floats.
    #[serde(default)]
    pub samples: Vec<String>,
}

/// An error in the place of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// `nondeterministic` (refused in deterministic mode), `unsupported`, `out-of-memory`, `error`.
    pub kind: String,
    /// The library's words.
    pub message: String,
}

impl SelfTest {
    /// The arm of this name.
    pub fn arm(&self, name: &str) -> Option<&ArmResult> {
        self.arms.iter().find(|a| a.name == name)
    }

    /// What the engine says under this key, in the first arm that says it.
    pub fn described(&self, key: &str) -> Option<String> {
        self.arms.iter().find_map(|arm| match arm.described.get(key)? {
            Json::String(text) => Some(text.clone()),
            Json::Null => None,
            other => Some(other.to_string()),
        })
    }

    /// The operations that gave more than one result in any arm of the same mode as `arm`.
    pub fn unstable_in(&self, arm: &ArmResult) -> Vec<&str> {
        let mut ids: Vec<&str> = self
            .arms
            .iter()
            .filter(|other| other.flags == arm.flags && other.threads == arm.threads && other.env == arm.env)
            .flat_map(|other| {
                other.operations.iter().filter(|(id, m)| {
                    m.distinct > 1 || arm.operations.get(*id).is_some_and(|own| own.digest != m.digest)
                })
            })
            .map(|(id, _)| id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Fills in the digests of families and roots. Operations that are not stable count in none.
    pub fn seal(&mut self) {
        let sealed: Vec<_> = self
            .arms
            .iter()
            .map(|arm| {
                let unstable = self.unstable_in(arm);
                let mut families: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
                for (id, measured) in &arm.operations {
                    if !unstable.contains(&id.as_str()) {
                        families.entry(family(id)).or_default().push((id, &measured.digest));
                    }
                }
                let families: BTreeMap<String, String> = families
                    .into_iter()
                    .map(|(name, kids)| (name.to_owned(), digest::node(name, kids.into_iter())))
                    .collect();
                let name = format!("root/{}", self.catalogue);
                let root = digest::node(&name, families.iter().map(|(n, d)| (n.as_str(), d.as_str())));
                (families, root)
            })
            .collect();
        for (arm, (families, root)) in self.arms.iter_mut().zip(sealed) {
            arm.families = families;
            arm.root = root;
        }
    }
}
