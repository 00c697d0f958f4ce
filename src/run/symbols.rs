//! Libraries that are linked into another one, told by the names that it exports or imports.

use std::fs::File;
use std::path::Path;

use memchr::memmem;
use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::read::{ReadCache, ReadRef as _};

/// Stems of libraries that are looked into: those whose builds are known to hold others.
pub(super) const HOLDERS: [&str; 4] =
    ["libtorch_cpu", "libtensorflow_cc", "libtensorflow_framework", "libjax_common"];

/// The most bytes of names that are read; libtorch_cpu.so has 8 MB.
const LIMIT: u64 = 64 << 20;

/// Beginnings of names, with the library that has them. A name in the table begins behind a zero byte.
const NAMES: [(&[u8], &str); 4] = [
    (b"\0mkl_serv_", "mkl"),
    (b"\0MKL_Get_Max_Threads", "mkl"),
    (b"\0dnnl_", "onednn"),
    (b"\0openblas_get_", "openblas"),
];

/// The libraries inside the file at `path`; none where it cannot be read or hides its names.
pub(super) fn inside(path: &Path) -> Vec<&'static str> {
    let mut found = names(path).unwrap_or_default();
    found.dedup();
    found
}

fn names(path: &Path) -> Option<Vec<&'static str>> {
    let data = ReadCache::new(File::open(path).ok()?);
    let header = elf::FileHeader64::<Endianness>::parse(&data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.section_headers(endian, &data).ok()?;
    let symbols = sections.iter().find(|section| section.sh_type(endian) == elf::SHT_DYNSYM)?;
    let strings = sections.get(usize::try_from(symbols.sh_link(endian)).ok()?)?;
    let (offset, size) = strings.file_range(endian)?;
    if size > LIMIT {
        return None;
    }
    let table = (&data).read_bytes_at(offset, size).ok()?;
    Some(
        NAMES.iter().filter(|(name, _)| memmem::find(table, name).is_some()).map(|(_, name)| *name).collect(),
    )
}
