//! The `cpu` section: on this machine, and against what the libraries really select.
//!
//! The comparison needs a virtual environment with torch, NumPy, SciPy, scikit-learn and threadpoolctl, named by
//! `DRIFTLOCK_TEST_VENV`; without one it is skipped, and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::common::{capture, driftlock, fact, folder};

#[test]
fn this_machine() {
    let dir = folder();
    let snapshot = capture(dir.path(), &["--section", "cpu", "--no-python"]);
    let number = |path: &str| fact(&snapshot, path).and_then(toml::Value::as_integer);
    let nproc = std::thread::available_parallelism().expect("a number of CPUs").get() as i64;
    let affinity = number("cpu.affinity.count").expect("the affinity");
    assert!(affinity >= nproc, "available_parallelism also heeds the quota: {affinity} {nproc}");
    assert_eq!(number("cpu.threads.libgomp"), Some(affinity));
    let online = std::fs::read_to_string("/proc/cpuinfo").expect("/proc/cpuinfo");
    let online = online.lines().filter(|line| line.starts_with("processor")).count() as i64;
    assert_eq!(number("cpu.logical_cpus"), Some(online));
    assert!(number("cpu.physical_cores") <= Some(online));
    assert!(fact(&snapshot, "cpu.isa").and_then(toml::Value::as_array).is_some_and(|isa| !isa.is_empty()));
    let again = capture(dir.path(), &["--section", "cpu", "--no-python"]);
    assert_eq!(snapshot["fingerprint"], again["fingerprint"], "{} {}", snapshot["cpu"], again["cpu"]);
}

#[test]
fn affinity_and_variables_act() {
    let dir = folder();
    let cpu = capture(dir.path(), &["--section", "cpu", "--no-python"]);
    let first = fact(&cpu, "cpu.affinity.cpus").and_then(toml::Value::as_str).expect("the affinity");
    let first = first.split(['-', ',']).next().expect("a first CPU").to_owned();
    let bound = snapshot(
        &["taskset", "-c", &first],
        &[("OMP_NUM_THREADS", "3"), ("ATEN_CPU_CAPABILITY", "default")],
        None,
    );
    let shown = |path: &str| fact(&bound, path).map(ToString::to_string);
    assert_eq!(shown("cpu.affinity.count").as_deref(), Some("1"));
    assert_eq!(shown("cpu.affinity.cpus"), Some(format!("\"{first}\"")));
    assert_eq!(shown("cpu.threads.libgomp").as_deref(), Some("3"));
    assert_eq!(shown("cpu.threads.openblas").as_deref(), Some("1"));
    assert_eq!(shown("cpu.dispatch.aten").as_deref(), Some("\"default\""));
}

