//! NumPy: `numpy/_core/src/common/npy_cpu_features.c`.

use super::Machine;

/// A feature of NumPy and the kernel's flags that it needs.
type Feature = (&'static str, &'static [&'static str]);

const V2: &[&str] = &["pni", "ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "lahf_lm"];

/// What the x86-64 wheels dispatch to from NumPy 2.4 on, over a baseline of X86_V2. Each needs those before it.
const GROUPS: [Feature; 4] = [
    ("X86_V3", &["avx", "avx2", "f16c", "fma", "bmi1", "bmi2", "abm", "movbe"]),
    ("X86_V4", &["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"]),
    (
        "AVX512_ICL",
        &[
            "avx512_vnni",
            "avx512ifma",
            "avx512vbmi",
            "avx512_vbmi2",
            "avx512_bitalg",
            "avx512_vpopcntdq",
            "gfni",
            "vaes",
            "vpclmulqdq",
        ],
    ),
    ("AVX512_SPR", &["avx512_fp16", "avx512_bf16"]),
];

/// What they dispatched to before (1.25 to 2.3), over a baseline of SSE3.
const BEFORE_2_4: [Feature; 15] = [
    ("SSSE3", &["ssse3"]),
    ("SSE41", &["sse4_1"]),
    ("POPCNT", &["popcnt"]),
    ("SSE42", &["sse4_2"]),
    ("AVX", &["avx"]),
    ("F16C", &["f16c", "avx"]),
    ("FMA3", &["fma", "avx"]),
    ("AVX2", &["avx2"]),
    ("AVX512F", &["avx512f"]),
    ("AVX512CD", &["avx512cd"]),
    ("AVX512_SKX", SKX),
    ("AVX512_CLX", &["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"]),
    ("AVX512_CNL", &["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi"]),
    ("AVX512_ICL", ICL),
    ("AVX512_SPR", SPR),
];

const SKX: &[&str] = &["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"];
const ICL: &[&str] = &[
    "avx512f",
    "avx512cd",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512ifma",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_bitalg",
    "avx512_vpopcntdq",
];
const SPR: &[&str] = &[
    "avx512f",
    "avx512cd",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512ifma",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_bitalg",
    "avx512_vpopcntdq",
    "avx512_fp16",
];

/// aarch64, over a baseline of ASIMD.
const ARM: [Feature; 4] =
    [("ASIMDHP", &["asimdhp"]), ("ASIMDDP", &["asimddp"]), ("ASIMDFHM", &["asimdfhm"]), ("SVE", &["sve"])];

/// The features above the baseline that NumPy would dispatch to, in its own order and spelling, the environment
/// applied. Where no NumPy is installed, the names are those of 2.4.
pub(super) fn features(machine: &Machine<'_>) -> Result<Option<Vec<String>>, String> {
    let version = machine.versions.numpy;
    let names: &[Feature] = if machine.is_x86_64() {
        match version {
            None | Some((2, 4..) | (3.., _)) => &GROUPS,
            Some((1, 25..) | (2, _)) => &BEFORE_2_4,
            Some(_) => return Err("the dispatched features of NumPy before 1.25 are not derived".to_owned()),
        }
    } else if machine.is_aarch64() {
        if machine.has(["sve"]) && version.is_some_and(|version| version < (2, 4)) {
            return Err("whether NumPy before 2.4 uses SVE depends on its version".to_owned());
        }
        &ARM
    } else {
        return Ok(None);
    };
    let groups = names.first().is_some_and(|(name, _)| *name == "X86_V3");
    let has = |flags: &[&str]| flags.iter().all(|flag| machine.has([flag]));
    if groups && !has(V2) {
        return Err("NumPy refuses to start: the processor lacks its baseline, X86_V2".to_owned());
    }
    let mut found: Vec<&str> = Vec::new();
    for (name, flags) in names {
        if has(flags) {
            found.push(name);
        } else if groups {
            break;
        }
    }
    apply(machine, names, found).map(Some)
}

/// `NPY_DISABLE_CPU_FEATURES` takes features away one by one, none of the others with it; `NPY_ENABLE_CPU_FEATURES`
/// takes all away but those it names. Names that are not dispatched to are ignored with a warning.
fn apply(machine: &Machine<'_>, names: &[Feature], mut found: Vec<&str>) -> Result<Vec<String>, String> {
    let listed = |text: &str| -> Vec<String> {
        let parts = text.split([',', ' ', '\t', '\u{b}', '\r', '\n', '\u{c}']);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let contains = |list: &[String], name: &str| list.iter().any(|item| item == name);
    match (machine.env("NPY_DISABLE_CPU_FEATURES"), machine.env("NPY_ENABLE_CPU_FEATURES")) {
        (Some(_), Some(_)) => {
            return Err(
                "NumPy refuses to start: NPY_DISABLE_CPU_FEATURES and NPY_ENABLE_CPU_FEATURES are both set"
                    .to_owned(),
            );
        }
        (Some(disable), None) => {
            let disable = listed(&disable);
            if disable.iter().any(|name| is_baseline(machine, names, name)) {
                return Err(
                    "NumPy refuses to start: NPY_DISABLE_CPU_FEATURES names a baseline feature".to_owned()
                );
            }
            found.retain(|name| !contains(&disable, name));
        }
        (None, Some(enable)) => {
            let enable = listed(&enable);
            let missing = |(name, _): &&Feature| contains(&enable, name) && !found.contains(name);
            if let Some((name, _)) = names.iter().find(missing) {
                return Err(format!(
                    "NumPy refuses to start: NPY_ENABLE_CPU_FEATURES names {name}, which the processor lacks"
                ));
            }
            found.retain(|name| contains(&enable, name));
        }
        (None, None) => {}
    }
    Ok(found.into_iter().map(str::to_owned).collect())
}

fn is_baseline(machine: &Machine<'_>, names: &[Feature], name: &str) -> bool {
    match names.first() {
        Some(("X86_V3", _)) => name == "X86_V2",
        _ if machine.is_aarch64() => ["NEON", "NEON_FP16", "NEON_VFPV4", "ASIMD"].contains(&name),
        _ => ["SSE", "SSE2", "SSE3"].contains(&name),
    }
}
