//! Which files are looked at, and their text.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};
use crate::host::git::tracked;
use crate::workload::parse::LONGEST;

use super::source::Language;

/// Longest notebook that is read, in bytes: most of one are pictures.
const LONGEST_NOTEBOOK: u64 = 64 << 20;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Where it is.
    pub path: PathBuf,
    /// As it is shown: from the working directory, or as the user named it.
    pub shown: PathBuf,
}

/// The files to look at, and the folders that absolute imports start from.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// In order, each once.
    pub files: Vec<Target>,
    /// Without the working directory there is none.
    pub roots: Vec<PathBuf>,
    /// Whether they are all files of a project, and not a choice of the user's.
    pub whole: bool,
}

/// What a file is by its name: Python or a notebook.
pub fn language(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "py" | "pyw" => Some(Language::Python),
        "ipynb" => Some(Language::Notebook),
        _ => None,
    }
}

/// The files of a project: those that git tracks below the working directory, or, where there is no repository, all
/// below it.
pub fn of_project(cwd: &Path) -> Targets {
    let (root, files) = match tracked::tracked(cwd) {
        Ok((root, files)) => {
            let files = files.into_iter().map(|shown| Target { path: cwd.join(&shown), shown });
            (root, files.filter(|t| is_source(&t.path)).collect())
        }
        Err(_) => (cwd.to_path_buf(), walk(cwd, Path::new(""))),
    };
    let mut roots = vec![cwd.to_path_buf(), root];
    roots.dedup();
    Targets { files, roots, whole: true }
}

/// The files that the user names, and those in the folders that the user names.
///
/// # Errors
///
/// Where one of them is not there or is no source.
pub fn of_paths(cwd: &Path, paths: &[PathBuf]) -> Result<Targets, Error> {
    let mut out = Targets { roots: vec![cwd.to_path_buf()], ..Targets::default() };
    for path in paths {
        let full = cwd.join(path);
        let meta = fs::metadata(&full)
            .map_err(|e| Error::input(format!("cannot read `{}`: {}", path.display(), reason(&e))))?;
        if meta.is_dir() {
            let full = full.canonicalize().unwrap_or(full);
            let shown = shown(cwd, path);
            out.files.extend(walk(&full, &shown));
            // A package is imported by its own name, from the folder that it lies in.
            let package = full.join("__init__.py").is_file();
            let root = if package { full.parent().map(Path::to_path_buf) } else { Some(full) };
            out.roots.extend(root);
        } else {
            out.roots.extend(full.parent().map(Path::to_path_buf));
            out.files.push(Target { shown: shown(cwd, path), path: full });
        }
    }
    out.roots.sort_unstable();
    out.roots.dedup();
    out.files.sort_by(|x, y| (&x.shown, &x.path).cmp(&(&y.shown, &y.path)));
    out.files.dedup_by(|x, y| x.path == y.path);
    Ok(out)
}

/// A path as it is shown: from the working directory where it lies below it.
fn shown(cwd: &Path, path: &Path) -> PathBuf {
    let path = path.strip_prefix(cwd).unwrap_or(path);
    let plain: PathBuf = path.components().filter(|c| *c != std::path::Component::CurDir).collect();
    plain
}

/// Every source file below a folder, in order. Hidden folders and environments are left out, links are not followed.
fn walk(folder: &Path, shown: &Path) -> Vec<Target> {
    let enter = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || !entry.file_type().is_dir()
            || !(name.starts_with('.')
                || matches!(&*name, "__pycache__" | "node_modules" | "site-packages")
                || entry.path().join("pyvenv.cfg").exists()
                || entry.path().join("conda-meta").exists())
    };
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(enter);
    let files = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files
        .filter_map(|entry| {
            let below = entry.path().strip_prefix(folder).ok()?.to_path_buf();
            is_source(entry.path()).then(|| Target { shown: shown.join(below), path: entry.into_path() })
        })
        .collect()
}

/// Whether a file is source by its name, or, where it has no ending, by its first line.
fn is_source(path: &Path) -> bool {
    if path.extension().is_some() {
        return language(path).is_some();
    }
    let mut head = [0; 64];
    let is_file = fs::symlink_metadata(path).is_ok_and(|m| m.is_file());
    if !is_file {
        return false;
    }
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    let first = head[..read].split(|b| *b == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && memchr::memmem::find(first, b"python").is_some()
}

/// The text of a file; `None` where it is no longer there.
///
/// # Errors
///
/// Why it cannot be read, in few words.
pub fn text(path: &Path) -> Result<Option<String>, String> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(reason(&e)),
    };
    if !meta.is_file() {
        return Err("is no regular file".to_owned());
    }
    let longest = match language(path) {
        Some(Language::Notebook) => LONGEST_NOTEBOOK,
        _ => LONGEST as u64,
    };
    if meta.len() > longest {
        return Err(format!("is longer than {} MiB", longest >> 20));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    let read = fs::File::open(path).and_then(|file| file.take(longest + 1).read_to_end(&mut bytes));
    read.map_err(|e| reason(&e))?;
    decode(bytes).map(Some)
}

/// Source text from its bytes: UTF-8, with or without a mark, or one byte for a character, where the file says so
/// (PEP 263).
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16, which Python does not read".to_owned());
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let bytes = error.into_bytes();
    match encoding(&bytes) {
        Some(name) if is_single_byte(&name) => Ok(bytes.into_iter().map(char::from).collect()),
        Some(name) if !matches!(&*name, "utf-8" | "utf8") => {
            Err(format!("is written in {}", crate::snapshot::value::shown(&name)))
        }
        _ => {
            let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
            Err(format!("is not UTF-8 (line {line})"))
        }
    }
}

/// The encoding that the first two lines name.
fn encoding(bytes: &[u8]) -> Option<String> {
    bytes.split(|b| *b == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start().strip_prefix('#')?;
        let rest = &comment[comment.find("coding")? + "coding".len()..];
        let name = rest.strip_prefix([':', '='])?.trim_start();
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
        (end > 0).then(|| name[..end].to_ascii_lowercase().replace('_', "-"))
    })
}

fn is_single_byte(name: &str) -> bool {
    [
        "latin",
        "iso-8859-",
        "iso8859-",
        "cp125",
        "windows-125",
        "koi8-",
        "ascii",
        "us-ascii",
        "cp437",
        "cp850",
        "mac-",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode(b"\xef\xbb\xbfx = 1".to_vec()).as_deref(), Ok("x = 1"));
        assert_eq!(
            decode(b"# -*- coding: latin-1 -*-\nx = '\xe9'".to_vec()).map(|t| t.contains('é')),
            Ok(true)
        );
        assert_eq!(decode(b"x = 1\ny = '\xe9'".to_vec()), Err("is not UTF-8 (line 2)".to_owned()));
        assert_eq!(decode(b"# coding=euc-jp\n'\xa4\xa2'".to_vec()), Err("is written in euc-jp".to_owned()));
        assert_eq!(decode(b"\xff\xfex\0".to_vec()), Err("is UTF-16, which Python does not read".to_owned()));
    }
}
