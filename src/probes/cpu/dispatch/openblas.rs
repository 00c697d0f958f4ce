//! OpenBLAS built with `DYNAMIC_ARCH`: `driver/others/dynamic.c` and `dynamic_arm64.c` (0.3.28).

use super::{Level, Machine};

/// The x86-64 names that `OPENBLAS_CORETYPE` accepts, in whatever case; the kernels that a full build uses for them;
/// the kernels that the wheels of NumPy and SciPy use for them.
const CORES: [(&str, &str, &str); 26] = [
    ("Katmai", "Prescott", "Prescott"),
    ("Coppermine", "Prescott", "Prescott"),
    ("Northwood", "Prescott", "Prescott"),
    ("Prescott", "Prescott", "Prescott"),
    ("Banias", "Prescott", "Prescott"),
    ("Atom", "Nehalem", "Nehalem"),
    ("Core2", "Core2", "Prescott"),
    ("Penryn", "Core2", "Prescott"),
    ("Dunnington", "Core2", "Prescott"),
    ("Nehalem", "Nehalem", "Nehalem"),
    ("Athlon", "Prescott", "Prescott"),
    ("Opteron", "Core2", "Prescott"),
    ("Opteron_SSE3", "Core2", "Prescott"),
    ("Barcelona", "Barcelona", "Nehalem"),
    ("Nano", "Nehalem", "Prescott"),
    ("Sandybridge", "Sandybridge", "Sandybridge"),
    ("Bobcat", "Core2", "Nehalem"),
    ("Bulldozer", "Bulldozer", "Sandybridge"),
    ("Piledriver", "Piledriver", "Sandybridge"),
    ("Haswell", "Haswell", "Haswell"),
    ("Steamroller", "Steamroller", "Sandybridge"),
    ("Excavator", "Excavator", "Sandybridge"),
    ("Zen", "Zen", "Haswell"),
    ("SkylakeX", "SkylakeX", "SkylakeX"),
    ("Cooperlake", "Cooperlake", "SkylakeX"),
    ("SapphireRapids", "SapphireRapids", "SkylakeX"),
];

const ARM_CORES: [&str; 18] = [
    "armv8",
    "cortexa53",
    "cortexa57",
    "cortexa72",
    "cortexa73",
    "falkor",
    "thunderx",
    "thunderx2t99",
    "tsv110",
    "emag8180",
    "neoversen1",
    "neoversev1",
    "neoversev2",
    "neoversen2",
    "thunderx3t110",
    "cortexa55",
    "armv8sve",
    "a64fx",
];

/// The core that a build with every kernel (Debian, conda-forge, EasyBuild) selects.
pub(super) fn level(machine: &Machine<'_>) -> Level {
    if machine.is_aarch64() {
        return arm(machine);
    }
    if !machine.is_x86_64() {
        return Ok(None);
    }
    let core = core(machine)?;
    let asked = machine.host.env("OPENBLAS_CORETYPE").is_some();
    if core == "SapphireRapids" && (asked || machine.model != Some(0x8f)) {
        return Err(
            "whether it uses its SapphireRapids kernels here depends on the OpenBLAS version".to_owned()
        );
    }
    Ok(CORES.iter().find(|(name, ..)| *name == core).map(|(_, full, _)| (*full).to_owned()))
}

/// The core that the OpenBLAS in the wheels of NumPy (from 2.2 on) and SciPy selects: they hold five sets of kernels,
/// `PRESCOTT NEHALEM SANDYBRIDGE HASWELL SKYLAKEX` (NumPy 2.2.0 release notes). The name is of the kernels:
/// threadpoolctl shows Prescott as `Katmai`, the first of the names that stand for them.
pub(super) fn wheel_level(machine: &Machine<'_>) -> Level {
    if machine.is_aarch64() {
        return Err("the wheels for aarch64 differ in the kernels they hold".to_owned());
    }
    if !machine.is_x86_64() {
        return Ok(None);
    }
    if machine.versions.numpy.is_some_and(|version| version < (2, 2)) {
        return Err("the kernels in wheels before NumPy 2.2 differ from version to version".to_owned());
    }
    let core = core(machine)?;
    Ok(CORES.iter().find(|(name, ..)| *name == core).map(|(.., wheel)| (*wheel).to_owned()))
}

/// The core on x86-64. A name that is none gives what the flags allow, not what the model would have given.
fn core(machine: &Machine<'_>) -> Result<&'static str, String> {
    match machine.host.env("OPENBLAS_CORETYPE") {
        Some(asked) => {
            let found = CORES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&asked));
            Ok(found.map_or_else(|| by_flags(machine), |(name, ..)| name))
        }
        None => by_model(machine),
    }
}

fn avx512(machine: &Machine<'_>) -> bool {
    machine.has(["avx512vl"])
}

fn bf16(machine: &Machine<'_>) -> bool {
    avx512(machine) && machine.has(["avx512_bf16"])
}

