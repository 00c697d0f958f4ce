//! The probe on machines without NVML's answer, replayed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::host::recorded::Recorded;
use crate::probes::sink::Collected;
use crate::snapshot::Value;

fn file(host: &mut Recorded, path: impl AsRef<Path>, text: &str) {
    host.files.insert(path.as_ref().to_path_buf(), text.to_owned());
}

/// Puts a device on the PCI bus.
fn card(host: &mut Recorded, address: &str, class: &str, vendor: &str, device: &str, driver: &str) {
    let folder = Path::new(pci::DEVICES).join(address);
    for (name, text) in [("class", class), ("vendor", vendor), ("device", device), ("numa_node", "-1")] {
        file(host, folder.join(name), text);
    }
    host.links.insert(folder.join("driver"), format!("../../../../bus/pci/drivers/{driver}").into());
}

fn h100(host: &mut Recorded, address: &str) {
    card(host, address, "0x030200", "0x10de", "0x2330", "nvidia");
}

const OPEN: &str =
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)";

fn collect(host: Recorded) -> Collected {
    let sink = Sink::new("gpu");
    Gpu.collect(&Context::new(Arc::new(host), Options::default()), &sink).unwrap();
    let collected = sink.snapshot(None);
    for path in collected.facts.keys() {
        assert!(crate::facts::find(path).is_some(), "`{path}` is not declared");
    }
    collected
}

fn plain(collected: &Collected, path: &str) -> Option<String> {
    collected.facts.get(&path.parse().unwrap()).map(Value::plain)
}

fn unknown(collected: &Collected, path: &str) -> Option<String> {
    collected.unknown.get(&path.parse().unwrap()).cloned()
}

fn check(collected: &Collected, expected: &[(&str, &str)]) {
    for (path, value) in expected {
        assert_eq!(plain(collected, path).as_deref(), Some(*value), "{path}: {collected:#?}");
    }
}

#[test]
fn a_machine_without_a_gpu_is_looked_at_and_has_none() {
    let mut host = Recorded::default();
    card(&mut host, "0000:03:00.0", "0x030000", "0x1a03", "0x2000", "ast");
    let collected = collect(host);
    assert_eq!(collected.facts.len(), 1);
    check(&collected, &[("gpu.count", "0")]);
    assert!(collected.unknown.is_empty());
}

#[test]
fn a_fault_of_nvml_keeps_what_the_files_say() {
    let mut host = Recorded { nvml_fault: Some(NvmlFault::VersionMismatch), ..Recorded::default() };
    host.executables.insert("/dev/nvidiactl".into());
    file(&mut host, "/proc/driver/nvidia/version", OPEN);
    file(&mut host, "/sys/module/nvidia/version", "570.86.15");
    file(&mut host, "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.565.57.01", "");
    host.links
        .insert("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1".into(), "libnvidia-ml.so.565.57.01".into());
    h100(&mut host, "0000:18:00.0");
    let information =
        "Model: \t\t NVIDIA H100 80GB HBM3\nGPU UUID: \t GPU-2f4a\nVideo BIOS: \t 96.00.74.00.01\n";
    file(&mut host, "/proc/driver/nvidia/gpus/0000:18:00.0/information", information);
    let collected = collect(host);
    let expected = [
        ("gpu.count", "1"),
        ("gpu.driver.flavour", "open"),
        ("gpu.driver.kernel_module", "570.86.15"),
        ("gpu.driver.version", "565.57.01"),
        ("gpu.driver.mismatch", "true"),
        ("gpu.0.name", "NVIDIA H100 80GB HBM3"),
        ("gpu.0.name_found_by", "/proc/driver/nvidia"),
        ("gpu.0.uuid", "GPU-2f4a"),
        ("gpu.0.vbios_version", "96.00.74.00.01"),
        ("gpu.0.sm_count", "132"),
        ("gpu.0.sm_count_found_by", "table by PCI id"),
        ("gpu.0.max_threads_per_sm", "2048"),
        ("gpu.0.compute_capability", "9.0"),
        ("gpu.0.kernel_driver", "nvidia"),
    ];
    check(&collected, &expected);
    for path in ["gpu.0", "gpu.visible", "gpu.driver.cuda_max"] {
        let reason = unknown(&collected, path);
        assert_eq!(reason.as_deref(), Some("NVML: driver and library version mismatch"), "{path}");
    }
}

#[test]
fn gpus_that_a_container_was_not_given_are_hidden() {
    let fault = NvmlFault::NoLibrary("libnvidia-ml.so.1: cannot open shared object file".to_owned());
    let mut host = Recorded { nvml_fault: Some(fault), ..Recorded::default() };
    file(&mut host, "/proc/driver/nvidia/version", OPEN);
    h100(&mut host, "0000:18:00.0");
    h100(&mut host, "0000:2a:00.0");
    let collected = collect(host.clone());
    check(&collected, &[("gpu.count", "0"), ("gpu.hidden", "2"), ("gpu.driver.kernel_module", "570.86.15")]);
    assert_eq!(plain(&collected, "gpu.0.name"), None);
    // With a device node the process can reach them, and what NVML would say is unknown.
    host.executables.insert("/dev/nvidiactl".into());
    let collected = collect(host);
    check(&collected, &[("gpu.count", "2"), ("gpu.1.name", "NVIDIA H100 80GB HBM3")]);
    assert!(unknown(&collected, "gpu.1").unwrap().contains("libnvidia-ml.so.1"));
}

