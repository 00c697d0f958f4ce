//! ZIP archives: where each member lies, with limits against archives that unpack to far more than they are.

use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::{Entry, TENSORS, npy};
use crate::outputs::layout::{Place, whole};
use crate::outputs::source::Source;

/// Bytes of an archive's directory that are read: room for over 100,000 members.
const DIRECTORY: u64 = 32 << 20;
/// Members that an archive may unpack to whatever its own length, in bytes.
const UNPACKED: u64 = 1 << 30;
/// Above [`UNPACKED`]: how many times its own length an archive may unpack to. Deflate reaches 1,032 times on zeros;
/// arrays of numbers from a run stay below 10.
const RATIO: u64 = 200;

/// A member of an archive.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its bytes; an error where it is compressed in a way that is not read.
    pub place: Result<Place, String>,
}

/// The members of an archive in the order of its directory.
pub fn members(source: &Source) -> Result<Vec<Member>, String> {
    let damaged = |e: zip::result::ZipError| format!("is no sound ZIP archive: {e}");
    let reader = Metered { source, at: 0, left: DIRECTORY };
    let archive = ZipArchive::new(io::BufReader::new(reader)).map_err(damaged)?;
    if archive.len() > TENSORS {
        return Err(format!("holds {} members, more than the {TENSORS} that are told apart", archive.len()));
    }
    let mut members = Vec::new();
    let (mut total, mut packed) = (0_u64, 0_u64);
    for i in 0..archive.len() {
        let entry = archive.by_index_data(i).map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        total = total.saturating_add(entry.size());
        packed = packed.saturating_add(entry.compressed_size());
        let begin = header_end(source, entry.header_start())?;
        let len = entry.compressed_size();
        if begin.checked_add(len).is_none_or(|end| end > source.len()) {
            return Err("ends before its contents do".to_owned());
        }
        let place = match entry.compression() {
            _ if entry.encrypted() => Err("is encrypted".to_owned()),
            CompressionMethod::Stored if len != entry.size() => {
                return Err(format!("says two lengths of its member `{name}`"));
            }
            CompressionMethod::Stored => Ok(Place { offset: begin, packed: len, len, deflated: false }),
            CompressionMethod::Deflated => {
                Ok(Place { offset: begin, packed: len, len: entry.size(), deflated: true })
            }
            other => Err(format!("is compressed with {other:?}, which is not read")),
        };
        members.push(Member { name, place });
    }
    if total > UNPACKED && total / RATIO > source.len() {
        return Err(format!("would unpack to {total} bytes, over {RATIO} times its own length"));
    }
    // Members that share their bytes are the other way to build an archive that never ends.
    if packed > source.len() {
        return Err("has members that overlap".to_owned());
    }
    Ok(members)
}

/// Where the bytes of the member whose local header is at `at` begin (APPNOTE.TXT, 4.3.7).
fn header_end(source: &Source, at: u64) -> Result<u64, String> {
    let header = source.bytes(at, 30, 30)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err("is no sound ZIP archive: a member has no header".to_owned());
    }
    let number = |i: usize| u64::from(u16::from_le_bytes([header[i], header[i + 1]]));
    Ok(at + 30 + number(26) + number(28))
}

/// The arrays of an `.npz` archive: `numpy.savez` writes each as a member `NAME.npy`.
pub fn npz(source: &Source) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for member in members(source)? {
        let Some(name) = member.name.strip_suffix(".npy") else {
            entries.push(Entry::unread(member.name, "is no array"));
            continue;
        };
        let layout = member.place.and_then(|place| {
            let head = Place { len: place.len.min(npy::HEAD), ..place };
            let head = if place.deflated {
                whole(source, head, npy::HEAD)?
            } else {
                source.bytes(place.offset, head.len, npy::HEAD)?
            };
            npy::layout(&head, place)
        });
        let shape = layout.as_ref().map(|l| l.shape.clone()).unwrap_or_default();
        entries.push(Entry::new(name.to_owned(), "", shape, layout));
    }
    Ok(entries)
}

/// The file for the parser of the directory, with a limit on what it reads: its memory grows with that.
struct Metered<'a> {
    source: &'a Source,
    at: u64,
    left: u64,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.range(self.at, self.source.len().saturating_sub(self.at)).read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("its directory is longer than any that is read"))?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