/// What is taken for a model that OpenBLAS does not know.
fn by_flags(machine: &Machine<'_>) -> &'static str {
    match () {
        () if bf16(machine) => "Cooperlake",
        () if avx512(machine) => "SkylakeX",
        () => up_to_haswell(machine, "Prescott"),
    }
}

fn up_to_haswell(machine: &Machine<'_>, without_avx: &'static str) -> &'static str {
    match () {
        () if machine.has(["avx2"]) => "Haswell",
        () if machine.has(["avx"]) => "Sandybridge",
        () => without_avx,
    }
}

fn by_model(machine: &Machine<'_>) -> Result<&'static str, String> {
    let avx = machine.has(["avx"]);
    let (family, model) = (machine.family.unwrap_or(0), machine.model.unwrap_or(0));
    let amx = avx512(machine) && machine.has(["amx_tile", "amx_bf16"]);
    Ok(match (machine.vendor, family) {
        ("GenuineIntel", 6) => match model {
            0x0f | 0x16 | 0x17 | 0x1d => "Core2",
            0x1a | 0x1b | 0x1c | 0x1e | 0x1f | 0x25 | 0x2c | 0x2e | 0x2f | 0x37 => "Nehalem",
            0x4c | 0x4d | 0x5c | 0x5f | 0x7a => "Nehalem",
            0x2a | 0x2d | 0x3a | 0x3e => {
                if avx {
                    "Sandybridge"
                } else {
                    "Nehalem"
                }
            }
            // Haswell to Comet Lake, and two with AVX-512 that is not used: Knights Landing, Cannon Lake.
            0x3c | 0x3d | 0x3f | 0x45 | 0x46 | 0x47 | 0x4e | 0x4f | 0x56 | 0x57 | 0x5e | 0x66 | 0x8e
            | 0x9e | 0xa5 | 0xa6 => up_to_haswell(machine, "Nehalem"),
            _ if amx => "SapphireRapids",
            // From here on the models that are known and those that are not differ only without AVX.
            0x55 | 0x6a | 0x6c | 0x7d | 0x7e | 0x8c | 0x8d | 0x8f | 0x97 | 0x9a | 0xa7 if !avx => "Nehalem",
            _ => by_flags(machine),
        },
        ("AuthenticAMD", 0x17) | ("HygonGenuine", 0x18) => {
            if avx {
                "Zen"
            } else {
                "Barcelona"
            }
        }
        ("AuthenticAMD", 0x19) => match () {
            () if avx512(machine) => by_flags(machine),
            () if avx => "Zen",
            () => "Barcelona",
        },
        ("AuthenticAMD", 0x1a) if avx512(machine) => by_flags(machine),
        ("AuthenticAMD" | "HygonGenuine", 0x0f..) => {
            return Err(format!("OpenBLAS versions differ for AMD family 0x{family:x}"));
        }
        ("CentaurHauls" | "  Shanghai  ", _) => return Err("not derived for this vendor".to_owned()),
        _ => by_flags(machine),
    })
}

/// aarch64: by implementer and part of the core on which the library is loaded. Cortex-A55, A72, A73 and Falkor stand
/// for A53 or A57, and Neoverse V2 for V1, whose names are then shown.
fn arm(machine: &Machine<'_>) -> Level {
    let alias = |core: &str| match core {
        "cortexa55" => "cortexa53".to_owned(),
        "cortexa72" | "cortexa73" | "falkor" => "cortexa57".to_owned(),
        "neoversev2" => "neoversev1".to_owned(),
        other => other.to_owned(),
    };
    if let Some(asked) = machine.host.env("OPENBLAS_CORETYPE") {
        let asked = asked.to_ascii_lowercase();
        return Ok(Some(alias(ARM_CORES.iter().find(|core| **core == asked).unwrap_or(&"armv8"))));
    }
    let sve = machine.has(["sve"]);
    let of = |&(implementer, part): &(u32, u32)| match (implementer, part) {
        (0x41, 0xd03) => "cortexa53",
        (0x41, 0xd05) => "cortexa55",
        (0x41, 0xd07) => "cortexa57",
        (0x41, 0xd08) => "cortexa72",
        (0x41, 0xd09) => "cortexa73",
        (0x41, 0xd0c) | (0x61, _) => "neoversen1",
        (0x41, 0xd40 | 0xd49 | 0xd4f) if !sve => "neoversen1",
        (0x41, 0xd49) => "neoversen2",
        (0x41, 0xd40 | 0xd4f) => "neoversev1",
        (0x42, 0x516) | (0x43, 0x0af) => "thunderx2t99",
        (0x43, 0x0a1) => "thunderx",
        (0x43, 0x0b8) => "thunderx3t110",
        (0x46, 0x001) => "a64fx",
        (0x48, 0xd01) => "tsv110",
        (0x50, 0x000) => "emag8180",
        (0x51, 0xc00) => "falkor",
        _ if sve => "armv8sve",
        _ => "armv8",
    };
    let cores: std::collections::BTreeSet<String> = machine.parts.iter().map(of).map(alias).collect();
    match cores.len() {
        0 => Err("/proc/cpuinfo does not tell implementer and part".to_owned()),
        1 => Ok(cores.into_iter().next()),
        _ => Err("it depends on the core on which the library is loaded".to_owned()),
    }
}
