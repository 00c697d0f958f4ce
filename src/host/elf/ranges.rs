//! Ranges of a file, read when they are asked for, with a limit on the sum.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use object::read::{ReadCache, ReadCacheOps, ReadRef};

/// The most bytes read of one file. The headers, the dynamic section and the strings of libtorch_cpu.so take 60 kB.
const BUDGET: u64 = 16 << 20;

/// A file of any size, of which the parser sees the ranges it asks for.
///
/// A hostile file can name ranges of any size, and the same bytes many times over: every read counts against one
/// budget, so that memory stays bounded whatever the headers say.
pub(super) struct Ranges {
    cache: ReadCache<Positioned>,
    left: Cell<u64>,
}

impl Ranges {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let file = Positioned { file, len, at: 0 };
        Ok(Self { cache: ReadCache::new(file), left: Cell::new(BUDGET) })
    }

    fn spend(&self, bytes: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or(())?);
        Ok(())
    }
}

impl<'a> ReadRef<'a> for &'a Ranges {
    fn len(self) -> Result<u64, ()> {
        (&self.cache).len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.spend(size)?;
        (&self.cache).read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let bytes = (&self.cache).read_bytes_at_until(range, delimiter)?;
        self.spend(bytes.len() as u64 + 1)?;
        Ok(bytes)
    }
}

/// A file whose position is ours, so that moving it costs no system call.
struct Positioned {
    file: File,
    len: u64,
    at: u64,
}

impl ReadCacheOps for Positioned {
    fn len(&mut self) -> Result<u64, ()> {
        Ok(self.len)
    }

    fn seek(&mut self, pos: u64) -> Result<u64, ()> {
        self.at = pos;
        Ok(pos)
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ()> {
        let count = self.file.read_at(buf, self.at).map_err(drop)?;
        self.at += count as u64;
        Ok(count)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), ()> {
        self.file.read_exact_at(buf, self.at).map_err(drop)?;
        self.at += buf.len() as u64;
        Ok(())
    }
}
