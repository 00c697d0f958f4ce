//! The processor: affinity and thread counts, and the code paths of another CPU, simulated.

use std::collections::BTreeSet;

use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting, shown};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

fn value<'s>(snapshot: &'s Snapshot, path: &str) -> Option<&'s Value> {
    match snapshot.look(&path.parse().ok()?) {
        Looked::Value(value) => Some(value),
        _ => None,
    }
}

/// Affinity, or where this machine cannot give both sides' CPUs, the thread counts that follow from them.
pub(super) fn threads(maker: &mut Maker<'_>) {
    let differs = |maker: &Maker<'_>, prefix: &str| -> Vec<FactPath> {
        maker.changes().filter(|c| c.path.to_string().starts_with(prefix)).map(|c| c.path.clone()).collect()
    };
    let affinity = differs(maker, "cpu.affinity.");
    if affinity.is_empty() {
        return;
    }
    let sides = [maker.a, maker.b];
    let here: BTreeSet<u32> = value(maker.live, "cpu.affinity.cpus")
        .and_then(|v| ranges(&v.plain()))
        .unwrap_or_default()
        .into_iter()
        .collect();
    let cpus = sides.map(|side| {
        let wanted = value(side, "cpu.affinity.cpus").and_then(|v| ranges(&v.plain()))?;
        // Other CPUs of the same number, where those are not here: the count is what libraries read.
        if wanted.iter().all(|cpu| here.contains(cpu)) {
            return Some((wanted, false));
        }
        (wanted.len() <= here.len()).then(|| (here.iter().copied().take(wanted.len()).collect(), true))
    });
    let texts = sides.map(|side| shown(value(side, "cpu.affinity.cpus")));
    if let [Some((a, moved_a)), Some((b, moved_b))] = cpus {
        if a == b {
            for fact in &affinity {
                maker.uncontrolled(fact, "the CPUs of both sides are not here, and are equal in number");
            }
            return;
        }
        let (standing, finding) = standing(maker.explanation, &affinity);
        maker.add(Factor {
            id: "cpu.affinity".to_owned(),
            kind: Kind::Threads,
            facts: affinity,
            shown: texts,
            how: "sched_setaffinity(2) before the command starts".to_owned(),
            simulated: moved_a || moved_b,
            standing,
            finding,
            settings: [vec![Setting::Cpus(a)], vec![Setting::Cpus(b)]],
        });
        return;
    }
    // More CPUs than this machine has: the thread counts alone, by variables, which libraries take beyond the cores.
    let pools: [(&str, &[&str]); 3] = [
        ("cpu.threads.libgomp", &["OMP_NUM_THREADS"]),
        ("cpu.threads.mkl", &["MKL_NUM_THREADS"]),
        ("cpu.threads.openblas_wheel", &["OPENBLAS_NUM_THREADS"]),
    ];
    let mut settings = [Vec::new(), Vec::new()];
    for (fact, names) in pools {
        let [Some(a), Some(b)] = sides.map(|side| value(side, fact)) else { continue };
        for (list, count) in settings.iter_mut().zip([a, b]) {
            list.extend(names.iter().map(|name| Setting::Variable {
                name: (*name).to_owned(),
                value: Some(count.plain()),
                soft: true,
            }));
        }
    }
    for list in settings.iter_mut().filter(|list| !list.is_empty()) {
        // MKL never starts more threads than cores unless it is told to (oneMKL Developer Guide, MKL_DYNAMIC).
        let value = Some("FALSE".to_owned());
        list.push(Setting::Variable { name: "MKL_DYNAMIC".to_owned(), value, soft: true });
    }
    if settings[0] == settings[1] {
        for fact in &affinity {
            maker.uncontrolled(fact, "this machine has fewer CPUs, and the thread counts do not differ");
        }
        return;
    }
    let mut facts = affinity;
    facts.extend(differs(maker, "cpu.threads."));
    let (standing, finding) = standing(maker.explanation, &facts);
    maker.add(Factor {
        id: "cpu.threads".to_owned(),
        kind: Kind::Threads,
        facts,
        shown: texts,
        how: "the thread counts of OpenMP, MKL and OpenBLAS by their variables; this machine has fewer CPUs"
            .to_owned(),
        simulated: true,
        standing,
        finding,
        settings,
    });
}

/// `0-3,8` as numbers; `None` for anything else, and for more than 4096.
fn ranges(text: &str) -> Option<Vec<u32>> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
        if high < low || high - low > 4096 || out.len() > 4096 {
            return None;
        }
        out.extend(low..=high);
    }
    (!out.is_empty()).then_some(out)
}

/// A library's dispatch, the variable that lowers it, how the value is written, and the ladder of what it can be asked
/// for, lowest first.
struct Switch {
    fact: &'static str,
    variable: &'static str,
    write: fn(&str) -> String,
    ladder: &'static [&'static str],
}

