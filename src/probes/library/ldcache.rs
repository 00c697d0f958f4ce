//! `/etc/ld.so.cache`: which file the dynamic loader takes for a name that no search path has.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// `CACHEMAGIC_NEW CACHE_VERSION` of glibc's `dl-cache.h`: the format since glibc 2.2.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// `CACHEMAGIC` of the format before it, which may stand in front (the default of `ldconfig -c` until glibc 2.32).
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0";
/// `sizeof (struct cache_file_new)` without its entries.
const HEADER: usize = 48;
/// `sizeof (struct file_entry_new)`.
const ENTRY: usize = 24;
/// The most entries that are looked at; a desktop has about 4,000.
const ENTRIES: usize = 200_000;

/// The libraries of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LdCache {
    files: BTreeMap<String, Vec<PathBuf>>,
}

impl LdCache {
    /// The files for a name, in the order in which the loader prefers them.
    pub fn get(&self, name: &str) -> &[PathBuf] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every name, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Parses the file (glibc, `sysdeps/generic/dl-cache.h`) for programs of this machine, as `uname -m` names it.
    /// What is out of its bounds is left out. Entries for `glibc-hwcaps` folders are left out too: no CUDA or BLAS
    /// library that is known to us has variants there.
    pub fn parse(bytes: &[u8], machine: &str) -> Self {
        let mut cache = Self::default();
        let Some(table) = table(bytes) else { return cache };
        let count = u32_at(table, MAGIC.len()).map_or(0, |n| n as usize).min(ENTRIES);
        for entry in table.get(HEADER..).unwrap_or_default().chunks_exact(ENTRY).take(count) {
            let hwcap = u32_at(entry, 16).zip(u32_at(entry, 20));
            let right_kind = u32_at(entry, 0).is_some_and(|flags| wanted(machine).is_none_or(|w| w == flags));
            if !right_kind || hwcap != Some((0, 0)) {
                continue;
            }
            let text = |at| u32_at(entry, at).and_then(|offset| string(table, offset as usize));
            if let (Some(key), Some(value)) = (text(4), text(8)) {
                cache.files.entry(key.to_owned()).or_default().push(PathBuf::from(value));
            }
        }
        cache
    }
}

/// The part of the file in the new format; its offsets count from its own beginning.
fn table(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.starts_with(MAGIC) {
        return Some(bytes);
    }
    // struct cache_file: 11 bytes of magic, one of padding, a count, entries of 12 bytes; then aligned to 8.
    let count = bytes.starts_with(OLD_MAGIC).then(|| u32_at(bytes, 12))?? as usize;
    let end = count.checked_mul(12)?.checked_add(16)?.checked_next_multiple_of(8)?;
    bytes.get(end..).filter(|rest| rest.starts_with(MAGIC))
}

/// `FLAG_ELF_LIBC6` and the ABI's flag (glibc, `sysdeps/*/dl-cache.h`); `None` where any entry is taken.
fn wanted(machine: &str) -> Option<u32> {
    Some(match machine {
        "x86_64" => 0x0303,
        "aarch64" => 0x0a03,
        "ppc64le" => 0x0503,
        "s390x" => 0x0403,
        _ => return None,
    })
}

fn string(table: &[u8], offset: usize) -> Option<&str> {
    let rest = table.get(offset..)?;
    let rest = rest.get(..4096).unwrap_or(rest);
    let end = memchr::memchr(0, rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    // The file is in the byte order of the machine that wrote it: this one's, or a recorded one's; all are little
    // endian but s390x, which has no CUDA.
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache of (flags, hwcap, name, path).
    fn build(entries: &[(u32, u64, &str, &str)]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let (mut table, mut strings) = (Vec::new(), Vec::new());
        let base = HEADER + ENTRY * entries.len();
        for (flags, hwcap, name, path) in entries {
            table.extend(flags.to_le_bytes());
            for text in [name, path] {
                table.extend(u32::try_from(base + strings.len()).expect("small").to_le_bytes());
                strings.extend(text.bytes().chain([0]));
            }
            table.extend([0; 4]);
            table.extend(hwcap.to_le_bytes());
        }
        bytes.extend(u32::try_from(entries.len()).expect("small").to_le_bytes());
        bytes.extend(u32::try_from(strings.len()).expect("small").to_le_bytes());
        bytes.extend([0; 20]);
        bytes.extend(table);
        bytes.extend(strings);
        bytes
    }

    fn sample() -> Vec<u8> {
        build(&[
            (0x0303, 0, "libcublas.so.12", "/usr/local/cuda/lib64/libcublas.so.12"),
            (0x0303, 1 << 62, "libm.so.6", "/lib/glibc-hwcaps/x86-64-v3/libm.so.6"),
            (0x0303, 0, "libm.so.6", "/lib/libm.so.6"),
            (0x0003, 0, "libm.so.6", "/lib32/libm.so.6"),
        ])
    }

    #[test]
    fn entries_of_this_machine() {
        let cache = LdCache::parse(&sample(), "x86_64");
        assert_eq!(cache.get("libm.so.6"), [PathBuf::from("/lib/libm.so.6")]);
        assert_eq!(cache.names().collect::<Vec<_>>(), ["libcublas.so.12", "libm.so.6"]);
        let mut old = OLD_MAGIC.to_vec();
        old.extend([0, 1, 0, 0, 0]);
        old.extend([0; 12 + 4]);
        old.extend(sample());
        assert_eq!(LdCache::parse(&old, "x86_64"), cache);
    }

    #[test]
    fn damage_is_survived() {
        let bytes = sample();
        for length in 0..bytes.len() {
            LdCache::parse(&bytes[..length], "x86_64");
        }
        for at in 0..bytes.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                LdCache::parse(&damaged, "x86_64");
            }
        }
    }
}
