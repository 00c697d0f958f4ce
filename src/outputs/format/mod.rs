//! The forms of files: which one a file is of, and where its tensors lie.

pub mod json;
pub mod literal;
pub mod npy;
pub mod pickle;
pub mod safetensors;
pub mod table;
pub mod torch;
pub mod zip;

use std::path::Path;

use super::layout::Layout;
use super::model::Kind;
use super::source::Source;

/// Tensors of a file that are told apart; a file with more is digested as a whole.
pub const TENSORS: usize = 100_000;

/// A tensor of a file, before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The element type's name as far as it is known.
    pub dtype: String,
    /// The sizes of its dimensions as far as they are known.
    pub shape: Vec<u64>,
    /// Where it lies, or why it is not read.
    pub found: Result<Found, String>,
}

/// The elements of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// In the file.
    InFile(Layout),
    /// Here: canonical bytes of this type (numbers that stand in a pickle).
    Here(super::dtype::Dtype, Vec<u8>),
}

impl Entry {
    /// An entry whose type is `dtype` where the layout does not say.
    pub fn new(name: String, dtype: &str, shape: Vec<u64>, found: Result<Layout, String>) -> Self {
        let dtype = found.as_ref().map_or(dtype, |layout| layout.dtype.name()).to_owned();
        Self { name, dtype, shape, found: found.map(Found::InFile) }
    }

    /// An entry that is named and not read.
    pub fn unread(name: String, reason: impl Into<String>) -> Self {
        Self { name, dtype: String::new(), shape: Vec::new(), found: Err(reason.into()) }
    }
}

/// The bytes of a file's start that [`recognise`] looks at.
pub const HEAD: u64 = 512;

/// The form of a file: by its content where that is telling, by its name elsewhere.
pub fn recognise(path: &Path, head: &[u8], len: u64) -> Kind {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    if head.starts_with(npy::MAGIC) {
        return Kind::Npy;
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return match extension.as_str() {
            "npz" => Kind::Npz,
            "pt" | "pth" | "bin" | "ckpt" | "pkl" | "th" | "tar" => Kind::Torch,
            _ => Kind::File,
        };
    }
    if head.starts_with(torch::LEGACY) || head.starts_with(torch::LEGACY_LONG4) {
        return Kind::TorchLegacy;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Kind::Tar;
    }
    if safetensors::is(head, len) && extension != "json" {
        return Kind::Safetensors;
    }
    match extension.as_str() {
        "safetensors" => Kind::Safetensors,
        "npy" => Kind::Npy,
        "npz" => Kind::Npz,
        "json" => Kind::Json,
        "jsonl" | "ndjson" => Kind::Jsonl,
        "csv" | "tsv" => Kind::Csv,
        _ => Kind::File,
    }
}

/// The tensors of a file of one of the binary forms.
pub fn entries(kind: Kind, source: &Source) -> Result<Vec<Entry>, String> {
    let mut entries = match kind {
        Kind::Safetensors => safetensors::entries(source)?,
        Kind::Npy => {
            let place =
                super::layout::Place { offset: 0, packed: source.len(), len: source.len(), deflated: false };
            let layout = npy::layout(&source.head(npy::HEAD)?, place)?;
            vec![Entry::new("array".to_owned(), "", layout.shape.clone(), Ok(layout))]
        }
        Kind::Npz => zip::npz(source)?,
        Kind::Torch => torch::entries(source)?,
        _ => Vec::new(),
    };
    if entries.len() > TENSORS {
        return Err(format!("holds {} tensors, more than the {TENSORS} that are told apart", entries.len()));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    // Two members or keys of one name: the later ones are told apart by a number.
    let (mut before, mut times) = (String::new(), 1);
    for entry in &mut entries {
        if entry.name == before {
            times += 1;
            entry.name = format!("{before}#{times}");
        } else {
            before.clone_from(&entry.name);
            times = 1;
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
