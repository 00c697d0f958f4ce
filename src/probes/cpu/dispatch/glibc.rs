//! The C library's mathematical functions: glibc picks variants of `exp`, `log`, `pow`, `sin` and others when a program
//! starts (`sysdeps/x86_64/fpu/multiarch/ifunc-avx-fma4.h`).

use super::{Level, Machine, sure};

/// `fma`, `fma4`, `avx` or `sse2`; only on x86-64, where glibc has such variants, and from 2.27 on.
pub(super) fn level(machine: &Machine<'_>) -> Level {
    if !machine.is_x86_64() {
        return Ok(None);
    }
    let Some((library, version)) = machine.host.system().libc else {
        return Err("the C library could not be told".to_owned());
    };
    if library != "glibc" {
        return Ok(None);
    }
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
        return Err(format!("glibc's version `{version}` could not be read"));
    };
    if (major, minor) < (2, 27) {
        return Err("not derived for glibc before 2.27".to_owned());
    }
    // The masks are named after the CPU feature from 2.33 on, after the usable one before.
    let suffix = if (major, minor) < (2, 33) { "_Usable" } else { "" };
    let off = machine.env("GLIBC_TUNABLES").map(|text| masked(&text)).unwrap_or_default();
    let usable =
        |flag: &str, name: &str| machine.has([flag]) && !off.iter().any(|o| *o == format!("{name}{suffix}"));
    match () {
        () if usable("fma", "FMA") && usable("avx2", "AVX2") => sure("fma"),
        () if usable("fma4", "FMA4") => sure("fma4"),
        () if usable("avx", "AVX") => sure("avx"),
        () => sure("sse2"),
    }
}

/// The features that `GLIBC_TUNABLES` switches off: `glibc.malloc.check=1:glibc.cpu.hwcaps=-AVX2,-FMA,ERMS`. The old
/// name of the tunable, `glibc.tune.hwcaps`, was dropped in 2.28.
fn masked(text: &str) -> Vec<String> {
    let hwcaps = text.rsplit(':').find_map(|tunable| tunable.strip_prefix("glibc.cpu.hwcaps="));
    let Some(last) = hwcaps else { return Vec::new() };
    last.split(',').filter_map(|name| name.strip_prefix('-')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_tunables() {
        assert_eq!(masked("glibc.malloc.check=1:glibc.cpu.hwcaps=-AVX2,-FMA,ERMS"), ["AVX2", "FMA"]);
        assert!(masked("glibc.cpu.hwcaps=AVX2:x").is_empty());
        assert!(masked("").is_empty());
    }
}
