//! The `gpu` section through the built binary, with a stand-in for NVIDIA's library (`fixtures/nvml`).
//!
//! No GPU is needed, and none is looked for: on a machine with an NVIDIA driver the stand-in is found first.

pub(crate) mod machine;

use std::process::Stdio;

use crate::common::fact;
use machine::{Machine, int, list, reason, text};

const SYSTEM: &str = "driver 570.86.15\nnvml 12.570.86.15\ncuda 12080\n";

fn uuid(i: usize) -> String {
    format!("GPU-{i}932f937-d72c-4106-c12f-20bd9faed9f6")
}

fn h100(i: usize) -> String {
    let uuid = uuid(i);
    format!(
        "device\n name NVIDIA H100 80GB HBM3\n uuid {uuid}\n serial 165012300000{i}\n brand 14\n architecture 9\n \
         capability 9 0\n cores 16896\n bus_width 5120\n memory 85520809984 580000{i}\n mig_mode 0 0\n ecc 1 1\n \
         ecc_uncorrected 0 0\n retired !3\n remapped 0 0 0 0\n compute_mode 0\n virtualization 0\n persistence 1\n \
         power_limit 700000\n power_enforced 700000\n power_default 700000\n app_clocks 1980 1980 2619\n \
         max_clocks 1980 1980 2619\n throttle 1\n vbios 96.00.74.00.01\n gsp 570.86.15\n \
         pci 00000000:{i}8:00.0 0x233010de 0x16c110de\n pcie_gen 5\n pcie_gen_max 5\n pcie_width 16\n pcie_width_max 16\n \
         nvlink 18 7\n fabric 3\n topology 40 40 40 40 50 50 50 50\n processes\n"
    )
}

fn h100s(count: usize) -> String {
    (0..count).fold(SYSTEM.to_owned(), |script, i| script + &h100(i))
}

