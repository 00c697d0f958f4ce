//! The probe over machines that are not here, each composed from the fields of real `/proc/cpuinfo` files.
#![allow(clippy::unwrap_used, reason = "tests")]

mod arm;
mod variables;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::host::recorded::Recorded;
use crate::probes::Options;
use crate::snapshot::{FactPath, Value};

const V1: &str = "fpu cx8 cmov mmx fxsr sse sse2 syscall lm";
const V2: &str = "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm";
const V3: &str = "xsave avx f16c fma movbe abm bmi1 bmi2 avx2";
const V4: &str = "avx512f avx512dq avx512cd avx512bw avx512vl";
const ICL: &str =
    "avx512ifma avx512vbmi avx512_vbmi2 gfni vaes vpclmulqdq avx512_vnni avx512_bitalg avx512_vpopcntdq";
const SPR: &str = "avx_vnni avx512_bf16 avx512_fp16";
const AMX: &str = "amx_bf16 amx_tile amx_int8";

/// One x86 CPU's identity: vendor, family, model, stepping, model name.
type X86<'a> = (&'a str, u32, u32, u32, &'a str);

/// An x86 machine: sockets, cores of each, hardware threads of each core.
fn x86(id: X86<'_>, flags: &[&str], sockets: u32, cores: u32, threads: u32) -> Recorded {
    let (vendor, family, model, stepping, name) = id;
    let flags = flags.join(" ");
    let mut text = String::new();
    for number in 0..sockets * cores * threads {
        let core = number % (sockets * cores);
        write!(
            text,
            "processor\t: {number}\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n\
             model name\t: {name}\nstepping\t: {stepping}\nmicrocode\t: 0x2b000571\n\
             cpu MHz\t\t: {}.123\nphysical id\t: {}\ncore id\t\t: {}\nflags\t\t: {flags}\npower management:\n\n",
            2000 + number,
            core / cores,
            core % cores,
        )
        .unwrap();
    }
    machine("x86_64", text, sockets * cores * threads)
}

fn machine(arch: &str, cpuinfo: String, cpus: u32) -> Recorded {
    let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
    host.system.machine = arch.to_owned();
    host.system.affinity = Some((0..cpus).collect());
    host.system.libc = Some(("glibc".to_owned(), "2.39".to_owned()));
    host.files.insert("/proc/cpuinfo".into(), cpuinfo);
    host
}

fn file(host: &mut Recorded, path: &str, text: &str) {
    host.files.insert(PathBuf::from(path), text.to_owned());
}

fn env(host: &Recorded, variables: &[(&str, &str)]) -> Facts {
    let mut host = host.clone();
    host.env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    probe(host)
}

/// What the probe said.
struct Facts(crate::probes::sink::Collected);

fn probe(host: Recorded) -> Facts {
    let sink = Sink::new("cpu");
    Cpu.collect(&Context::new(Arc::new(host), Options::default()), &sink).unwrap();
    let collected = sink.snapshot(None);
    for path in collected.facts.keys() {
        assert!(crate::facts::find(path).is_some(), "`{path}` is not declared");
    }
    Facts(collected)
}

impl Facts {
    /// A fact as plain text; `-` where absent, `?` and the reason where unknown.
    fn get(&self, path: &str) -> String {
        let path = FactPath::new(["cpu"].into_iter().chain(path.split('.')));
        match (self.0.facts.get(&path), self.0.unknown.get(&path)) {
            (Some(value), _) => Value::plain(value),
            (None, Some(reason)) => format!("? {reason}"),
            (None, None) => "-".to_owned(),
        }
    }

    #[track_caller]
    fn expect(&self, facts: &[(&str, &str)]) {
        for (path, value) in facts {
            assert_eq!(self.get(path), *value, "cpu.{path}");
        }
    }

    #[track_caller]
    fn unknown(&self, paths: &[&str]) {
        for path in paths {
            assert!(self.get(path).starts_with("? "), "cpu.{path} is {}", self.get(path));
        }
    }
}

const SPR_XEON: X86<'_> = ("GenuineIntel", 6, 143, 8, "Intel(R) Xeon(R) Platinum 8480C");