/// Sources as in docs/concepts/cpu-dispatch.md.
const SWITCHES: [Switch; 6] = [
    Switch {
        fact: "aten",
        variable: "ATEN_CPU_CAPABILITY",
        write: str::to_owned,
        ladder: &["default", "avx2", "avx512"],
    },
    Switch {
        fact: "onednn",
        variable: "ONEDNN_MAX_CPU_ISA",
        write: |v| v.to_uppercase(),
        ladder: &[
            "sse41",
            "avx",
            "avx2",
            "avx2_vnni",
            "avx2_vnni_2",
            "avx512_core",
            "avx512_core_vnni",
            "avx512_core_bf16",
            "avx512_core_fp16",
            "avx512_core_amx",
            "avx512_core_amx_fp16",
        ],
    },
    Switch {
        fact: "mkl",
        variable: "MKL_ENABLE_INSTRUCTIONS",
        write: |v| v.to_uppercase(),
        ladder: &[
            "sse4_2",
            "avx",
            "avx2",
            "avx2_e1",
            "avx512",
            "avx512_e1",
            "avx512_e2",
            "avx512_e3",
            "avx512_e4",
            "avx512_e5",
        ],
    },
    Switch {
        fact: "openblas_wheel",
        variable: "OPENBLAS_CORETYPE",
        write: str::to_owned,
        ladder: &["Prescott", "Nehalem", "Sandybridge", "Haswell", "SkylakeX"],
    },
    Switch {
        fact: "glibc_libm",
        variable: "GLIBC_TUNABLES",
        // glibc.cpu.hwcaps masks usable features ("Hardware Capability Tunables", glibc manual).
        write: |v| match v {
            "sse2" => "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4".to_owned(),
            "avx" => "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4".to_owned(),
            _ => String::new(),
        },
        ladder: &["sse2", "avx", "fma"],
    },
    Switch {
        fact: "xla",
        variable: "XLA_FLAGS",
        write: |v| format!("--xla_cpu_max_isa={}", v.to_uppercase()),
        ladder: &["sse4_2", "avx", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx", "amx_fp16"],
    },
];

/// The code paths of two CPUs. Only where the CPUs differ: what the variables of one CPU do are factors themselves.
pub(super) fn code_paths(maker: &mut Maker<'_>) {
    let identity = ["cpu.isa", "cpu.model", "cpu.vendor", "cpu.microarchitecture", "cpu.model_number"];
    let differs = maker.changes().any(|c| identity.contains(&c.path.to_string().as_str()));
    if !differs {
        return;
    }
    for switch in &SWITCHES {
        let path = FactPath::new(["cpu", "dispatch", switch.fact]);
        let values = [maker.a, maker.b, maker.live].map(|s| match s.look(&path) {
            Looked::Value(value) => Some(value.plain()),
            _ => None,
        });
        let [Some(a), Some(b), Some(here)] = values else { continue };
        if a == b {
            continue;
        }
        let rank = |v: &str| switch.ladder.iter().position(|step| *step == v);
        let (Some(rank_a), Some(rank_b), Some(rank_here)) = (rank(&a), rank(&b), rank(&here)) else {
            let why =
                format!("{a} and {b} are not steps of one ladder that `{}` can set here", switch.variable);
            maker.uncontrolled(&path, &why);
            continue;
        };
        if rank_a.max(rank_b) > rank_here {
            maker.uncontrolled(&path, &format!("this machine's CPU goes no further than {here}"));
            continue;
        }
        let set = |v: &str| {
            let value = (v != here).then(|| (switch.write)(v)).filter(|v| !v.is_empty());
            vec![Setting::Variable { name: switch.variable.to_owned(), value, soft: true }]
        };
        let (standing, finding) = standing(maker.explanation, std::slice::from_ref(&path));
        maker.add(Factor {
            id: path.to_string(),
            kind: Kind::CodePath,
            facts: vec![path],
            shown: [a.clone(), b.clone()],
            how: format!("simulated on this CPU by `{}`", switch.variable),
            simulated: true,
            standing,
            finding,
            settings: [set(&a), set(&b)],
        });
    }
    numpy(maker);
}

/// NumPy's features are switched off one by one.
fn numpy(maker: &mut Maker<'_>) {
    let path = FactPath::new(["cpu", "dispatch", "numpy"]);
    let lists = [maker.a, maker.b, maker.live].map(|s| match s.look(&path) {
        Looked::Value(Value::List(items)) => Some(items.iter().map(Value::plain).collect::<Vec<_>>()),
        _ => None,
    });
    let [Some(a), Some(b), Some(here)] = lists else { return };
    if a == b {
        return;
    }
    if a.iter().chain(&b).any(|feature| !here.contains(feature)) {
        maker.uncontrolled(&path, "this machine's CPU or NumPy lacks features of one side");
        return;
    }
    let set = |list: &[String]| {
        let off: Vec<&str> = here.iter().filter(|f| !list.contains(f)).map(String::as_str).collect();
        let value = (!off.is_empty()).then(|| off.join(" "));
        vec![Setting::Variable { name: "NPY_DISABLE_CPU_FEATURES".to_owned(), value, soft: true }]
    };
    let (standing, finding) = standing(maker.explanation, std::slice::from_ref(&path));
    maker.add(Factor {
        id: path.to_string(),
        kind: Kind::CodePath,
        facts: vec![path],
        shown: [a.join(" "), b.join(" ")],
        how: "simulated on this CPU by `NPY_DISABLE_CPU_FEATURES`".to_owned(),
        simulated: true,
        standing,
        finding,
        settings: [set(&a), set(&b)],
    });
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(ranges("0-2,5"), Some(vec![0, 1, 2, 5]));
        for bad in ["", "x", "3-1", "0-99999999", "-1"] {
            assert_eq!(ranges(bad), None, "{bad}");
        }
    }
}
