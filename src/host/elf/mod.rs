//! The dynamic-linking facts of an ELF file, read from its headers without loading it.

mod fatbin;
mod ranges;

use std::fs::{self, File};
use std::io;
use std::path::Path;

use object::elf;
use object::endian::Endianness;
use object::read::elf::{Dyn as _, FileHeader, NoteIterator, ProgramHeader as _, SectionHeader as _};
use object::read::{FileKind, ReadRef as _, StringTable};
use serde::{Deserialize, Serialize};

use ranges::Ranges;

/// What an ELF file says of itself (System V ABI, chapter 5; notes: `NT_GNU_BUILD_ID` of `elf.h`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ElfInfo {
    /// `NT_GNU_BUILD_ID` in hexadecimal.
    pub build_id: Option<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in file order.
    pub needed: Vec<String>,
    /// `DT_RPATH` entries, in file order, `$ORIGIN` unexpanded.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH` entries, in file order, `$ORIGIN` unexpanded.
    pub runpath: Vec<String>,
    /// GPU architectures that most of the first fat binaries of `.nv_fatbin` are built for, for example `sm_90`
    /// (machine code) and `compute_90` (PTX), ascending.
    pub cuda_archs: Vec<String>,
    /// Machine, for example `x86_64` or `aarch64`.
    pub machine: Option<String>,
    /// Whether it uses the C++11 `std::string` of libstdc++ (`_GLIBCXX_USE_CXX11_ABI`), by its dynamic symbols'
    /// names; only for C++ libraries with no more than [`SYMBOLS_LIMIT`] bytes of names, such as libc10.so.
    pub cxx11_abi: Option<bool>,
}

/// Why an ELF file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// No such file.
    #[error("no such file")]
    NotFound,
    /// It is there, but not readable.
    #[error("{0}")]
    Unreadable(String),
    /// It is not ELF, or its headers contradict each other.
    #[error("not a readable ELF file: {0}")]
    Malformed(String),
}

impl From<io::Error> for ElfError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

impl From<object::Error> for ElfError {
    fn from(error: object::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

fn malformed(reason: &str) -> ElfError {
    ElfError::Malformed(reason.to_owned())
}

/// The most entries of a dynamic section that are looked at; libtorch_cuda.so has 50.
const DYNAMIC_LIMIT: usize = 4096;

/// The most bytes of symbol names that are read as a whole; libc10.so has 85 kB, libtorch_cpu.so 5 MB.
pub const SYMBOLS_LIMIT: u64 = 256 << 10;

/// Reads the headers of the ELF file at `path`; only the ranges that are needed, whatever the file's size.
///
/// # Errors
///
/// Where the file is missing, unreadable, not ELF, or cut short.
pub fn inspect(path: &Path) -> Result<ElfInfo, ElfError> {
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(malformed("not a regular file"));
    }
    let data = Ranges::new(File::open(path)?)?;
    match FileKind::parse(&data)? {
        FileKind::Elf32 => headers::<elf::FileHeader32<Endianness>>(&data),
        FileKind::Elf64 => headers::<elf::FileHeader64<Endianness>>(&data),
        _ => Err(malformed("not ELF")),
    }
}

fn headers<Elf: FileHeader<Endian = Endianness>>(data: &Ranges) -> Result<ElfInfo, ElfError> {
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let mut info = ElfInfo { machine: Some(machine(header.e_machine(endian))), ..ElfInfo::default() };
    let segments = header.program_headers(endian, data)?;
    let mut damaged = None;
    for segment in segments {
        match segment.notes(endian, data).and_then(|notes| build_id::<Elf>(endian, notes)) {
            Ok(id) => info.build_id = info.build_id.or(id),
            Err(error) => damaged = Some(error),
        }
        if let Some(dynamic) = segment.dynamic(endian, data)? {
            linking::<Elf>(endian, data, segments, dynamic, &mut info)?;
        }
    }
    let sections = header.section_headers(endian, data)?;
    if !sections.is_empty() {
        let index = header.section_strings_index(endian, data)?;
        let table = sections.get(index.0).ok_or_else(|| malformed("it has no section names"))?;
        let names = table.data(endian, data)?;
        let names = StringTable::new(names, 0, names.len() as u64);
        for section in sections {
            match section.sh_type(endian) {
                elf::SHT_PROGBITS if section.name(endian, names)? == b".nv_fatbin" => {
                    let (offset, size) = section.file_range(endian).unwrap_or_default();
                    info.cuda_archs = fatbin::architectures(data, offset, size);
                }
                // `patchelf` moves this section and leaves the segment where it was, over other bytes: so it is in
                // NVIDIA's wheels for CUDA 12 (libcufft.so.11 of nvidia-cufft-cu12 11.3.3.83).
                elf::SHT_NOTE
                    if info.build_id.is_none() && section.name(endian, names)? == b".note.gnu.build-id" =>
                {
                    info.build_id = build_id::<Elf>(endian, section.notes(endian, data)?)?;
                }
                _ => {}
            }
        }
    }
    match damaged {
        Some(error) if info.build_id.is_none() => Err(error.into()),
        _ => Ok(info),
    }
}

/// `NT_GNU_BUILD_ID` among some notes, in hexadecimal.
fn build_id<Elf: FileHeader>(
    endian: Elf::Endian,
    notes: Option<NoteIterator<'_, Elf>>,
) -> Result<Option<String>, object::Error> {
    let Some(mut notes) = notes else { return Ok(None) };
    while let Some(note) = notes.next()? {
        if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
            return Ok(Some(hex(note.desc())));
        }
    }
    Ok(None)
}

