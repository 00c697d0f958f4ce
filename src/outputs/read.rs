//! Files to outputs: what each one is, its digest, its tensors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::dtype::{Dtype, Number};
use super::format::table::{self, Cell, Column};
use super::format::{self, Entry, Found};
use super::layout::{Stream, count};
use super::model::{Content, Contents, Fault, Kind, Output, Outputs, Tensor};
use super::sketch::{Sketcher, tensor_digest};
use super::source::Source;
use crate::data::{Name, digest_file};
use crate::error::reason;

/// How to read outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Show progress on standard error (the caller has checked that it is a terminal).
    pub progress: bool,
}

/// The name that a column of no name gets: the document is one value.
pub(super) const VALUE: &str = "value";

/// Reads files, and the files of folders. Names are relative to `base`; a path outside it keeps its own. A path that
/// is not there is a fault.
///
/// Memory stays below about 100 MB whatever the files hold; files are read twice where they hold tensors.
pub fn read(paths: &[PathBuf], base: &Path, options: &Options) -> Outputs {
    let (files, faults) = list(paths, base);
    let mut outputs = Outputs { files: Vec::new(), faults };
    let bar = progress(options, files.values().map(|(_, len)| len.saturating_mul(2)).sum());
    for (name, (path, len)) in files {
        let before = bar.position();
        outputs.files.push(file(name, &path, &bar));
        bar.set_position(before.saturating_add(len.saturating_mul(2)));
    }
    bar.finish_and_clear();
    outputs
}

/// Regular files by their names, with their paths and lengths.
pub(super) type Files = BTreeMap<String, (PathBuf, u64)>;

/// The regular files among `paths` and below them, and what could not be listed.
pub(super) fn list(paths: &[PathBuf], base: &Path) -> (Files, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut files = Files::new();
    for path in paths {
        for entry in WalkDir::new(path).follow_root_links(true) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let is_root = entry.depth() == 0;
                    let path = entry.into_path();
                    // Links inside a folder are not followed, as `--data` does not; pipes and devices are not read.
                    let meta =
                        if is_root { std::fs::metadata(&path) } else { std::fs::symlink_metadata(&path) };
                    match meta {
                        Ok(meta) if meta.is_file() => {
                            files.insert(name(&path, base), (path, meta.len()));
                        }
                        Ok(_) if !is_root => {}
                        Ok(_) => faults.push(fault(&path, base, "not a regular file".to_owned())),
                        Err(error) => faults.push(fault(&path, base, reason(&error))),
                    }
                }
                Err(error) => {
                    let why = error.io_error().map_or_else(|| "a link to itself".to_owned(), reason);
                    faults.push(fault(error.path().unwrap_or(path), base, why));
                }
            }
        }
    }
    faults.sort_by(|a: &Fault, b: &Fault| a.name.cmp(&b.name));
    (files, faults)
}

/// The path below `base`, or the path.
fn name(path: &Path, base: &Path) -> String {
    let relative = path.strip_prefix(base).ok().filter(|p| !p.as_os_str().is_empty());
    let tidy: PathBuf = relative.unwrap_or(path).components().filter(|c| c.as_os_str() != ".").collect();
    Name::from(&tidy).to_string()
}

fn fault(path: &Path, base: &Path, reason: String) -> Fault {
    Fault { name: name(path, base), reason }
}

