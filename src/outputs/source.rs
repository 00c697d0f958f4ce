//! A file that is read at any position, and whether it stood still meanwhile.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use indicatif::ProgressBar;

use crate::data::identity;
use crate::error::reason;

/// An open regular file.
pub struct Source {
    file: File,
    meta: Metadata,
    bar: ProgressBar,
}

impl Source {
    /// Opens a regular file; links are followed.
    pub fn open(path: &Path, bar: &ProgressBar) -> Result<Self, String> {
        // A pipe that took the file's place must not block the open.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = file.map_err(|e| reason(&e))?;
        let meta = file.metadata().map_err(|e| reason(&e))?;
        if !meta.is_file() {
            return Err("not a regular file".to_owned());
        }
        Ok(Self { file, meta, bar: bar.clone() })
    }

    /// The length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.meta.len()
    }

    /// Whether it was empty when it was opened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` from `offset`.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<(), String> {
        self.file.read_exact_at(buffer, offset).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => "ends before its contents do".to_owned(),
            _ => reason(&e),
        })?;
        self.bar.inc(buffer.len() as u64);
        Ok(())
    }

    /// `len` bytes from `offset`, at most `limit`.
    pub fn bytes(&self, offset: u64, len: u64, limit: u64) -> Result<Vec<u8>, String> {
        if len > limit {
            return Err(format!("a part of {len} bytes is longer than the {limit} that are read"));
        }
        if offset.checked_add(len).is_none_or(|end| end > self.len()) {
            return Err("ends before its contents do".to_owned());
        }
        let mut buffer = vec![0; usize::try_from(len).map_err(|e| e.to_string())?];
        self.read_at(&mut buffer, offset)?;
        Ok(buffer)
    }

    /// Up to `len` bytes from the start.
    pub fn head(&self, len: u64) -> Result<Vec<u8>, String> {
        self.bytes(0, len.min(self.len()), len)
    }

    /// A reader of `len` bytes from `offset`.
    pub fn range(&self, offset: u64, len: u64) -> Range<'_> {
        Range { source: self, at: offset, end: offset.saturating_add(len) }
    }

    /// An error where the file was written to since it was opened.
    pub fn unchanged(&self) -> Result<(), String> {
        let now = self.file.metadata().map_err(|e| reason(&e))?;
        if identity(&self.meta) == identity(&now) {
            Ok(())
        } else {
            Err("changed while it was read".to_owned())
        }
    }
}

/// A part of a file, read from its start to its end.
pub struct Range<'a> {
    source: &'a Source,
    at: u64,
    end: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.source.file.read_at(&mut buffer[..wanted], self.at)?;
        self.at += read as u64;
        self.source.bar.inc(read as u64);
        Ok(read)
    }
}