#[test]
fn two_socket_sapphire_rapids() {
    let mut host = x86(SPR_XEON, &[V1, V2, V3, V4, ICL, SPR, AMX], 2, 56, 2);
    file(&mut host, "/sys/devices/system/node/has_cpu", "0-1");
    let facts = probe(host.clone());
    facts.expect(&[
        ("vendor", "GenuineIntel"),
        ("model", "Intel(R) Xeon(R) Platinum 8480C"),
        ("microarchitecture", "sapphirerapids"),
        ("microcode", "0x2b000571"),
        ("logical_cpus", "224"),
        ("physical_cores", "112"),
        ("sockets", "2"),
        ("numa_nodes", "2"),
        ("smt", "true"),
        ("heterogeneous", "false"),
        ("core_types", "-"),
        ("x86_64_level", "v4"),
        ("affinity.count", "224"),
        ("affinity.cpus", "0-223"),
        ("quota_millicpus", "-"),
        ("dispatch.aten", "avx512"),
        ("dispatch.onednn", "avx512_core_amx"),
        ("dispatch.openblas", "SapphireRapids"),
        ("dispatch.openblas_wheel", "SkylakeX"),
        ("dispatch.mkl", "avx512_e5"),
        ("dispatch.mkl_cnr", "off"),
        ("dispatch.numpy", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"),
        ("dispatch.glibc_libm", "fma"),
        ("dispatch.xla", "amx"),
        ("threads.libgomp", "224"),
        ("threads.mkl", "112"),
        ("threads.torch", "112"),
        ("threads.torch_interop", "112"),
        ("threads.openblas", "224"),
        ("threads.openblas_wheel", "64"),
        ("threads.numexpr", "16"),
        ("threads.tensorflow_intraop", "224"),
        ("threads.blis", "1"),
        ("threads.loky", "224"),
    ]);
    assert!(facts.0.facts.values().all(|v| !v.plain().contains("MHz") && !v.plain().contains("2000.123")));
    // scikit-learn counts cores by lscpu.
    facts.unknown(&["threads.sklearn_openmp"]);
    host.env.insert("PATH".to_owned(), "/usr/bin".to_owned());
    host.executables.insert("/usr/bin/lscpu".into());
    probe(host.clone()).expect(&[("threads.sklearn_openmp", "112")]);
    // Half of the hardware threads: whether MKL counts them or their cores is not known.
    host.system.affinity = Some((0..56).chain(112..168).collect());
    let bound = probe(host);
    bound.expect(&[
        ("affinity.cpus", "0-55,112-167"),
        ("threads.libgomp", "112"),
        ("threads.sklearn_openmp", "112"),
    ]);
    bound.unknown(&["threads.mkl", "threads.torch"]);
}

#[test]
fn amd_epyc_of_two_generations() {
    let milan =
        x86(("AuthenticAMD", 25, 1, 1, "AMD EPYC 7763 64-Core Processor"), &[V1, V2, V3, "sse4a"], 2, 64, 2);
    let facts = probe(milan.clone());
    facts.expect(&[
        ("microarchitecture", "zen3"),
        ("x86_64_level", "v3"),
        ("physical_cores", "128"),
        ("dispatch.aten", "avx2"),
        ("dispatch.onednn", "avx2"),
        ("dispatch.openblas", "Zen"),
        ("dispatch.openblas_wheel", "Haswell"),
        ("dispatch.numpy", "X86_V3"),
        ("dispatch.mkl_cnr", "off"),
        ("dispatch.xla", "avx2"),
    ]);
    facts.unknown(&["dispatch.mkl"]);
    // A name that OpenBLAS does not know sends it to the flags instead of the model.
    env(&milan, &[("OPENBLAS_CORETYPE", "bogus")]).expect(&[("dispatch.openblas", "Haswell")]);
    env(&milan, &[("MKL_CBWR", "COMPATIBLE")])
        .expect(&[("dispatch.mkl", "compatible"), ("dispatch.mkl_cnr", "compatible")]);
    env(&milan, &[("MKL_CBWR", "AVX2")]).expect(&[("dispatch.mkl_cnr", "auto")]);
    let genoa = x86(
        ("AuthenticAMD", 25, 17, 1, "AMD EPYC 9654 96-Core Processor"),
        &[V1, V2, V3, V4, ICL, "avx512_bf16"],
        1,
        96,
        2,
    );
    probe(genoa).expect(&[
        ("microarchitecture", "zen4"),
        ("dispatch.aten", "avx512"),
        ("dispatch.onednn", "avx512_core_bf16"),
        ("dispatch.openblas", "Cooperlake"),
        ("dispatch.openblas_wheel", "SkylakeX"),
        ("dispatch.numpy", "X86_V3 X86_V4 AVX512_ICL"),
        ("dispatch.xla", "avx512_bf16"),
    ]);
}

#[test]
fn hybrid_laptop_and_a_cpu_that_lacks_a_flag() {
    let id = ("GenuineIntel", 6, 154, 3, "12th Gen Intel(R) Core(TM)  i7-1270P");
    let mut laptop = x86(id, &[V1, V2, V3, "avx_vnni gfni vaes vpclmulqdq"], 1, 12, 1);
    file(&mut laptop, "/sys/devices/cpu_core/cpus", "0-7");
    file(&mut laptop, "/sys/devices/cpu_atom/cpus", "8-11");
    probe(laptop).expect(&[
        ("model", "12th Gen Intel(R) Core(TM) i7-1270P"),
        ("microarchitecture", "alderlake"),
        ("heterogeneous", "true"),
        ("core_types", "atom x4 core x8"),
        ("dispatch.onednn", "avx2_vnni"),
        ("dispatch.mkl", "avx2_e1"),
        ("dispatch.openblas", "Haswell"),
        ("dispatch.aten", "avx2"),
    ]);
    // A flag that one core lacks is nobody's: a thread may run there. Which of the two comes first means nothing.
    for lost in ["avx2", "f16c"] {
        let mut odd = x86(id, &[V1, V2, V3], 1, 2, 1);
        let text = odd.files.get_mut(Path::new("/proc/cpuinfo")).unwrap();
        let second = text.rfind(&format!(" {lost}")).unwrap();
        text.replace_range(second..=second + lost.len(), "");
        let facts = probe(odd);
        facts.expect(&[
            ("isa_on_some", lost),
            ("heterogeneous", "true"),
            ("x86_64_level", "v2"),
            ("dispatch.aten", if lost == "avx2" { "default" } else { "avx2" }),
        ]);
        assert!(!facts.get("isa").contains(lost));
    }
}

#[test]
fn qemu64_has_little() {
    let host = x86(
        ("AuthenticAMD", 15, 107, 1, "QEMU Virtual CPU version 2.5+"),
        &[V1, "pni cx16 lahf_lm"],
        1,
        1,
        1,
    );
    let facts = probe(host);
    facts.expect(&[
        ("x86_64_level", "v1"),
        ("isa", "cx16 lahf_lm sse sse2 sse3"),
        ("microarchitecture", "-"),
        ("dispatch.aten", "default"),
        ("dispatch.onednn", "none"),
        ("dispatch.glibc_libm", "sse2"),
        ("dispatch.xla", "sse2"),
        ("threads.libgomp", "1"),
    ]);
    facts.unknown(&["dispatch.numpy", "dispatch.openblas"]);
}

/// A pod on a 16-CPU node that may use three and a half of them.
fn pod(v2: bool) -> Recorded {
    let mut host =
        x86(("GenuineIntel", 6, 106, 6, "Intel(R) Xeon(R) Platinum 8370C"), &[V1, V2, V3, V4, ICL], 1, 8, 2);
    let (group, mount) = match v2 {
        true => ("0::/\n", "31 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup ro\n"),
        false => (
            "5:cpuset:/kubepods/podx/c\n4:cpu,cpuacct:/kubepods/podx/c\n",
            "40 33 0:34 /kubepods/podx/c /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n\
             41 33 0:35 /kubepods/podx/c /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n",
        ),
    };
    file(&mut host, "/proc/self/cgroup", group);
    file(&mut host, "/proc/self/mountinfo", mount);
    if v2 {
        file(&mut host, "/sys/fs/cgroup/cpu.max", "350000 100000\n");
        file(&mut host, "/sys/fs/cgroup/cpuset.cpus.effective", "0-15\n");
    } else {
        file(&mut host, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "350000\n");
        file(&mut host, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
        file(&mut host, "/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "0-15\n");
    }
    host
}

#[test]
fn a_pod_with_a_quota() {
    for (v2, found_by) in [(true, "cgroup v2"), (false, "cgroup v1")] {
        let facts = probe(pod(v2));
        facts.expect(&[
            ("quota_millicpus", "3500"),
            ("quota_found_by", found_by),
            ("cpuset", "0-15"),
            ("affinity.count", "16"),
            // A quota does not count for OpenMP, MKL and OpenBLAS.
            ("threads.libgomp", "16"),
            ("threads.torch", "8"),
            ("threads.openblas", "16"),
            ("threads.python_cpu_count", "16"),
            // It does for joblib, rounded up.
            ("threads.loky", "4"),
            ("threads.sklearn_openmp", "4"),
        ]);
        facts.unknown(&["threads.tbb"]);
    }
    let mut host = pod(true);
    host.denied.insert("/sys/fs/cgroup/cpu.max".into());
    probe(host).unknown(&["quota_millicpus"]);
}

#[test]
fn no_proc_and_an_unreadable_one() {
    let mut host = machine("arm64", String::new(), 4);
    host.files.clear();
    host.system.cpu_brand = Some("Apple M3".to_owned());
    (host.system.logical_cores, host.system.physical_cores, host.system.affinity) = (Some(8), Some(8), None);
    let facts = probe(host);
    facts.expect(&[
        ("model", "Apple M3"),
        ("physical_cores", "8"),
        ("physical_cores_found_by", "sysinfo"),
        ("affinity.count", "-"),
        ("dispatch.aten", "-"),
    ]);
    let mut host = machine("x86_64", String::new(), 4);
    host.denied.insert("/proc/cpuinfo".into());
    let facts = probe(host);
    facts.unknown(&["isa", "model", "dispatch"]);
    facts.expect(&[("affinity.count", "4"), ("threads.libgomp", "4")]);
}
