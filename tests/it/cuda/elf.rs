//! ELF files as the linker writes them, and damaged ones.

use std::fs;
use std::os::unix::fs::FileExt as _;

use driftlock::host::elf::{ElfError, inspect};

use super::{library, named};
use crate::common::{folder, sh};

#[test]
fn headers_say_what_the_linker_was_told() {
    let dir = folder();
    let needed = dir.path().join("libneeded.so.3");
    named(&needed, "libneeded.so.3", "00ff", &[]);
    for (tags, rpath) in [("--disable-new-dtags", true), ("--enable-new-dtags", false)] {
        let path = dir.path().join("libmain.so");
        let search = format!("-Wl,{tags},-rpath,$ORIGIN/../x:/opt/y");
        named(&path, "libmain.so.1", "0123456789abcdef", &[&search, needed.to_str().unwrap()]);
        let info = inspect(&path).unwrap();
        assert_eq!(info.build_id.as_deref(), Some("0123456789abcdef"));
        assert_eq!(info.soname.as_deref(), Some("libmain.so.1"));
        assert_eq!(info.needed.first().map(String::as_str), Some("libneeded.so.3"));
        assert_eq!(info.machine.as_deref(), Some(std::env::consts::ARCH));
        let (with, without) = if rpath { (info.rpath, info.runpath) } else { (info.runpath, info.rpath) };
        assert_eq!(with, ["$ORIGIN/../x", "/opt/y"], "{tags}");
        assert!(without.is_empty(), "{tags}");
    }
}

#[test]
fn gpu_architectures_of_a_fat_binary() {
    let dir = folder();
    let path = dir.path().join("libfat.so");
    // Two entries: a cubin for sm_90 and PTX for compute_90, each a header of 64 bytes and 8 of payload.
    let entry = |kind: u8| {
        format!("{kind},0,0,0, 64,0,0,0, 8,0,0,0,0,0,0,0, {} 90,0,0,0, {} ", "0,".repeat(12), "0,".repeat(40))
    };
    let source = format!(
        "__attribute__((section(\".nv_fatbin\"), used, aligned(8))) const unsigned char fat[] = \
         {{ 0x50,0xed,0x55,0xba, 1,0, 16,0, 144,0,0,0,0,0,0,0, {} {} }};",
        entry(2),
        entry(1)
    );
    library(&path, &source, &[]);
    assert_eq!(inspect(&path).unwrap().cuda_archs, ["sm_90", "compute_90"]);
}

#[test]
fn the_abi_of_strings() {
    let dir = folder();
    for abi in [true, false] {
        let code = dir.path().join("abi.cpp");
        fs::write(
            &code,
            "#include <string>\nvoid driftlock_take(const std::string& s, std::string& t) { t = s; }",
        )
        .unwrap();
        let define = format!("-D_GLIBCXX_USE_CXX11_ABI={}", u8::from(abi));
        sh(dir.path(), "c++", &["-shared", "-fPIC", &define, "-o", "libabi.so", "abi.cpp"]);
        assert_eq!(inspect(&dir.path().join("libabi.so")).unwrap().cxx11_abi, Some(abi));
    }
}

#[test]
fn a_damaged_file_is_an_error_and_nothing_worse() {
    let dir = folder();
    let path = dir.path().join("libwhole.so");
    named(&path, "libwhole.so.1", "0123456789abcdef", &["-Wl,-rpath,$ORIGIN"]);
    inspect(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();

    // Other values in single bytes: most are errors, some another library's facts; none is a panic.
    for (at, byte) in whole.iter().enumerate() {
        for value in [0, 0x7f, 0xff] {
            file.write_all_at(&[value], at as u64).unwrap();
            let _any = inspect(&path);
        }
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    assert!(inspect(&path).is_ok(), "the file is whole again");

    // The section headers stand at the end, so every cut is seen.
    for length in (0..whole.len()).rev() {
        file.set_len(length as u64).unwrap();
        assert!(matches!(inspect(&path), Err(ElfError::Malformed(_))), "cut to {length} bytes");
    }
}

#[test]
fn a_huge_range_is_refused_before_it_is_read() {
    let dir = folder();
    let path = dir.path().join("libhuge.so");
    named(&path, "libhuge.so.1", "0123456789abcdef", &[]);
    let mut bytes = fs::read(&path).unwrap();
    // e_phoff is at 32; p_type is at 0 and p_filesz at 32 of each header of 56 bytes; PT_NOTE is 4.
    let headers = usize::try_from(u64::from_le_bytes(bytes[32..40].try_into().unwrap())).unwrap();
    let count = usize::from(u16::from_le_bytes(bytes[56..58].try_into().unwrap()));
    let mut notes = 0;
    for header in (0..count).map(|i| headers + 56 * i) {
        if bytes[header..header + 4] == [4, 0, 0, 0] {
            bytes[header + 32..header + 40].copy_from_slice(&(1_u64 << 40).to_le_bytes());
            notes += 1;
        }
    }
    assert!(notes > 0);
    fs::write(&path, bytes).unwrap();
    // A sparse file of two terabytes: the range is inside it.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 41).unwrap();
    // The range is not read; the section tells what the segment does not.
    assert_eq!(inspect(&path).unwrap().build_id.as_deref(), Some("0123456789abcdef"));
}

#[test]
fn what_is_not_elf_says_so() {
    let dir = folder();
    fs::write(dir.path().join("text"), "INPUT(-lfoo)").unwrap();
    assert!(matches!(inspect(&dir.path().join("text")), Err(ElfError::Malformed(_))));
    assert_eq!(inspect(&dir.path().join("missing")), Err(ElfError::NotFound));
    sh(dir.path(), "mkfifo", &["pipe"]);
    assert!(matches!(inspect(&dir.path().join("pipe")), Err(ElfError::Malformed(_))));
}

/// `patchelf` moves `.note.gnu.build-id` and may leave the segment of notes over other bytes.
#[test]
fn a_build_id_whose_segment_points_elsewhere() {
    let dir = folder();
    let path = dir.path().join("libmoved.so");
    named(&path, "libmoved.so", "0123456789abcdef", &[]);
    let mut bytes = fs::read(&path).unwrap();
    let number = |bytes: &[u8], at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0usize, |n, byte| (n << 8) | usize::from(*byte))
    };
    // Elf64_Ehdr: e_phoff at 0x20, e_phentsize at 0x36, e_phnum at 0x38; Elf64_Phdr: p_type at 0, p_offset at 8.
    let (table, size, count) = (number(&bytes, 0x20, 8), number(&bytes, 0x36, 2), number(&bytes, 0x38, 2));
    let notes =
        (0..count).map(|i| table + i * size).filter(|at| number(&bytes, *at, 4) == 4).collect::<Vec<_>>();
    assert!(!notes.is_empty());
    for at in &notes {
        bytes[at + 8..at + 16].fill(0);
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(inspect(&path).unwrap().build_id.as_deref(), Some("0123456789abcdef"));
    // Without the section nothing tells it, and that is said.
    let names = bytes.windows(19).position(|w| w == b".note.gnu.build-id\0").unwrap();
    bytes[names + 1] = b'x';
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(inspect(&path), Err(ElfError::Malformed(_))));
}
