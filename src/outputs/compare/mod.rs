//! How two outputs compare: by their sketches alone (`sketches`), or exactly where both files are at hand
//! (`exact`).

pub mod command;
mod element;
pub mod exact;
pub mod level;
mod render;
pub mod sketches;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use exact::exact;
pub use level::Level;
pub use render::human;
pub use sketches::sketches;

/// The schema of [`Report`].
pub const SCHEMA: &str = "driftlock/outputs/1";

/// What differs between two outputs. Files in the order of their names, tensors likewise; equal ones are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Whether the figures are exact, or estimated from sketches.
    pub exact: bool,
    /// Whether every file is there on both sides and bitwise equal in its tensors, or as a whole.
    pub same: bool,
    /// The effect that the magnitude speaks for; `null` where nothing differs or the magnitude does not tell.
    pub level: Option<Level>,
    /// Why this level.
    pub why: String,
    /// Relative difference of all comparable floating-point tensors together.
    pub relative: Option<f64>,
    /// Files that are equal.
    pub equal: u64,
    /// Files that differ, or could not be compared.
    pub files: Vec<FileDiff>,
}

/// How two things of the same name relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Other bytes of the file, and every tensor is equal.
    Repacked,
    /// Different content.
    Changed,
    /// Another element type or another shape.
    Reshaped,
    /// The same elements in another order.
    Reordered,
    /// On the first side only.
    OnlyA,
    /// On the second side only.
    OnlyB,
    /// Could not be compared.
    Unknown,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileDiff {
    /// Its name.
    pub name: String,
    /// How.
    pub standing: Standing,
    /// What could not be looked at, and why.
    pub reason: Option<String>,
    /// The level that its tensors speak for together.
    pub level: Option<Level>,
    /// Tensors that are equal.
    pub equal: u64,
    /// Tensors that differ.
    pub tensors: Vec<TensorDiff>,
}

/// A tensor that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TensorDiff {
    /// Its name.
    pub name: String,
    /// How.
    pub standing: Standing,
    /// What could not be looked at, and why.
    pub reason: Option<String>,
    /// Element type and shape on the first side.
    pub a: Option<Form>,
    /// Element type and shape on the second side.
    pub b: Option<Form>,
    /// By how much; `null` where the elements cannot be compared one by one.
    pub figures: Option<Figures>,
    /// The level that this tensor alone speaks for.
    pub level: Option<Level>,
}

/// Element type and shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Form {
    /// The element type.
    pub dtype: String,
    /// The sizes of the dimensions.
    pub shape: Vec<u64>,
}

/// By how much two tensors differ. Pairs with a NaN or an infinity on either side are not part of the means and
/// maxima, and are counted in `nonfinite` where they differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Elements that were compared: all, or the samples of an estimate.
    pub compared: u64,
    /// Elements of which the bits differ; of an estimate, samples of which the values differ.
    pub differing: u64,
    /// The index of the first of them, one number per dimension; `null` in an estimate.
    pub first: Option<Vec<u64>>,
    /// Pairs that differ, one of them a NaN or an infinity.
    pub nonfinite: u64,
    /// Largest and mean `|a - b|`.
    pub max_abs: f64,
    /// Mean of `|a - b|` over all pairs.
    pub mean_abs: f64,
    /// Largest `|a - b| / max(|a|, |b|)`; 0 where both are 0.
    pub max_rel: f64,
    /// Mean of it.
    pub mean_rel: f64,
    /// Largest distance in units in the last place of the element type; `null` for types that are no floats.
    pub max_ulp: Option<u64>,
    /// Mean of it.
    pub mean_ulp: Option<f64>,
    /// `norm(a - b) / max(norm(a), norm(b))`: what [`level`] judges.
    pub relative: f64,
}
