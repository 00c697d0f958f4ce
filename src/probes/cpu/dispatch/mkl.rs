//! Intel MKL, whose source is closed: the oneMKL Developer Guide ("Instruction Set Specific Dispatching",
//! "Specifying Code Branches"), checked against what `MKL_VERBOSE=1` of MKL 2024.2 prints.

use super::{Level, Machine, sure};

/// The code path and the conditional numerical reproducibility (CNR) branch.
pub(super) struct Choice {
    /// The instruction set of the kernels.
    pub(super) isa: Level,
    /// `off`, or the branch with `,strict` where asked.
    pub(super) cnr: Level,
}

/// Values of `MKL_ENABLE_INSTRUCTIONS`, highest first. From MKL 2024.0 on `AVX` gives the SSE4.2 kernels.
const LEVELS: [&str; 9] =
    ["avx512_e5", "avx512_e4", "avx512_e3", "avx512_e2", "avx512_e1", "avx512", "avx2_e1", "avx2", "sse4_2"];

/// What MKL would do. `MKL_DEBUG_CPU_TYPE` does nothing from MKL 2020.1 on.
pub(super) fn choice(machine: &Machine<'_>) -> Choice {
    if !machine.is_x86_64() {
        return Choice { isa: Ok(None), cnr: Ok(None) };
    }
    let asked = machine.env("MKL_CBWR");
    let (branch, strict) = match asked.as_deref() {
        None => {
            return Choice { isa: enabled(machine), cnr: sure("off") };
        }
        Some(text) => match text.split_once(',') {
            Some((branch, "STRICT")) => (branch, ",strict"),
            Some(_) => return unclear("the form of MKL_CBWR is not documented"),
            None => (text, ""),
        },
    };
    if branch == "COMPATIBLE" {
        return Choice { isa: sure("compatible"), cnr: Ok(Some(format!("compatible{strict}"))) };
    }
    let isa = enabled(machine);
    let auto = |isa| Choice { isa, cnr: Ok(Some(format!("auto{strict}"))) };
    if machine.vendor != "GenuineIntel" {
        return auto(isa);
    }
    let Ok(Some(highest)) = isa.clone() else {
        return Choice { cnr: Err("it depends on the code path".to_owned()), isa };
    };
    let on = |kernels: &str, branch: &str| Choice {
        isa: sure(kernels),
        cnr: Ok(Some(format!("{branch}{strict}"))),
    };
    match branch {
        "SSE2" | "SSE3" | "SSSE3" => on("sse2", "sse2"),
        "SSE4_2" | "AVX" => on("sse4_2", "sse4_2"),
        "AVX2" if at_least(&highest, "avx2") => on("avx2", "avx2"),
        "AVX512" if at_least(&highest, "avx512") => on(&highest, "avx512"),
        "AVX512_E1" if at_least(&highest, "avx512_e1") => on(&highest, "avx512_e1"),
        "SSE4_1" | "AVX512_MIC" | "AVX512_MIC_E1" => unclear("deprecated branch of MKL_CBWR"),
        // Unknown, above what there is, or `AUTO`: documented to act as `AUTO`.
        _ => auto(isa),
    }
}

fn unclear(reason: &str) -> Choice {
    Choice { isa: Err(reason.to_owned()), cnr: Err(reason.to_owned()) }
}

fn rank(level: &str) -> Option<usize> {
    LEVELS.iter().position(|name| *name == level)
}

fn at_least(level: &str, wanted: &str) -> bool {
    matches!((rank(level), rank(wanted)), (Some(level), Some(wanted)) if level <= wanted)
}

/// The code path with `MKL_ENABLE_INSTRUCTIONS` applied: compared exactly, and ignored where it asks for more than
/// there is, for something unknown, or on another vendor's processor.
fn enabled(machine: &Machine<'_>) -> Level {
    let highest = highest(machine)?;
    let asked = machine.env("MKL_ENABLE_INSTRUCTIONS");
    let asked = match asked.as_deref() {
        Some("AVX") => Some("sse4_2"),
        Some(text) => LEVELS.iter().copied().find(|level| level.to_ascii_uppercase() == text),
        None => None,
    };
    match asked {
        Some("avx2_e1") if !machine.has(["avx_vnni"]) => sure(highest),
        Some(asked) if at_least(highest, asked) => sure(asked),
        _ => sure(highest),
    }
}

/// The highest code path of the processor.
fn highest(machine: &Machine<'_>) -> Result<&'static str, String> {
    if machine.vendor != "GenuineIntel" {
        return Err("Intel does not document the code path of MKL on other vendors' processors".to_owned());
    }
    let avx512 = machine.has(["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"]);
    let vnni = avx512 && machine.has(["avx512_vnni"]);
    let e4 = vnni && machine.has(["avx512_bf16", "avx512_fp16"]);
    Ok(match () {
        () if e4 && machine.has(["amx_tile", "amx_int8", "amx_bf16"]) => match machine.model {
            Some(0x8f | 0xcf) => "avx512_e5",
            _ => return Err("Linux does not tell whether this processor has AMX for float16".to_owned()),
        },
        () if e4 => "avx512_e4",
        () if vnni && machine.has(["avx512_bf16"]) => "avx512_e3",
        () if vnni && machine.has(["vaes", "vpclmulqdq"]) => "avx512_e2",
        () if vnni => "avx512_e1",
        () if avx512 => "avx512",
        () if machine.has(["avx2", "fma", "avx_vnni"]) => "avx2_e1",
        () if machine.has(["avx2", "fma"]) => "avx2",
        () if machine.has(["sse4_2"]) => "sse4_2",
        () => return Err("MKL's code path below SSE4.2 depends on its version".to_owned()),
    })
}