#[test]
fn eight_h100s() {
    let s = Machine::new(&h100s(8)).gpu();
    assert_eq!(int(&s, "gpu.count"), 8);
    assert_eq!(list(&s, "gpu.visible"), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(text(&s, "gpu.7.name"), "NVIDIA H100 80GB HBM3");
    assert_eq!(text(&s, "gpu.7.architecture"), "hopper");
    assert_eq!(text(&s, "gpu.7.compute_capability"), "9.0");
    assert_eq!(int(&s, "gpu.7.sm_count"), 132);
    assert_eq!(text(&s, "volatile.gpu.7.sm_count_found_by"), "nvmlDeviceGetNumGpuCores by cores per SM");
    assert_eq!(int(&s, "gpu.7.max_threads_per_sm"), 2048);
    assert_eq!(int(&s, "gpu.7.memory_total"), 85_520_809_984);
    assert_eq!(int(&s, "gpu.7.power_limit_mw"), 700_000);
    assert_eq!(int(&s, "gpu.7.application_clock_graphics_mhz"), 1_980);
    assert_eq!(int(&s, "gpu.7.application_clock_memory_mhz"), 2_619);
    assert_eq!(int(&s, "gpu.7.nvlink_active"), 18);
    assert_eq!(text(&s, "gpu.7.fabric_state"), "completed");
    assert_eq!(text(&s, "gpu.7.compute_mode"), "default");
    assert_eq!(text(&s, "gpu.7.pci_device_id"), "10de:2330");
    assert_eq!(text(&s, "volatile.gpu.7.pci_bus_id"), "0000:78:00.0");
    assert_eq!(
        list(&s, "gpu.0.topology"),
        ["self", "node", "node", "node", "system", "system", "system", "system"]
    );
    assert_eq!(list(&s, "volatile.gpu.7.throttle_reasons"), ["gpu_idle"]);
    assert_eq!(int(&s, "volatile.gpu.7.processes"), 0);
    assert_eq!(fact(&s, "gpu.7.ecc_mode").and_then(toml::Value::as_bool), Some(true));
    assert_eq!(fact(&s, "gpu.7.ecc_uncorrected").and_then(toml::Value::as_bool), Some(false));
    assert_eq!(fact(&s, "gpu.7.retired_pages_single_bit"), None, "not supported is absent");
    assert_eq!(text(&s, "gpu.driver.version"), "570.86.15");
    assert_eq!(text(&s, "gpu.driver.cuda_max"), "12.8");
    assert!(s.get("unknown").is_none(), "{s:#?}");
    // UUIDs and serials are digests, and differ from device to device.
    assert_ne!(text(&s, "private.gpu.0.uuid"), text(&s, "private.gpu.1.uuid"));
    assert!(!toml::to_string(&s).expect("TOML").contains("932f937"));
    assert!(!toml::to_string(&s).expect("TOML").contains("1650123"));
}

#[test]
fn the_devices_that_the_variables_choose() {
    let visible =
        |value: &str| list(&Machine::new(&h100s(4)).env("CUDA_VISIBLE_DEVICES", value).gpu(), "gpu.visible");
    assert_eq!(visible("2,1"), ["2", "1"]);
    assert_eq!(visible(""), [] as [&str; 0]);
    assert_eq!(visible("GPU-3932f937,0"), ["3"]);
    assert_eq!(visible("0,7,1"), ["0"]);
}

const A100: &str = "device\n name NVIDIA A100-SXM4-40GB\n uuid GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77\n architecture 7\n \
                    capability 8 0\n cores 6912\n memory 42949672960 0\n mig_mode 1 1\n mig_max 7\n";

/// Instances 0 and 2 of an A100; the second does not say its SMs.
const SPLIT: &str = "mig 0\n name NVIDIA A100-SXM4-40GB MIG 3g.20gb\n uuid MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f\n gi 2\n ci 0\n \
                     attributes 42 19968\nmig 2\n name NVIDIA A100-SXM4-40GB MIG 1g.5gb\n \
                     uuid MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135\n gi 9\n ci 0\n attributes !3\n";

#[test]
fn a_mig_device_is_what_cuda_sees_of_a_split_gpu() {
    let script = format!("{SYSTEM}{A100}{SPLIT}");
    let s =
        Machine::new(&script).env("CUDA_VISIBLE_DEVICES", "MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135").gpu();
    assert_eq!(fact(&s, "gpu.0.mig_mode").and_then(toml::Value::as_bool), Some(true));
    assert_eq!(int(&s, "gpu.0.sm_count"), 108);
    assert_eq!(text(&s, "gpu.0.mig.0.profile"), "3g.20gb");
    assert_eq!(int(&s, "gpu.0.mig.0.sm_count"), 42);
    assert_eq!(int(&s, "gpu.0.mig.0.memory_total"), 19_968 << 20);
    assert_eq!(text(&s, "volatile.gpu.0.mig.0.sm_count_found_by"), "nvmlDeviceGetAttributes_v2");
    assert_eq!(int(&s, "gpu.0.mig.2.sm_count"), 14);
    assert_eq!(text(&s, "volatile.gpu.0.mig.2.sm_count_found_by"), "table by MIG profile");
    assert_eq!(int(&s, "gpu.0.mig.2.gi"), 9);
    assert_eq!(list(&s, "gpu.visible"), ["0.mig.2"]);
    assert_eq!(list(&s, "gpu.visible_names"), ["NVIDIA A100-SXM4-40GB MIG 1g.5gb"]);
    let old = "MIG-GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77/2/0";
    assert_eq!(
        list(&Machine::new(&script).env("CUDA_VISIBLE_DEVICES", old).gpu(), "gpu.visible"),
        ["0.mig.0"]
    );
    assert_eq!(list(&Machine::new(&script).gpu(), "gpu.visible"), ["0.mig.0"]);
}

#[test]
fn a_t4_beside_a_v100_needs_a_sure_order() {
    let script = format!(
        "{SYSTEM}device\n name Tesla T4\n uuid GPU-aaaa\n capability 7 5\n pci 00000000:18:00.0 0x1eb810de 0x12a210de\n \
         device\n name Tesla V100-SXM2-16GB\n uuid GPU-bbbb\n capability 7 0\n cores 5120\n"
    );
    let s =
        Machine::new(&script).env("CUDA_VISIBLE_DEVICES", "0").env("CUDA_DEVICE_ORDER", "PCI_BUS_ID").gpu();
    assert_eq!(list(&s, "gpu.visible_names"), ["Tesla T4"]);
    assert_eq!((int(&s, "gpu.0.sm_count"), int(&s, "gpu.0.max_threads_per_sm")), (40, 1024));
    assert_eq!(text(&s, "volatile.gpu.0.sm_count_found_by"), "table by PCI id");
    assert_eq!((int(&s, "gpu.1.sm_count"), int(&s, "gpu.1.max_threads_per_sm")), (80, 2048));
    assert_eq!(text(&s, "gpu.0.architecture"), "turing", "derived where NVML does not say it");
    let s = Machine::new(&script).env("CUDA_VISIBLE_DEVICES", "0").gpu();
    assert!(reason(&s, "gpu.visible").contains("FASTEST_FIRST"));
    let s = Machine::new(&script).env("CUDA_VISIBLE_DEVICES", "GPU-bbbb,GPU-aaaa").gpu();
    assert_eq!(list(&s, "gpu.visible"), ["1", "0"]);
}

#[test]
fn a_lost_device_leaves_the_others() {
    // Device 3 cannot be opened, device 5 falls off the bus while it is asked.
    let mut script = h100s(8);
    script = script.replace(&format!("uuid {}", uuid(3)), &format!("handle !15\n uuid {}", uuid(3)));
    script = script.replace(&format!("uuid {}", uuid(5)), &format!("cores !15\n uuid {}", uuid(5)));
    let s = Machine::new(&script).gpu();
    assert_eq!(int(&s, "gpu.count"), 8);
    assert_eq!(reason(&s, "gpu.3"), "NVML: GPU is lost");
    assert_eq!(reason(&s, "gpu.5"), "NVML: GPU is lost");
    assert_eq!(text(&s, "gpu.5.name"), "NVIDIA H100 80GB HBM3", "what it said before is kept");
    assert_eq!(int(&s, "gpu.7.sm_count"), 132);
    assert_eq!(reason(&s, "gpu.visible"), "device 3 does not answer: GPU is lost");
}

#[test]
fn refusals_are_named() {
    for (code, words) in [
        ("!18", "NVML: driver and library version mismatch"),
        ("!4", "NVML: no permission to talk to the NVIDIA driver"),
        ("!15", "NVML: GPU is lost"),
        ("!999", "NVML: an internal driver error occurred"),
    ] {
        let s = Machine::new(&format!("{SYSTEM}init {code}\n{}", h100(0))).gpu();
        assert_eq!(reason(&s, "gpu"), words, "{code}");
        assert_eq!(fact(&s, "gpu.count"), None, "{code}");
        let mismatch = fact(&s, "gpu.driver.mismatch").and_then(toml::Value::as_bool);
        assert_eq!(mismatch, (code == "!18").then_some(true));
    }
    // A library without a driver is a machine without a GPU.
    let s = Machine::new("init !9\n").gpu();
    assert_eq!(int(&s, "gpu.count"), 0);
    assert!(s.get("unknown").is_none(), "{s:#?}");
}

#[test]
fn one_field_refused_is_one_fact_unknown() {
    let script =
        h100s(1).replace("serial 1650123000000", "serial !4").replace("processes\n", "processes !4\n");
    let s = Machine::new(&script).gpu();
    assert_eq!(reason(&s, "gpu.0.serial"), "NVML: insufficient permissions");
    assert_eq!(reason(&s, "gpu.0.processes"), "NVML: insufficient permissions");
    assert_eq!(int(&s, "gpu.0.sm_count"), 132);
}

#[test]
fn a_device_with_errors_and_company() {
    let script = h100s(1)
        .replace("ecc_uncorrected 0 0", "ecc_uncorrected 1 3")
        .replace("retired !3", "retired 2 5\n retired_pending 1")
        .replace("remapped 0 0 0 0", "remapped 4 2 1 0")
        .replace("throttle 1", "throttle 0x24")
        .replace("processes\n", "processes 1048576 2097152\n");
    let s = Machine::new(&script).gpu();
    let truth = |path: &str| fact(&s, path).and_then(toml::Value::as_bool);
    assert_eq!(truth("gpu.0.ecc_uncorrected"), Some(true));
    assert_eq!(int(&s, "volatile.gpu.0.ecc_uncorrected_aggregate"), 3);
    assert_eq!(int(&s, "volatile.gpu.0.retired_pages_single_bit"), 2);
    assert_eq!(int(&s, "volatile.gpu.0.retired_pages_double_bit"), 5);
    assert_eq!(truth("gpu.0.retired_pages_pending"), Some(true));
    assert_eq!(int(&s, "volatile.gpu.0.remapped_rows_uncorrectable"), 2);
    assert_eq!(
        (truth("gpu.0.remapped_rows_pending"), truth("gpu.0.remapped_rows_failure")),
        (Some(true), Some(false))
    );
    assert_eq!(list(&s, "volatile.gpu.0.throttle_reasons"), ["sw_power_cap", "sw_thermal_slowdown"]);
    assert_eq!(int(&s, "volatile.gpu.0.processes"), 2);
    assert_eq!(int(&s, "volatile.gpu.0.processes_memory"), 3_145_728);
}

#[test]
fn a_crash_of_the_library_costs_the_gpu_section_only() {
    let sections = ["--section", "gpu", "--section", "os", "--section", "cpu"];
    let healthy = Machine::new(&h100s(2)).capture(&sections);
    let inside_init = format!("{SYSTEM}init !segv\n{}", h100(0));
    let in_the_middle = h100s(2).replace(" cores 16896", " cores !abort");
    for (script, signal) in [(inside_init, "SIGSEGV (signal 11)"), (in_the_middle, "SIGABRT (signal 6)")] {
        let s = Machine::new(&script).capture(&sections);
        assert_eq!(reason(&s, "gpu"), format!("NVML crashed: {signal}"));
        for section in ["os", "cpu"] {
            assert_eq!(s.get(section), healthy.get(section));
            assert_eq!(fact(&s, &format!("digest.{section}")), fact(&healthy, &format!("digest.{section}")));
        }
    }
}

#[test]
fn a_hang_ends_at_the_limit_and_leaves_no_process() {
    let machine = Machine::new(&format!("{SYSTEM}init !hang\n{}", h100(0)));
    let s = machine.capture(&["--section", "gpu", "--timeout", "0.5"]);
    assert_eq!(
        reason(&s, "gpu"),
        "NVML took longer than 500 ms (enable persistence mode, or raise --timeout)"
    );
    assert_eq!(machine.children(), 0);
}

#[test]
fn a_parent_that_is_killed_leaves_no_process() {
    let machine = Machine::new("init !hang\n");
    let mut command = machine.command(&["--section", "gpu", "--timeout", "600"]);
    let mut parent = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("driftlock starts");
    assert!(machine.reaches(1), "the process that asks NVML did not start");
    parent.kill().expect("it can be killed");
    parent.wait().expect("it ends");
    assert!(machine.reaches(0), "the process that asks NVML outlived its parent");
}

#[test]
fn a_start_of_ten_seconds_is_waited_for_when_asked() {
    let machine = Machine::new(&format!("init !sleep 10\n{}", h100s(1)));
    let s = machine.capture(&["--section", "gpu", "--timeout", "0.5"]);
    assert!(reason(&s, "gpu").starts_with("NVML took longer than 500 ms"));
    let s = machine.capture(&["--section", "gpu", "--timeout", "60"]);
    assert_eq!(int(&s, "gpu.0.sm_count"), 132);
    assert!(s.get("unknown").is_none(), "{s:#?}");
}

#[test]
fn two_captures_agree_whatever_the_library_prints() {
    let print = |script: &str| {
        let out = Machine::new(script).command(&["--section", "gpu"]).output().expect("driftlock runs");
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        text.split("[meta]").next().unwrap_or_default().to_owned()
    };
    let quiet = print(&h100s(2));
    assert_eq!(quiet, print(&h100s(2)));
    assert_eq!(quiet, print(&format!("say NVRM: {{\n{}", h100s(2))));
}
