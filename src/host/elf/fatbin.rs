//! The GPU architectures of the fat binaries in an ELF file's `.nv_fatbin` section.
//!
//! nvcc puts one container per translation unit into the section, one after the other. NVIDIA publishes the wrapper
//! that points at a container (`fatbinary_section.h`), not the container itself; the layout used here is the one that
//! third-party loaders read (cricket's `cuda-fatbin-decompression`), and the tests hold it against torch's own list:
//!
//! ```text
//! container   u32 magic 0xBA55ED50, u16 version 1, u16 header size, u64 size of the entries
//! entry       u16 kind (1 PTX, 2 cubin), u16, u32 header size, u64 payload size, u32 × 3, u32 architecture, …
//! ```

use std::collections::BTreeMap;

use object::read::ReadRef;

const MAGIC: u32 = 0xBA55_ED50;

/// How many containers are looked at: they agree but for a few kernels with targets of their own.
const CONTAINERS: usize = 8;

/// How many entries of them all are looked at: each is in another page of a file of a gigabyte. A build for every
/// architecture there is has about twenty in a container.
const ENTRIES: usize = 128;

/// The architectures that most of the first containers are built for, ascending: `sm_90` for machine code,
/// `compute_90` for PTX. Empty where the section holds no container.
pub(super) fn architectures<'a>(data: impl ReadRef<'a>, offset: u64, size: u64) -> Vec<String> {
    let end = offset.saturating_add(size);
    let mut lists: BTreeMap<Vec<(u32, bool)>, usize> = BTreeMap::new();
    let (mut at, mut left) = (offset, ENTRIES);
    for _ in 0..CONTAINERS {
        let Some((entries, next)) = container(data, at, end) else {
            break;
        };
        if let Some(list) = list(data, entries, next.min(end), &mut left) {
            *lists.entry(list).or_default() += 1;
        }
        at = next;
    }
    // Of two lists that are equally common, the longer one: a kernel for one architecture says less.
    let most = lists.into_iter().max_by_key(|(list, count)| (*count, list.len()));
    let (list, _) = most.unwrap_or_default();
    list.into_iter().map(|(arch, ptx)| format!("{}_{arch}", if ptx { "compute" } else { "sm" })).collect()
}

/// The container at or shortly after `at`: where its entries begin, and where they end. The linker aligns containers
/// to 8 bytes or more.
fn container<'a>(data: impl ReadRef<'a>, at: u64, end: u64) -> Option<(u64, u64)> {
    let mut at = at.checked_next_multiple_of(8)?;
    for _ in 0..16 {
        if at.checked_add(16)? > end {
            return None;
        }
        let header = data.read_bytes_at(at, 16).ok()?;
        if u32_at(header, 0)? == MAGIC {
            let entries = at.checked_add(u16_at(header, 6)?.into())?;
            return Some((entries, entries.checked_add(u64_at(header, 8)?)?)).filter(|(_, next)| *next > at);
        }
        at += 8;
    }
    None
}

/// The architectures of the entries between `at` and `end`, sorted; `None` where there are none, or more than are
/// `left` to look at.
fn list<'a>(data: impl ReadRef<'a>, mut at: u64, end: u64, left: &mut usize) -> Option<Vec<(u32, bool)>> {
    let mut found = Vec::new();
    while at.checked_add(32)? <= end {
        *left = left.checked_sub(1)?;
        let entry = data.read_bytes_at(at, 32).ok()?;
        let arch = u32_at(entry, 28)?;
        match u16_at(entry, 0)? {
            1 => found.push((arch, true)),
            2 => found.push((arch, false)),
            _ => {}
        }
        let size = u64::from(u32_at(entry, 4)?).checked_add(u64_at(entry, 8)?)?;
        if size == 0 {
            break;
        }
        at = at.checked_add(size)?;
    }
    found.sort_by_key(|(arch, ptx)| (*ptx, *arch));
    found.dedup();
    Some(found).filter(|found| !found.is_empty())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container with entries of these kinds and architectures, 8 bytes of payload each.
    fn build(entries: &[(u16, u32)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, arch) in entries {
            body.extend(kind.to_le_bytes());
            body.extend([0; 2]);
            body.extend(64_u32.to_le_bytes());
            body.extend(8_u64.to_le_bytes());
            body.extend([0; 12]);
            body.extend(arch.to_le_bytes());
            body.extend([0; 40]);
        }
        let mut all = MAGIC.to_le_bytes().to_vec();
        all.extend([1, 0, 16, 0]);
        all.extend((body.len() as u64).to_le_bytes());
        all.extend(body);
        all
    }

    #[test]
    fn the_common_list_wins() {
        let mut bytes = build(&[(2, 80), (2, 90), (2, 103)]);
        bytes.extend([0; 16]);
        bytes.extend(build(&[(2, 80), (2, 90), (1, 90)]));
        bytes.extend(build(&[(2, 80), (2, 90), (1, 90)]));
        assert_eq!(architectures(bytes.as_slice(), 0, bytes.len() as u64), ["sm_80", "sm_90", "compute_90"]);
    }

    #[test]
    fn damage_ends_the_walk() {
        let bytes = build(&[(2, 80), (1, 90)]);
        for length in 0..bytes.len() {
            architectures(&bytes[..length], 0, length as u64);
            architectures(&bytes[..length], 0, u64::MAX);
            architectures(&bytes[..length], u64::MAX - 3, u64::MAX);
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                architectures(damaged.as_slice(), 0, damaged.len() as u64);
            }
        }
        assert!(architectures([0; 400].as_slice(), 0, 400).is_empty());
    }
}
