//! XLA's CPU back end (JAX, TensorFlow): `xla/backends/cpu/codegen/cpu_features.cc`.

use super::{Level, Machine, sure};

/// The values of `--xla_cpu_max_isa` on x86-64, lowest first, with the kernel's flag that stands for each.
const LEVELS: [(&str, &str); 8] = [
    ("SSE4_2", "sse4_2"),
    ("AVX", "avx"),
    ("AVX2", "avx2"),
    ("AVX512", "avx512f"),
    ("AVX512_VNNI", "avx512_vnni"),
    ("AVX512_BF16", "avx512_bf16"),
    ("AMX", "amx_bf16"),
    ("AMX_FP16", "amx_fp16"),
];

/// The highest level that the processor has and the last `--xla_cpu_max_isa` in `XLA_FLAGS` allows, in lower case.
/// Code is generated for the host's features up to there.
pub(super) fn level(machine: &Machine<'_>) -> Level {
    if !machine.is_x86_64() {
        return Ok(None);
    }
    let flags = machine.env("XLA_FLAGS").unwrap_or_default();
    let asked = flags.split_ascii_whitespace().rev().find_map(|flag| flag.strip_prefix("--xla_cpu_max_isa="));
    let cap = match asked.filter(|value| !value.is_empty()) {
        None => LEVELS.len(),
        Some(value) => match LEVELS.iter().position(|(name, _)| *name == value) {
            Some(position) => position + 1,
            None => return Err("`--xla_cpu_max_isa` has a value that is not documented".to_owned()),
        },
    };
    let found = LEVELS.iter().take(cap).rfind(|(_, flag)| machine.has([flag]));
    match found {
        // Linux does not show `amx_fp16`; Sapphire and Emerald Rapids do not have it.
        Some(("AMX", _)) if cap == LEVELS.len() && !matches!(machine.model, Some(0x8f | 0xcf)) => {
            Err("Linux does not tell whether this processor has AMX for float16".to_owned())
        }
        Some((name, _)) => sure(&name.to_ascii_lowercase()),
        None => sure("sse2"),
    }
}