pub(super) fn progress(options: &Options, bytes: u64) -> ProgressBar {
    let target = if options.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    let style = ProgressStyle::with_template("outputs {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// One file.
pub fn file(name: String, path: &Path, bar: &ProgressBar) -> Output {
    let whole = |error: String| Output {
        name: name.clone(),
        kind: Kind::File,
        bytes: 0,
        digest: Err(error),
        contents: Contents::Whole,
    };
    let source = match Source::open(path, bar) {
        Ok(source) => source,
        Err(error) => return whole(error),
    };
    // A link at the path itself is followed.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let digest = digest_file(&real, &|bytes| bar.inc(bytes));
    let (kind, contents) = match source.head(format::HEAD) {
        Ok(head) => {
            let kind = format::recognise(path, &head, source.len());
            (kind, contents(kind, &source))
        }
        Err(error) => (Kind::File, Contents::Unread(error)),
    };
    // The tensors are those of the file that the digest is of.
    let contents = match source.unchanged() {
        Ok(()) => contents,
        Err(error) => Contents::Unread(error),
    };
    Output { name, kind, bytes: source.len(), digest, contents }
}

/// The tensors or columns of a file.
pub fn contents(kind: Kind, source: &Source) -> Contents {
    let read = match kind {
        Kind::File => return Contents::Whole,
        Kind::TorchLegacy => Err("the form that torch wrote before 1.6 is not read; load and save it once \
                                  with a newer torch"
            .to_owned()),
        Kind::Tar => Err("a tar archive is not read".to_owned()),
        Kind::Json | Kind::Jsonl | Kind::Csv => columns(kind, source),
        _ => tensors(kind, source),
    };
    match read {
        Ok(tensors) => Contents::Tensors(tensors),
        Err(reason) => Contents::Unread(reason),
    }
}

/// Bytes that the tensors of a file may have together: the file's length several times, because a file may hold views
/// of the same numbers, and something for small files. A tensor beyond it is not read.
pub(super) fn budget(source: &Source) -> u64 {
    source.len().saturating_mul(16).max(4 << 30)
}

fn tensors(kind: Kind, source: &Source) -> Result<Vec<Tensor>, String> {
    let mut left = match kind {
        // Here the limits on archives hold.
        Kind::Npz => u64::MAX,
        _ => budget(source),
    };
    let entries = format::entries(kind, source)?;
    Ok(entries.into_iter().map(|entry| tensor(entry, source, &mut left)).collect())
}

fn tensor(entry: Entry, source: &Source, left: &mut u64) -> Tensor {
    let Entry { name, dtype, shape, found } = entry;
    let content = found.and_then(|found| {
        let elements = count(&shape).unwrap_or(u64::MAX);
        match found {
            Found::Here(dtype, bytes) => {
                let mut sketcher = Sketcher::new(&dtype, Some(elements));
                sketcher.update(&bytes);
                Ok(sketcher.finish(&shape))
            }
            Found::InFile(layout) => {
                let bytes = elements.saturating_mul(layout.dtype.size() as u64);
                *left = left
                    .checked_sub(bytes)
                    .ok_or("the file's tensors are views that unfold to far more than the file")?;
                let mut sketcher = Sketcher::new(&layout.dtype, Some(elements));
                let mut stream = Stream::new(source, &layout)?;
                loop {
                    let piece = stream.piece()?;
                    if piece.is_empty() {
                        return Ok(sketcher.finish(&shape));
                    }
                    sketcher.update(piece);
                }
            }
        }
    });
    Tensor { name, dtype, shape, content }
}

/// Columns of text: numbers as doubles, everything else by its text.
fn columns(kind: Kind, source: &Source) -> Result<Vec<Tensor>, String> {
    enum Sink {
        Numbers(Sketcher),
        Texts(Sha256),
    }
    let columns = table::columns(kind, source)?;
    let double = Dtype::Number(Number::Float64);
    let open = |column: &Column| {
        if column.is_numeric() {
            Sink::Numbers(Sketcher::new(&double, Some(column.count)))
        } else {
            Sink::Texts(Sha256::new())
        }
    };
    let mut sinks: BTreeMap<&str, Sink> = columns.iter().map(|(name, c)| (name.as_str(), open(c))).collect();
    table::scan(kind, source, &mut |name, cell| {
        match (sinks.get_mut(name), cell) {
            (Some(Sink::Numbers(sketcher)), Cell::Number(number)) if !number.is_nan() => {
                sketcher.update(&number.to_le_bytes());
            }
            // One NaN, whatever its sign in the text.
            (Some(Sink::Numbers(sketcher)), _) => sketcher.update(&f64::NAN.to_le_bytes()),
            (Some(Sink::Texts(hash)), cell) => {
                match cell {
                    Cell::Text(text) => hash.update(text),
                    Cell::Number(number) => hash.update(number.to_string()),
                    Cell::Missing => {}
                }
                hash.update([0]);
            }
            (None, _) => return Err("changed while it was read".to_owned()),
        }
        Ok(())
    })?;
    let tensors = sinks.into_iter().map(|(name, sink)| {
        let shape = columns.get(name).map(|c| c.shape()).unwrap_or_default();
        let (dtype, content) = match sink {
            Sink::Numbers(sketcher) => ("float64", sketcher.finish(&shape)),
            Sink::Texts(hash) => {
                ("text", Content { digest: tensor_digest("text", &shape, hash), sketch: None })
            }
        };
        let name = if name.is_empty() { VALUE } else { name };
        Tensor { name: name.to_owned(), dtype: dtype.to_owned(), shape, content: Ok(content) }
    });
    Ok(tensors.collect())
}
