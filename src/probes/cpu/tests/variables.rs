//! What the environment does to the code paths and to the numbers of threads.

use super::*;
use crate::host::Host as _;

type Variables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn caps_on_instruction_sets() {
    let host = x86(SPR_XEON, &[V1, V2, V3, V4, ICL, SPR, AMX], 1, 4, 1);
    let cases: &[(Variables<'_>, &str, &str)] = &[
        (&[("ATEN_CPU_CAPABILITY", "avx2")], "aten", "avx2"),
        (&[("ATEN_CPU_CAPABILITY", "AVX2")], "aten", "avx512"),
        (&[("ATEN_CPU_CAPABILITY", "default")], "aten", "default"),
        (&[("ONEDNN_MAX_CPU_ISA", "avx2")], "onednn", "avx2"),
        (&[("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16")], "onednn", "avx512_core_fp16"),
        (&[("ONEDNN_MAX_CPU_ISA", "AVX10_1_512_AMX")], "onednn", "avx512_core_amx"),
        (&[("ONEDNN_MAX_CPU_ISA", "AVX2_VNNI")], "onednn", "avx2_vnni"),
        (&[("ONEDNN_MAX_CPU_ISA", "bogus")], "onednn", "avx512_core_amx"),
        (&[("ONEDNN_MAX_CPU_ISA", ""), ("DNNL_MAX_CPU_ISA", "AVX")], "onednn", "avx"),
        (&[("ONEDNN_MAX_CPU_ISA", "AVX2"), ("DNNL_MAX_CPU_ISA", "AVX")], "onednn", "avx2"),
        (&[("OPENBLAS_CORETYPE", "haswell")], "openblas", "Haswell"),
        (&[("OPENBLAS_CORETYPE", "Zen")], "openblas_wheel", "Haswell"),
        (&[("OPENBLAS_CORETYPE", "bogus")], "openblas", "Cooperlake"),
        (&[("OPENBLAS_CORETYPE", "Core2")], "openblas_wheel", "Prescott"),
        (&[("MKL_CBWR", "COMPATIBLE,STRICT")], "mkl_cnr", "compatible,strict"),
        (&[("MKL_CBWR", "AVX2")], "mkl", "avx2"),
        (&[("MKL_CBWR", "avx2")], "mkl_cnr", "auto"),
        (&[("MKL_CBWR", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2")], "mkl", "sse4_2"),
        (&[("MKL_CBWR", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2")], "mkl_cnr", "auto"),
        (&[("MKL_ENABLE_INSTRUCTIONS", "AVX")], "mkl", "sse4_2"),
        (&[("MKL_DEBUG_CPU_TYPE", "5")], "mkl", "avx512_e5"),
        (&[("NPY_DISABLE_CPU_FEATURES", "X86_V4,AVX512_ICL\tAVX512_SPR nonsense")], "numpy", "X86_V3"),
        (&[("NPY_ENABLE_CPU_FEATURES", "X86_V3")], "numpy", "X86_V3"),
        (&[("GLIBC_TUNABLES", "glibc.malloc.check=0:glibc.cpu.hwcaps=-FMA")], "glibc_libm", "avx"),
        (&[("XLA_FLAGS", "--a --xla_cpu_max_isa=AVX512 --xla_cpu_max_isa=AVX2")], "xla", "avx2"),
    ];
    for (variables, library, expected) in cases {
        assert_eq!(env(&host, variables).get(&format!("dispatch.{library}")), *expected, "{variables:?}");
    }
    env(&host, &[("NPY_DISABLE_CPU_FEATURES", "X86_V2")]).unknown(&["dispatch.numpy"]);
    env(&host, &[("NPY_DISABLE_CPU_FEATURES", "X86_V4"), ("NPY_ENABLE_CPU_FEATURES", "X86_V3")])
        .unknown(&["dispatch.numpy"]);
    env(&host, &[("XLA_FLAGS", "--xla_cpu_max_isa=AVX9")]).unknown(&["dispatch.xla"]);
    env(&host, &[("OPENBLAS_CORETYPE", "SapphireRapids")]).unknown(&["dispatch.openblas"]);
}

#[test]
fn thread_variables() {
    let host = x86(
        ("GenuineIntel", 6, 85, 7, "Intel(R) Xeon(R) Gold 6248"),
        &[V1, V2, V3, V4, "avx512_vnni"],
        1,
        8,
        1,
    );
    let cases: &[(Variables<'_>, Variables<'_>)] = &[
        (
            &[("OMP_NUM_THREADS", "3")],
            &[("libgomp", "3"), ("mkl", "3"), ("torch", "3"), ("openblas", "3"), ("blis", "3")],
        ),
        (&[("OMP_NUM_THREADS", "4,2")], &[("libgomp", "4"), ("torch", "4"), ("openblas", "4")]),
        (&[("OMP_NUM_THREADS", "abc")], &[("libgomp", "8"), ("torch", "8"), ("openblas", "8")]),
        (&[("OMP_NUM_THREADS", "0")], &[("libgomp", "8"), ("torch", "8")]),
        (
            &[("OMP_NUM_THREADS", "20")],
            &[("libgomp", "20"), ("torch", "8"), ("openblas", "8"), ("sklearn_openmp", "20")],
        ),
        (&[("OMP_NUM_THREADS", "20"), ("MKL_DYNAMIC", "FALSE")], &[("torch", "20"), ("mkl", "20")]),
        (
            &[("OMP_NUM_THREADS", "2"), ("MKL_NUM_THREADS", "1")],
            &[("libgomp", "2"), ("torch", "1"), ("mkl", "1")],
        ),
        (&[("MKL_NUM_THREADS", "4,2")], &[("torch", "1"), ("libgomp", "8")]),
        (&[("MKL_NUM_THREADS", "0"), ("OMP_NUM_THREADS", "2")], &[("torch", "2")]),
        (&[("OMP_THREAD_LIMIT", "2")], &[("libgomp", "2"), ("torch", "2"), ("openblas", "8")]),
        (
            &[("OPENBLAS_NUM_THREADS", "2"), ("GOTO_NUM_THREADS", "3"), ("OMP_NUM_THREADS", "4")],
            &[("openblas", "2"), ("torch", "4")],
        ),
        (&[("OPENBLAS_NUM_THREADS", "0"), ("GOTO_NUM_THREADS", "3")], &[("openblas", "3")]),
        (&[("OPENBLAS_DEFAULT_NUM_THREADS", "5"), ("OMP_NUM_THREADS", "4")], &[("openblas", "5")]),
        (&[("TF_NUM_INTRAOP_THREADS", "2")], &[("tensorflow_intraop", "2"), ("tensorflow_interop", "8")]),
        (&[("NPROC", "2"), ("PJRT_NPROC", "3")], &[("xla_cpu", "3")]),
        (&[("BLIS_NUM_THREADS", "2"), ("OMP_NUM_THREADS", "4")], &[("blis", "2")]),
        (&[("LOKY_MAX_CPU_COUNT", "2")], &[("loky", "2"), ("sklearn_openmp", "2")]),
        (&[("NUMEXPR_NUM_THREADS", "2"), ("OMP_NUM_THREADS", "4")], &[("numexpr", "2")]),
        (&[("OMP_PROC_BIND", "true"), ("OPENBLAS_NUM_THREADS", "1")], &[("openblas", "1")]),
    ];
    for (variables, expected) in cases {
        let facts = env(&host, variables);
        for (runtime, count) in *expected {
            assert_eq!(facts.get(&format!("threads.{runtime}")), *count, "{runtime} with {variables:?}");
        }
    }
    env(&host, &[("OMP_DYNAMIC", "TRUE")]).unknown(&[
        "threads.libgomp",
        "threads.torch",
        "threads.sklearn_openmp",
    ]);
    env(&host, &[("OMP_PROC_BIND", "close")]).unknown(&["threads.openblas", "threads.openblas_wheel"]);
    env(&host, &[("PYTHON_CPU_COUNT", "3")]).unknown(&["threads.python_cpu_count"]);
    env(&host, &[("NUMEXPR_NUM_THREADS", "many")]).unknown(&["threads.numexpr"]);
    env(&host, &[("MKL_DOMAIN_NUM_THREADS", "MKL_DOMAIN_ALL=1")]).unknown(&["threads.mkl", "threads.torch"]);
}

/// The version of an installed library changes what its variables and flags mean.
#[test]
fn versions_of_libraries() {
    let host = x86(SPR_XEON, &[V1, V2, V3, V4, ICL, SPR, AMX], 1, 2, 1);
    let text = host.text(Path::new("/proc/cpuinfo")).unwrap();
    let info = CpuInfo::parse(&text);
    let of = |torch, numpy, variables: Variables<'_>| {
        let mut host = host.clone();
        host.env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut machine = isa::Machine::new(&host, "x86_64", &info);
        machine.versions = isa::Versions { torch, numpy, python: None };
        let sink = Sink::new("cpu");
        dispatch::record(&machine, &sink);
        Facts(sink.snapshot(None))
    };
    let old = of(Some((2, 0)), Some((1, 26)), &[]);
    old.expect(&[
        ("dispatch.aten", "avx2"),
        (
            "dispatch.numpy",
            "SSSE3 SSE41 POPCNT SSE42 AVX F16C FMA3 AVX2 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL \
             AVX512_ICL AVX512_SPR",
        ),
    ]);
    old.unknown(&["dispatch.openblas_wheel"]);
    let told = of(Some((2, 0)), Some((2, 3)), &[("ATEN_CPU_CAPABILITY", "avx512")]);
    told.expect(&[("dispatch.aten", "avx512"), ("dispatch.openblas_wheel", "SkylakeX")]);
    // Each version knows its own names only.
    let names = &[("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_SKX")];
    assert!(of(None, Some((2, 4)), names).get("dispatch.numpy").starts_with("X86_V3 AVX512_ICL"));
    let before = of(None, Some((2, 3)), names).get("dispatch.numpy");
    assert!(before.contains("AVX512F") && !before.contains("AVX512_SKX"), "{before}");
}
