//! oneDNN: `mayiuse` and `init_max_cpu_isa` in `src/cpu/x64/cpu_isa_traits.{hpp,cpp}` and their aarch64 twins.

use super::{Level, Machine, sure};

/// The x86-64 levels as `ONEDNN_MAX_CPU_ISA` names them, highest first, each with the levels right below it. AVX2
/// with VNNI is on a branch of its own: a cap at AVX512_CORE_BF16 does not allow it, one at AVX512_CORE_FP16 does.
const LEVELS: [(&str, &[&str]); 11] = [
    ("avx512_core_amx_fp16", &["avx512_core_amx"]),
    ("avx512_core_amx", &["avx512_core_fp16"]),
    ("avx512_core_fp16", &["avx512_core_bf16", "avx2_vnni"]),
    ("avx512_core_bf16", &["avx512_core_vnni"]),
    ("avx512_core_vnni", &["avx512_core"]),
    ("avx512_core", &["avx2"]),
    ("avx2_vnni_2", &["avx2_vnni"]),
    ("avx2_vnni", &["avx2"]),
    ("avx2", &["avx"]),
    ("avx", &["sse41"]),
    ("sse41", &[]),
];

/// The highest level that the processor has and the environment allows. `DNNL_MAX_CPU_ISA` acts where
/// `ONEDNN_MAX_CPU_ISA` is unset or empty; case means nothing; a value that is no level is ignored.
pub(super) fn level(machine: &Machine<'_>) -> Level {
    let asked = ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"].iter().find_map(|name| machine.env(name));
    let asked = asked.map(|level| level.to_ascii_lowercase());
    if machine.is_x86_64() {
        let cap =
            asked.as_deref().map(canonical).filter(|level| LEVELS.iter().any(|(name, _)| name == level));
        return x86(machine, cap);
    }
    if machine.is_aarch64() {
        // The names of the SVE levels are misspelt in the source (`"sve_ ## bits"` in a macro), so that no value
        // but this one acts.
        return if asked.as_deref() == Some("advanced_simd") { sure("asimd") } else { arm(machine) };
    }
    Ok(None)
}

/// The names that oneDNN 3.8 introduced for the AMX and FP16 levels.
fn canonical(level: &str) -> &str {
    match level {
        "avx10_1_512" => "avx512_core_fp16",
        "avx10_1_512_amx" => "avx512_core_amx",
        "avx10_1_512_amx_fp16" => "avx512_core_amx_fp16",
        other => other,
    }
}

fn x86(machine: &Machine<'_>, cap: Option<&str>) -> Level {
    for (level, _) in LEVELS {
        if cap.is_some_and(|cap| !allows(cap, level)) {
            continue;
        }
        match has(machine, level) {
            Some(true) => return sure(level),
            Some(false) => {}
            None => {
                return Err(format!("Linux does not tell whether this processor has what {level} needs"));
            }
        }
    }
    sure("none")
}

/// Whether a cap at one level allows another: it does where that is the same or below.
fn allows(cap: &str, level: &str) -> bool {
    cap == level
        || LEVELS
            .iter()
            .filter(|(name, _)| *name == cap)
            .any(|(_, below)| below.iter().any(|b| allows(b, level)))
}

/// Whether the processor has the level; `None` where `/proc/cpuinfo` cannot tell: Linux shows neither `avx_vnni_int8`
/// and `avx_ne_convert` nor `amx_fp16` (`cpufeatures.h`: no name), so that only models surely without them are told.
fn has(machine: &Machine<'_>, level: &str) -> Option<bool> {
    let intel = |models: &[u32]| {
        machine.vendor == "GenuineIntel"
            && machine.family == Some(6)
            && machine.model.is_some_and(|m| models.contains(&m))
    };
    let avx2_vnni = machine.has(["avx2", "avx_vnni"]);
    let core = machine.has(["avx512f", "avx512bw", "avx512vl", "avx512dq"]);
    let vnni = core && machine.has(["avx512_vnni"]);
    let bf16 = vnni && machine.has(["avx512_bf16"]);
    let fp16 = bf16 && avx2_vnni && machine.has(["avx512_fp16"]);
    let amx = fp16 && machine.has(["amx_tile", "amx_int8", "amx_bf16"]);
    match level {
        "sse41" => Some(machine.has(["sse4_1"])),
        "avx" => Some(machine.has(["avx"])),
        "avx2" => Some(machine.has(["avx2"])),
        "avx2_vnni" => Some(avx2_vnni),
        // Alder Lake, Raptor Lake and Meteor Lake; any processor with AVX-512 has matched above, unless a cap keeps
        // it here, and then Sapphire and Emerald Rapids are those without.
        "avx2_vnni_2" if avx2_vnni && !intel(&[0x97, 0x9a, 0xb7, 0xba, 0xbf, 0xaa, 0xac, 0x8f, 0xcf]) => None,
        "avx512_core" => Some(core),
        "avx512_core_vnni" => Some(vnni),
        "avx512_core_bf16" => Some(bf16),
        "avx512_core_fp16" => Some(fp16),
        "avx512_core_amx" => Some(amx),
        "avx512_core_amx_fp16" if amx && machine.has(["amx_fp16"]) => Some(true),
        "avx512_core_amx_fp16" if amx && !intel(&[0x8f, 0xcf]) => None,
        _ => Some(false),
    }
}

fn arm(machine: &Machine<'_>) -> Level {
    if machine.has(["sme"]) {
        return Err("whether oneDNN uses SME depends on its version".to_owned());
    }
    match machine.sve_bits {
        Some(512..) => sure("sve_512"),
        Some(256..) => sure("sve_256"),
        Some(128..) => sure("sve_128"),
        None if machine.has(["sve"]) => Err("the SVE vector length could not be read".to_owned()),
        _ => sure("asimd"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_allows_what_is_below_it() {
        assert!(allows("avx512_core_amx", "avx2_vnni"));
        assert!(allows("avx512_core_bf16", "avx2"));
        assert!(!allows("avx512_core_bf16", "avx2_vnni"));
        assert!(!allows("avx2_vnni", "avx512_core"));
    }
}
