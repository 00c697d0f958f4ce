//! ATen, the tensor library of PyTorch: `compute_cpu_capability` in `aten/src/ATen/native/DispatchStub.cpp`.

use super::{Level, Machine, sure};

/// The capability that `torch.backends.cpu.get_cpu_capability()` would give, in lower case.
///
/// The variable is compared exactly; a value that is none of the known ones is ignored with a warning, and one that
/// the processor cannot run is taken all the same (and ends the process with SIGILL) but for SVE. Where no torch is
/// installed, the rules are those of current ones. torch before 2.1 did not use AVX-512 unless told to (PR #104165).
pub(super) fn level(machine: &Machine<'_>) -> Level {
    let asked = machine.env("ATEN_CPU_CAPABILITY");
    let asked = asked.as_deref();
    if machine.is_x86_64() {
        return match asked {
            Some(level @ ("default" | "avx2" | "avx512")) => sure(level),
            _ => sure(x86(machine)),
        };
    }
    if machine.is_aarch64() {
        return if asked == Some("default") { sure("default") } else { arm(machine) };
    }
    Ok(None)
}

fn x86(machine: &Machine<'_>) -> &'static str {
    let avx512 = machine.has(["avx512vl", "avx512bw", "avx512dq", "fma"]);
    if avx512 && machine.versions.torch.is_none_or(|version| version >= (2, 1)) {
        "avx512"
    } else if machine.has(["avx2", "fma"]) {
        "avx2"
    } else {
        "default"
    }
}

/// SVE came with torch 2.6 for vectors of 256 bits; versions from 2.10 on may have kernels for other lengths.
fn arm(machine: &Machine<'_>) -> Level {
    let old = |limit| machine.versions.torch.is_some_and(|version| version < limit);
    if !machine.has(["sve"]) || old((2, 6)) {
        return sure("default");
    }
    match machine.sve_bits {
        None => Err("the SVE vector length could not be read".to_owned()),
        Some(256) if machine.has(["bf16"]) => sure("sve256"),
        Some(256) => sure("default"),
        Some(_) if old((2, 10)) => sure("default"),
        Some(bits) => Err(format!("whether torch has kernels for SVE of {bits} bits depends on its version")),
    }
}