/// Variables of one run, and the number of CPUs that it is bound to, 0 for all.
type Run = (&'static [(&'static str, &'static str)], usize);

const RUNS: [Run; 24] = [
    (&[], 0),
    (&[], 1),
    (&[("OMP_NUM_THREADS", "1")], 0),
    (&[("OMP_NUM_THREADS", "2")], 1),
    (&[("OMP_NUM_THREADS", "3,2"), ("MKL_DYNAMIC", "FALSE")], 0),
    (&[("OMP_NUM_THREADS", "64")], 0),
    (&[("OMP_NUM_THREADS", "0"), ("ATEN_CPU_CAPABILITY", "AVX2"), ("MKL_CBWR", "avx2")], 0),
    (&[("OMP_NUM_THREADS", "3x"), ("OPENBLAS_CORETYPE", "bogus"), ("ONEDNN_MAX_CPU_ISA", "bogus")], 0),
    (&[("MKL_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "2"), ("OPENBLAS_CORETYPE", "haswell")], 0),
    (&[("MKL_NUM_THREADS", "5"), ("MKL_DYNAMIC", "false"), ("OPENBLAS_CORETYPE", "Zen")], 0),
    (&[("MKL_NUM_THREADS", "5"), ("MKL_DYNAMIC", "0"), ("OPENBLAS_CORETYPE", "Core2")], 0),
    (&[("MKL_NUM_THREADS", "4,2"), ("OPENBLAS_CORETYPE", "Barcelona")], 0),
    (&[("MKL_NUM_THREADS", "0"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_CORETYPE", "SapphireRapids")], 0),
    (&[("OMP_THREAD_LIMIT", "1"), ("OPENBLAS_CORETYPE", "Excavator")], 0),
    (&[("OMP_THREAD_LIMIT", "3"), ("OMP_NUM_THREADS", "8"), ("MKL_DYNAMIC", "FALSE")], 0),
    (&[("OPENBLAS_NUM_THREADS", "1"), ("GOTO_NUM_THREADS", "2"), ("ATEN_CPU_CAPABILITY", "avx2")], 0),
    (&[("OPENBLAS_NUM_THREADS", "0"), ("GOTO_NUM_THREADS", "1"), ("ATEN_CPU_CAPABILITY", "default")], 0),
    (&[("OPENBLAS_DEFAULT_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "2"), ("MKL_CBWR", "COMPATIBLE")], 0),
    (
        &[
            ("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL,AVX512_SPR"),
            ("ONEDNN_MAX_CPU_ISA", "AVX2"),
            ("MKL_CBWR", "AVX2,STRICT"),
        ],
        0,
    ),
    (
        &[
            ("NPY_ENABLE_CPU_FEATURES", "X86_V3"),
            ("DNNL_MAX_CPU_ISA", "SSE41"),
            ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ],
        0,
    ),
    (
        &[
            ("ONEDNN_MAX_CPU_ISA", "avx512_core_bf16"),
            ("MKL_CBWR", "AVX2"),
            ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
        ],
        0,
    ),
    (
        &[
            ("ONEDNN_MAX_CPU_ISA", ""),
            ("DNNL_MAX_CPU_ISA", "AVX2_VNNI"),
            ("MKL_ENABLE_INSTRUCTIONS", "AVX512_E1"),
        ],
        0,
    ),
    (&[("LOKY_MAX_CPU_COUNT", "1"), ("MKL_CBWR", "AVX"), ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")], 0),
    (&[("OMP_PROC_BIND", "true"), ("MKL_ENABLE_INSTRUCTIONS", "avx2")], 0),
];

#[test]
fn libraries_select_what_the_snapshot_says() {
    let Some(venv) = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from) else {
        eprintln!(
            "skipped: set DRIFTLOCK_TEST_VENV to a virtual environment with torch, numpy, scipy, scikit-learn, threadpoolctl"
        );
        return;
    };
    let (mut compared, mut unknown, mut wrong) = (0, 0, Vec::new());
    for (variables, cpus) in RUNS {
        // CPU 0 is there wherever the suite is not confined itself.
        let bound: &[&str] = if cpus == 1 { &["taskset", "-c", "0"] } else { &[] };
        let snapshot = snapshot(bound, variables, Some(&venv));
        for (path, real) in reality(bound, variables, &venv) {
            let said = fact(&snapshot, &format!("cpu.{path}")).map(ToString::to_string);
            match said {
                None => unknown += 1,
                Some(said) if said == real => compared += 1,
                Some(said) => wrong
                    .push(format!("{variables:?} on {cpus} CPUs: {path} is {real}, snapshot says {said}")),
            }
        }
    }
    eprintln!("{} runs: {compared} facts agree, {} differ, {unknown} unknown", RUNS.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Only binding (two facts) and what another vendor's processor leaves open may be unknown.
    assert!(compared > 10 * unknown, "{compared} facts compared, {unknown} unknown");
}

/// A command with these variables and no others, so that the two programs see the same.
fn command(wrapper: &[&str], program: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = match wrapper {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command.env_clear().envs(variables.iter().copied());
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

fn snapshot(wrapper: &[&str], variables: &[(&str, &str)], venv: Option<&Path>) -> toml::Table {
    let dir = folder();
    let mut command = command(wrapper, Path::new(driftlock().get_program()), variables);
    command.args(["capture", "--section", "cpu", "-o", "-"]).current_dir(dir.path());
    match venv {
        Some(venv) => command.arg("--python").arg(venv.join("bin/python")),
        None => command.arg("--no-python"),
    };
    let out = command.output().expect("driftlock runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).parse().expect("a snapshot")
}

/// What the libraries selected: fact below `cpu` and value as TOML shows it.
fn reality(wrapper: &[&str], variables: &[(&str, &str)], venv: &Path) -> Vec<(String, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report_cpu.py");
    let mut command = command(wrapper, &venv.join("bin/python"), variables);
    command.env("MKL_VERBOSE", "1").env("ONEDNN_VERBOSE", "1").args(["-I", "-B"]).arg(script);
    let out = command.output().expect("python runs");
    let (text, messages) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let report = text.lines().find_map(|line| line.strip_prefix("REPORT "));
    let report = report.unwrap_or_else(|| panic!("{variables:?}: {text}{messages}"));
    let report: Json = serde_json::from_str(report).expect("a report");
    let number = |name: &str| report[name].as_i64().unwrap_or_else(|| panic!("{name} in {report}"));
    let limit = number("omp_get_thread_limit");
    let mut facts = Vec::new();
    for name in [
        "libgomp",
        "torch",
        "torch_interop",
        "sklearn_openmp",
        "loky",
        "python_cpu_count",
        "python_process_cpu_count",
    ] {
        // With binding, the mask of this thread is one place by the time that Python counts.
        let moved = variables.iter().any(|(name, _)| *name == "OMP_PROC_BIND")
            && ["sklearn_openmp", "loky", "python_process_cpu_count"].contains(&name);
        if !moved {
            let count = number(&format!("threads.{name}"));
            // scikit-learn asks for a team of this size, which the limit cuts.
            let count = if name == "sklearn_openmp" { count.min(limit) } else { count };
            facts.push((format!("threads.{name}"), count.to_string()));
        }
    }
    facts.push(("threads.mkl".to_owned(), number("mkl_get_max_threads").min(limit).to_string()));
    facts.push(("threads.torch".to_owned(), number("torch.get_num_threads").min(limit).to_string()));
    for name in ["dispatch.openblas_wheel", "threads.openblas_wheel"] {
        let found = report[name].as_array().expect("a list");
        assert_eq!(found.len(), 1, "NumPy's and SciPy's OpenBLAS agree: {found:?}");
        facts.push((name.to_owned(), found[0].to_string().replace("Katmai", "Prescott")));
    }
    facts.push(("dispatch.aten".to_owned(), report["dispatch.aten"].to_string()));
    let features: Vec<String> =
        report["dispatch.numpy"].as_array().expect("a list").iter().map(Json::to_string).collect();
    facts.push(("dispatch.numpy".to_owned(), format!("[{}]", features.join(", "))));
    let level = |name: Option<&str>| format!("{:?}", name.expect("a level"));
    facts.push(("dispatch.mkl".to_owned(), level(text.lines().find_map(mkl_isa))));
    let cnr = text
        .lines()
        .find_map(|line| line.split_once(" CNR:")?.1.split(' ').next())
        .map(str::to_ascii_lowercase);
    facts.push(("dispatch.mkl_cnr".to_owned(), level(cnr.as_deref())));
    facts.push(("dispatch.onednn".to_owned(), level(text.lines().find_map(onednn_isa))));
    facts
}

/// The code path in the first line of `MKL_VERBOSE`.
fn mkl_isa(line: &str) -> Option<&'static str> {
    let (_, isa) = line.strip_prefix("MKL_VERBOSE ")?.split_once(" 64 architecture ")?;
    let known = [
        ("(Intel(R) AMX) with INT8 and BF16", "avx512_e5"),
        ("BF16, and FP16 (limited)", "avx512_e4"),
        ("and bfloat16", "avx512_e3"),
        ("EVEX-encoded AES", "avx512_e2"),
        ("(Intel(R) AVX-2) with support of", "avx2_e1"),
        ("with support of Intel(R) Deep Learning Boost", "avx512_e1"),
        ("(Intel(R) AVX-512) enabled", "avx512"),
        ("(Intel(R) AVX2) enabled", "avx2"),
        ("(Intel(R) SSE4.2) enabled", "sse4_2"),
        ("(Intel(R) SSE2) enabled", "sse2"),
        ("Intel(R) Architecture processors", "compatible"),
    ];
    known.iter().find(|(words, _)| isa.contains(words)).map(|(_, name)| *name)
}

/// The instruction set in the first lines of `ONEDNN_VERBOSE`, as of oneDNN 3.
fn onednn_isa(line: &str) -> Option<&'static str> {
    let isa = line.strip_prefix("onednn_verbose,")?.split_once("cpu,isa:")?.1;
    let known = [
        ("AMX with bfloat16, float16", "avx512_core_amx_fp16"),
        ("AMX with bfloat16", "avx512_core_amx"),
        ("AVX 10.1", "avx512_core_fp16"),
        ("AVX-512 with float16", "avx512_core_fp16"),
        ("AVX-512 with Intel DL Boost and bfloat16", "avx512_core_bf16"),
        ("AVX-512 with Intel DL Boost", "avx512_core_vnni"),
        ("AVX-512", "avx512_core"),
        ("AVX2 with Intel DL Boost, float16", "avx2_vnni_2"),
        ("AVX2 with Intel DL Boost", "avx2_vnni"),
        ("AVX2", "avx2"),
        ("AVX", "avx"),
        ("SSE4.1", "sse41"),
    ];
    known.iter().find(|(words, _)| isa.contains(words)).map(|(_, name)| *name)
}
