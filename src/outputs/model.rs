//! What is known of a run's outputs, as plain data.

use serde::{Deserialize, Serialize};

/// The outputs of a run, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The files.
    pub files: Vec<Output>,
    /// What could not be listed at all (a folder without permission), and why.
    pub faults: Vec<Fault>,
}

/// A name and the reason why nothing is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The name as [`Output::name`].
    pub name: String,
    /// Why.
    pub reason: String,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The path relative to the base, `/` between its parts, odd bytes escaped as `crate::data::Name` escapes them.
    pub name: String,
    /// What it was recognised as.
    pub kind: Kind,
    /// Its length.
    pub bytes: u64,
    /// `sha256:…` of the whole file, or why there is none.
    pub digest: Result<String, String>,
    /// What is inside, in the order of names.
    pub contents: Contents,
}

/// The forms of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// safetensors.
    Safetensors,
    /// One numpy array.
    Npy,
    /// A ZIP archive of numpy arrays.
    Npz,
    /// What `torch.save` writes since torch 1.6: a ZIP archive with a pickle.
    Torch,
    /// What `torch.save` wrote before torch 1.6: pickles one after the other.
    TorchLegacy,
    /// What `torch.save` wrote before torch 0.1.10, or any other tar archive.
    Tar,
    /// JSON.
    Json,
    /// One JSON value per line.
    Jsonl,
    /// Text in columns, parted by commas, semicolons or tabs.
    Csv,
    /// Anything else.
    File,
}

impl Kind {
    /// The word for it, as facts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::Torch => "torch",
            Self::TorchLegacy => "torch-legacy",
            Self::Tar => "tar",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::File => "file",
        }
    }

    /// The kind of a word of [`Self::as_str`].
    pub fn named(word: &str) -> Option<Self> {
        use Kind::*;
        let all = [Safetensors, Npy, Npz, Torch, TorchLegacy, Tar, Json, Jsonl, Csv, File];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether its tensors are arrays of binary numbers, and not columns of text.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Safetensors | Self::Npy | Self::Npz | Self::Torch)
    }
}

/// What is inside a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Contents {
    /// Nothing that driftlock reads: the file has a digest as a whole.
    Whole,
    /// The form is known and could not be read, for this reason.
    Unread(String),
    /// Its tensors or columns.
    Tensors(Vec<Tensor>),
}

impl Contents {
    /// The tensors; none where the contents were not read.
    pub fn tensors(&self) -> &[Tensor] {
        match self {
            Self::Tensors(tensors) => tensors,
            _ => &[],
        }
    }
}

/// One tensor or column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// The element type's name; empty where it is not known.
    pub dtype: String,
    /// The sizes of its dimensions.
    pub shape: Vec<u64>,
    /// Its content, or why that was not read.
    pub content: Result<Content, String>,
}

/// The content of a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// `sha256:…` of the line `DTYPE SHAPE DIGEST-OF-BYTES`.
    pub digest: String,
    /// Figures of its numbers; `None` for text and records.
    pub sketch: Option<Sketch>,
}

/// Figures of a tensor's numbers, from which two tensors can be compared without their files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    /// The Euclidean norm of the finite numbers; infinite where it is beyond a double's range.
    pub norm: f64,
    /// The smallest and the largest finite number; `None` where there is none.
    pub range: Option<(f64, f64)>,
    /// NaNs.
    pub nans: u64,
    /// Infinities.
    pub infs: u64,
    /// A sum of hashes of the elements, which does not depend on their order.
    pub multiset: u64,
    /// The numbers at the positions of [`super::sketch::positions`].
    pub samples: Vec<f64>,
}

/// `[2,3]`, as facts and digests write a shape.
pub fn shape_text(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("[{}]", sizes.join(","))
}

/// The shape of [`shape_text`].
pub fn shape_of(text: &str) -> Option<Vec<u64>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|size| size.parse().ok()).collect()
}