#[test]
fn a_card_of_another_driver_is_listed() {
    let mut host = Recorded::default();
    card(&mut host, "0000:01:00.0", "0x030000", "0x10de", "0x2684", "nouveau");
    card(&mut host, "0000:00:02.0", "0x030000", "0x8086", "0xe20b", "xe");
    let collected = collect(host);
    let expected = [
        ("gpu.count", "2"),
        ("gpu.0.name", "NVIDIA GeForce RTX 4090"),
        ("gpu.0.kernel_driver", "nouveau"),
        ("gpu.1.name", "Intel Arc B580"),
        ("gpu.1.vendor", "intel"),
        ("gpu.1.kernel_driver", "xe"),
    ];
    check(&collected, &expected);
}

#[test]
fn nothing_is_said_of_a_gpu_that_nvml_alone_could_name() {
    let fault = NvmlFault::TimedOut(2_000);
    let mut host = Recorded { nvml_fault: Some(fault), ..Recorded::default() };
    host.executables.insert("/dev/dxg".into());
    let collected = collect(host);
    assert!(collected.facts.is_empty(), "{collected:#?}");
    assert!(unknown(&collected, "gpu").unwrap().starts_with("NVML took longer than 2000 ms"));
}

#[test]
fn a_bus_that_may_not_be_read_is_no_machine_without_gpus() {
    let mut host = Recorded::default();
    host.denied.insert(pci::DEVICES.into());
    let collected = collect(host);
    assert!(unknown(&collected, "gpu.count").is_some());
    assert_eq!(plain(&collected, "gpu.count"), None);
}

#[test]
fn a_jetson_is_known_by_its_device_tree() {
    let mut host = Recorded::default();
    file(&mut host, "/proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit\0");
    let compatible = "nvidia,p3737-0000+p3701-0005\0nvidia,p3701-0005\0nvidia,tegra234\0";
    file(&mut host, "/proc/device-tree/compatible", compatible);
    file(
        &mut host,
        "/etc/nv_tegra_release",
        "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic",
    );
    let expected = [
        ("gpu.count", "1"),
        ("gpu.0.name", "NVIDIA Jetson AGX Orin Developer Kit"),
        ("gpu.0.compute_capability", "8.7"),
        ("gpu.0.architecture", "ampere"),
        ("gpu.0.sm_count", "16"),
        ("gpu.0.max_threads_per_sm", "1536"),
        ("gpu.driver.l4t", "36.4.0"),
        ("gpu.visible", "0"),
    ];
    check(&collect(host.clone()), &expected);
    host.env.insert("CUDA_VISIBLE_DEVICES".to_owned(), String::new());
    check(&collect(host), &[("gpu.visible", "")]);
}

#[test]
fn amd_devices_by_kfd_and_sysfs() {
    let mut host = Recorded::default();
    let node = |host: &mut Recorded, n: u32, gpu_id: &str, properties: &str| {
        let folder = Path::new("/sys/class/kfd/kfd/topology/nodes").join(n.to_string());
        file(host, folder.join("gpu_id"), gpu_id);
        file(host, folder.join("properties"), properties);
    };
    node(&mut host, 0, "0", "cpu_cores_count 64\nsimd_count 0\n");
    let gpu = |bus: u32| {
        format!(
            "cpu_cores_count 0\nsimd_count 416\nsimd_per_cu 4\nmax_waves_per_simd 8\nwave_front_size 64\n\
             gfx_target_version 90010\ndomain 0\nlocation_id {}\n",
            bus << 8
        )
    };
    for (n, bus) in [(1, 0x29), (2, 0x2c), (10, 0xc9)] {
        node(&mut host, n, "4000", &gpu(bus));
        let address = format!("0000:{bus:02x}:00.0");
        card(&mut host, &address, "0x038000", "0x1002", "0x740c", "amdgpu");
        let folder = Path::new(pci::DEVICES).join(&address);
        file(&mut host, folder.join("mem_info_vram_total"), "68702699520");
        file(&mut host, folder.join("unique_id"), &format!("18f68e602b8a79{bus:02x}"));
    }
    file(&mut host, "/opt/rocm/.info/version", "6.2.0-66");
    host.env.insert("ROCR_VISIBLE_DEVICES".to_owned(), "2,1".to_owned());
    host.env.insert("HIP_VISIBLE_DEVICES".to_owned(), "1".to_owned());
    let collected = collect(host);
    let expected = [
        ("gpu.count", "3"),
        ("gpu.2.vendor", "amd"),
        ("gpu.2.name", "AMD Instinct MI250X / MI250"),
        ("gpu.2.architecture", "gfx90a"),
        ("gpu.2.compute_units", "104"),
        ("gpu.2.wavefront_size", "64"),
        ("gpu.2.max_waves_per_cu", "32"),
        ("gpu.2.memory_total", "68702699520"),
        ("gpu.2.uuid", "GPU-18f68e602b8a79c9"),
        ("gpu.2.pci_bus_id", "0000:c9:00.0"),
        ("gpu.amd.rocm_version", "6.2.0-66"),
        ("gpu.amd.visible", "1"),
    ];
    check(&collected, &expected);
}