/// The entries of the dynamic section that decide what is loaded.
fn linking<Elf: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    data: &Ranges,
    segments: &[Elf::ProgramHeader],
    dynamic: &[Elf::Dyn],
    info: &mut ElfInfo,
) -> Result<(), ElfError> {
    let entries: Vec<(i64, u64)> = dynamic
        .iter()
        .take(DYNAMIC_LIMIT)
        .map(|entry| (entry.tag(endian), entry.val(endian)))
        .take_while(|(tag, _)| *tag != elf::DT_NULL)
        .collect();
    let value = |tag: i64| entries.iter().find(|(t, _)| *t == tag).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(elf::DT_STRTAB), value(elf::DT_STRSZ)) else {
        return Ok(());
    };
    // The table is named by its address in memory; the segment that is loaded there tells where it is in the file.
    let start = segments
        .iter()
        .filter(|s| s.p_type(endian) == elf::PT_LOAD)
        .find_map(|s| {
            let into = address.checked_sub(s.p_vaddr(endian).into())?;
            (into < s.p_filesz(endian).into()).then(|| into.checked_add(s.p_offset(endian).into()))?
        })
        .ok_or_else(|| malformed("its string table is not in the file"))?;
    // A small table in one read; of a large one, the few names that are needed.
    let names = if size <= SYMBOLS_LIMIT {
        Some(data.read_bytes_at(start, size).map_err(|()| malformed("its string table is cut short"))?)
    } else {
        None
    };
    let string = |offset: u64| {
        let offset = u32::try_from(offset).map_err(|_| ())?;
        match names {
            Some(names) => StringTable::new(names, 0, size).get(offset),
            None => StringTable::new(data, start, start.saturating_add(size)).get(offset),
        }
    };
    for (tag, offset) in entries {
        if !matches!(tag, elf::DT_NEEDED | elf::DT_SONAME | elf::DT_RPATH | elf::DT_RUNPATH) {
            continue;
        }
        let bytes = string(offset).map_err(|()| malformed("a name is outside its string table"))?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        let folders = || text.split(':').filter(|s| !s.is_empty()).map(str::to_owned);
        match tag {
            elf::DT_NEEDED => info.needed.push(text),
            elf::DT_SONAME => info.soname = Some(text),
            elf::DT_RPATH => info.rpath.extend(folders()),
            _ => info.runpath.extend(folders()),
        }
    }
    if info.needed.iter().any(|name| name.starts_with("libstdc++.so")) {
        info.cxx11_abi = names.and_then(cxx11_abi);
    }
    Ok(())
}

/// By the names of symbols that take a `std::string`: in the new ABI it is of the inline namespace `std::__cxx11`,
/// in the old one it is the `Ss` of Itanium's mangling, here behind `RK` (a reference to a constant).
fn cxx11_abi(names: &[u8]) -> Option<bool> {
    let holds = |text: &[u8]| memchr::memmem::find(names, text).is_some();
    if holds(b"7__cxx1112basic_string") {
        return Some(true);
    }
    holds(b"RKSs").then_some(false)
}

/// The names that `uname -m` has for them.
fn machine(number: u16) -> String {
    match number {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_386 => "i386".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_ARM => "arm".to_owned(),
        elf::EM_PPC64 => "ppc64".to_owned(),
        elf::EM_S390 => "s390x".to_owned(),
        elf::EM_RISCV => "riscv".to_owned(),
        elf::EM_LOONGARCH => "loongarch".to_owned(),
        other => format!("machine {other}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
