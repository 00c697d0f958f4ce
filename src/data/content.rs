//! The digest of the arrays in a data file, whatever its packing.

use std::path::Path;

use indicatif::ProgressBar;

use crate::outputs::model::Contents;
use crate::outputs::source::Source;
use crate::outputs::{contents, format, record};

/// The longest file that is read a second time for its arrays, in bytes.
const LIMIT: u64 = 1 << 30;

/// `sha256:…` over the tensors of a `.npy`, `.npz`, `.safetensors` or `.pt` file; `None` for other files, longer ones,
/// and those of which not every tensor is read.
pub(super) fn digest(path: &Path) -> Option<String> {
    let source = Source::open(path, &ProgressBar::hidden()).ok()?;
    let kind = format::recognise(path, &source.head(format::HEAD).ok()?, source.len());
    if !kind.is_binary() || source.len() > LIMIT {
        return None;
    }
    let Contents::Tensors(tensors) = contents(kind, &source) else { return None };
    source.unchanged().ok()?;
    record::content_digest(&tensors).ok()
}
