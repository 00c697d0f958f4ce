//! The operations, as data. The programs that compute them are the engines'.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A library whose operations are tested.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// PyTorch: 119 operations, on the CPU and on GPUs.
    #[default]
    Torch,
    /// NumPy, and SciPy where it is installed.
    Numpy,
    /// JAX.
    Jax,
    /// TensorFlow.
    Tensorflow,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Torch, Self::Numpy, Self::Jax, Self::Tensorflow];

    /// The name of its module.
    pub fn module(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Numpy => "numpy",
            Self::Jax => "jax",
            Self::Tensorflow => "tensorflow",
        }
    }
}

/// How much an operation tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Must equal golden values that driftlock computes itself; where it does not, the data path is at fault.
    Control,
    /// Always run.
    Core,
    /// Left out by `--quick`.
    Extended,
}

/// What `torch.use_deterministic_algorithms` says of an operation on CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Documented {
    /// Exact by definition.
    Exact,
    /// Not named.
    Unlisted,
    /// A deterministic kernel is taken.
    Switches,
    /// An error is raised.
    Raises,
    /// Seeded random numbers.
    Stream,
}

/// What is expected of an operation on CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// The golden value.
    Golden,
    /// The same at each run on one machine.
    Stable,
    /// Some outputs may differ from run to run.
    MayVary,
    /// Differs from run to run.
    Unstable,
    /// An error.
    Raises,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// `family.name`.
    pub id: String,
    /// How much it tells.
    pub tier: Tier,
    /// What it computes in: `f32`, `f64`, `f16`, `bf16`, `i64`.
    pub dtype: String,
    /// Sizes, in words.
    pub shape: String,
    /// What the library documents for deterministic mode.
    pub documented: Documented,
    /// Its words, or where they are from.
    pub source: String,
    /// Expected on CUDA as found.
    pub default: Expected,
    /// Expected on CUDA in deterministic mode.
    pub deterministic: Expected,
    /// Unstable on a CPU with two threads.
    #[serde(default)]
    pub cpu_race: bool,
    /// Repeated often.
    #[serde(default)]
    pub race_prone: bool,
    /// A float64 computation of the same formula is a reference.
    #[serde(default)]
    pub reference: bool,
    /// Rounded operands tell the precision.
    #[serde(default)]
    pub hypotheses: bool,
    /// The emulated causes that moved its digest where this was measured.
    #[serde(default)]
    pub moved_by: Vec<String>,
}

impl Operation {
    /// What stands before the point.
    pub fn family(&self) -> &str {
        family(&self.id)
    }
}

/// The family of an operation.
pub fn family(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// A library's operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Two results are comparable only under equal versions.
    pub version: u32,
    /// In the order in which they run.
    #[serde(rename = "operation")]
    pub operations: Vec<Operation>,
}

impl Catalogue {
    /// The operation of this id.
    pub fn get(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id)
    }
}

/// The catalogue of a library.
pub fn of(library: Library) -> &'static Catalogue {
    static ALL: LazyLock<BTreeMap<Library, Catalogue>> = LazyLock::new(|| {
        let texts = [
            (Library::Torch, include_str!("catalogue.toml")),
            (Library::Numpy, include_str!("catalogue-numpy.toml")),
            (Library::Jax, include_str!("catalogue-jax.toml")),
            (Library::Tensorflow, include_str!("catalogue-tensorflow.toml")),
        ];
        // The tests parse every file, so none is wrong here.
        texts.into_iter().filter_map(|(library, text)| Some((library, toml::from_str(text).ok()?))).collect()
    });
    static EMPTY: Catalogue = Catalogue { version: 0, operations: Vec::new() };
    ALL.get(&library).unwrap_or(&EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_parses_and_its_ids_are_families_and_names() {
        let torch: Catalogue = toml::from_str(include_str!("catalogue.toml")).expect("torch");
        assert!(torch.operations.len() >= 116);
        for library in Library::ALL {
            let catalogue = of(library);
            assert!(!catalogue.operations.is_empty(), "{library:?}");
            let mut ids: Vec<_> = catalogue.operations.iter().map(|o| o.id.as_str()).collect();
            assert!(ids.iter().all(|id| id.split('.').count() == 2), "{ids:?}");
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), catalogue.operations.len());
        }
    }
}
