//! aarch64 machines.

use super::*;

/// An aarch64 machine of so many CPUs of each (implementer, part).
fn arm(cores: &[(u32, u32, u32)], features: &str) -> Recorded {
    let mut text = String::new();
    let mut number = 0;
    for (count, implementer, part) in cores {
        for _ in 0..*count {
            write!(
                text,
                "processor\t: {number}\nBogoMIPS\t: 2000.00\nFeatures\t: {features}\n\
                 CPU implementer\t: 0x{implementer:x}\nCPU architecture: 8\nCPU variant\t: 0x0\n\
                 CPU part\t: 0x{part:x}\nCPU revision\t: 1\n\n"
            )
            .unwrap();
            number += 1;
        }
    }
    let mut host = machine("aarch64", text, number);
    file(&mut host, "/sys/devices/system/cpu/online", &format!("0-{}", number - 1));
    file(&mut host, "/sys/devices/system/cpu/smt/active", "0");
    host
}

#[test]
fn grace_and_graviton3() {
    let features = "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma asimddp sve asimdfhm \
                    sve2 i8mm bf16 svei8mm svebf16";
    let mut grace = arm(&[(144, 0x41, 0xd4f)], features);
    file(&mut grace, "/sys/devices/system/node/has_cpu", "0-1");
    for (node, first, cpus) in [(0, 0, "0-71"), (1, 72, "72-143")] {
        file(&mut grace, &format!("/sys/devices/system/node/node{node}/cpulist"), cpus);
        file(
            &mut grace,
            &format!("/sys/devices/system/cpu/cpu{first}/topology/physical_package_id"),
            &node.to_string(),
        );
    }
    file(&mut grace, "/proc/sys/abi/sve_default_vector_length", "16");
    let facts = probe(grace.clone());
    facts.expect(&[
        ("architecture", "aarch64"),
        ("vendor", "ARM"),
        ("model", "Neoverse-V2"),
        ("part", "0xd4f"),
        ("revision", "r0p1"),
        ("sve_bits", "128"),
        ("logical_cpus", "144"),
        ("physical_cores", "144"),
        ("physical_cores_found_by", "smt/active"),
        ("sockets", "2"),
        ("numa_nodes", "2"),
        ("x86_64_level", "-"),
        ("family", "-"),
        ("isa", "asimd asimddp asimdfhm asimdhp asimdrdm bf16 fcma fphp i8mm jscvt sve sve2 svebf16 svei8mm"),
        ("dispatch.onednn", "sve_128"),
        ("dispatch.openblas", "neoversev1"),
        ("dispatch.mkl", "-"),
        ("dispatch.numpy", "ASIMDHP ASIMDDP ASIMDFHM SVE"),
        ("threads.mkl", "-"),
        ("threads.torch", "144"),
    ]);
    facts.unknown(&["dispatch.aten", "dispatch.openblas_wheel"]);
    env(&grace, &[("ATEN_CPU_CAPABILITY", "default"), ("OPENBLAS_CORETYPE", "ARMV8")])
        .expect(&[("dispatch.aten", "default"), ("dispatch.openblas", "armv8")]);
    // torch takes the cores of the machine here, not the affinity, and reads numbers as std::stoi does.
    grace.system.affinity = Some(vec![0, 1]);
    env(&grace, &[]).expect(&[("threads.torch", "144"), ("threads.libgomp", "2"), ("affinity.cpus", "0-1")]);
    env(&grace, &[("OMP_NUM_THREADS", "8,2")]).expect(&[("threads.torch", "8"), ("threads.openblas", "2")]);
    let mut graviton = arm(&[(64, 0x41, 0xd40)], features);
    file(&mut graviton, "/proc/sys/abi/sve_default_vector_length", "32");
    probe(graviton).expect(&[
        ("model", "Neoverse-V1"),
        ("sve_bits", "256"),
        ("dispatch.aten", "sve256"),
        ("dispatch.onednn", "sve_256"),
        ("dispatch.openblas", "neoversev1"),
    ]);
}

#[test]
fn jetson_orin_and_big_little() {
    let features = "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp uscat ilrcpc flagm";
    let orin = arm(&[(12, 0x41, 0xd42)], features);
    probe(orin).expect(&[
        ("model", "Cortex-A78AE"),
        ("heterogeneous", "false"),
        ("isa", "asimd asimddp asimdhp asimdrdm fphp"),
        ("sve_bits", "-"),
        ("dispatch.aten", "default"),
        ("dispatch.onednn", "asimd"),
        ("dispatch.openblas", "armv8"),
        ("dispatch.numpy", "ASIMDHP ASIMDDP"),
        ("dispatch.xla", "-"),
        ("threads.torch", "12"),
    ]);
    let rk3588 = probe(arm(&[(4, 0x41, 0xd05), (4, 0x41, 0xd0b)], features));
    rk3588.expect(&[
        ("model", "Cortex-A55 + Cortex-A76"),
        ("heterogeneous", "true"),
        ("core_types", "Cortex-A55 x4 Cortex-A76 x4"),
        ("revision", "-"),
    ]);
    rk3588.unknown(&["dispatch.openblas"]);
}
