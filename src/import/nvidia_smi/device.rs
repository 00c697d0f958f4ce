//! One device of the log as NVML would describe it.

use super::tree::Tree;
use crate::host::nvml::{NvmlDevice, NvmlMig};

/// Reads the tree of either form; what is not there, or `N/A`, or in an unknown form is `None`.
pub(super) fn of(tree: &Tree) -> NvmlDevice {
    let get = |names: &[&str]| {
        names.iter().find_map(|name| tree.get(*name)).map(String::as_str).filter(|value| known(value))
    };
    let text = |names: &[&str]| get(names).map(str::to_owned);
    let lower = |names: &[&str]| get(names).map(|v| v.to_ascii_lowercase().replace([' ', '-'], "_"));
    let on = |names: &[&str]| get(names).and_then(enabled);
    let number = |names: &[&str]| get(names).and_then(leading).and_then(|n| u32::try_from(n).ok());
    let mib =
        |names: &[&str]| get(names).filter(|v| v.ends_with("MiB")).and_then(leading)?.checked_mul(1 << 20);
    let watts = |names: &[&str]| get(names).and_then(milliwatts);
    let hex = |names: &[&str]| {
        let digits = get(names)?;
        u32::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok()
    };
    NvmlDevice {
        name: text(&["product name", "product_name"]),
        uuid: text(&["gpu uuid", "uuid"]),
        serial: text(&["serial number", "serial"]),
        brand: lower(&["product brand", "product_brand"]),
        architecture: lower(&["product architecture", "product_architecture"])
            .map(|name| if name == "ada_lovelace" { "ada".to_owned() } else { name }),
        memory_total: mib(&["fb memory usage/total", "fb_memory_usage/total"]),
        memory_used: mib(&["fb memory usage/used", "fb_memory_usage/used"]),
        mig_mode: on(&["mig mode/current", "mig_mode/current_mig"]),
        mig_mode_pending: on(&["mig mode/pending", "mig_mode/pending_mig"]),
        mig: mig(tree),
        ecc_mode: on(&["ecc mode/current", "ecc_mode/current_ecc"]),
        ecc_mode_pending: on(&["ecc mode/pending", "ecc_mode/pending_ecc"]),
        retired_pages_single_bit: number(&[
            "retired pages/single bit ecc",
            "retired_pages/multiple_single_bit_retirement/retired_count",
        ]),
        retired_pages_double_bit: number(&[
            "retired pages/double bit ecc",
            "retired_pages/double_bit_retirement/retired_count",
        ]),
        retired_pages_pending: on(&[
            "retired pages/pending page blacklist",
            "retired pages/pending",
            "retired_pages/pending_retirement",
            "retired_pages/pending_blacklist",
        ]),
        remapped_rows_correctable: number(&[
            "remapped rows/correctable error",
            "remapped_rows/remapped_row_corr",
        ]),
        remapped_rows_uncorrectable: number(&[
            "remapped rows/uncorrectable error",
            "remapped_rows/remapped_row_unc",
        ]),
        remapped_rows_pending: on(&["remapped rows/pending", "remapped_rows/remapped_row_pending"]),
        remapped_rows_failure: on(&[
            "remapped rows/remapping failure occurred",
            "remapped_rows/remapped_row_failure",
        ]),
        compute_mode: lower(&["compute mode", "compute_mode"]),
        persistence_mode: on(&["persistence mode", "persistence_mode"]),
        virtualization_mode: tree
            .get("gpu virtualization mode/virtualization mode")
            .or_else(|| tree.get("gpu_virtualization_mode/virtualization_mode"))
            .and_then(|mode| virtualization(mode))
            .map(str::to_owned),
        gsp_firmware: text(&["gsp firmware version", "gsp_firmware_version"]),
        power_limit_mw: watts(&[
            "gpu power readings/current power limit",
            "gpu power readings/requested power limit",
            "power readings/requested power limit",
            "power readings/power limit",
            "gpu_power_readings/current_power_limit",
            "gpu_power_readings/requested_power_limit",
            "power_readings/requested_power_limit",
            "power_readings/power_limit",
        ]),
        power_limit_default_mw: watts(&[
            "gpu power readings/default power limit",
            "power readings/default power limit",
            "gpu_power_readings/default_power_limit",
            "power_readings/default_power_limit",
        ]),
        application_clock_graphics_mhz: number(&[
            "applications clocks/graphics",
            "applications_clocks/graphics_clock",
        ]),
        application_clock_memory_mhz: number(&[
            "applications clocks/memory",
            "applications_clocks/mem_clock",
        ]),
        max_clock_sm_mhz: number(&["max clocks/sm", "max_clocks/sm_clock"]),
        max_clock_memory_mhz: number(&["max clocks/memory", "max_clocks/mem_clock"]),
        vbios_version: text(&["vbios version", "vbios_version"]),
        pci_bus_id: text(&["pci/bus id", "pci/pci_bus_id"]),
        pci_device_id: hex(&["pci/device id", "pci/pci_device_id"]),
        pci_subsystem_id: hex(&["pci/sub system id", "pci/pci_sub_system_id"]),
        pcie_gen: number(&[
            "pci/gpu link info/pcie generation/current",
            "pci/pci_gpu_link_info/pcie_gen/current_link_gen",
        ]),
        pcie_gen_max: number(&[
            "pci/gpu link info/pcie generation/max",
            "pci/pci_gpu_link_info/pcie_gen/max_link_gen",
        ]),
        pcie_width: number(&[
            "pci/gpu link info/link width/current",
            "pci/pci_gpu_link_info/link_widths/current_link_width",
        ]),
        pcie_width_max: number(&[
            "pci/gpu link info/link width/max",
            "pci/pci_gpu_link_info/link_widths/max_link_width",
        ]),
        ecc_uncorrected_volatile: uncorrected(tree, "volatile"),
        ecc_uncorrected_aggregate: uncorrected(tree, "aggregate"),
        fabric_state: lower(&["fabric/state", "fabric/state"])
            .filter(|s| matches!(s.as_str(), "not_started" | "in_progress" | "completed")),
        ..NvmlDevice::default()
    }
}

/// Whether nvidia-smi says anything: it writes `N/A` for what NVML does not support, and names errors in brackets.
fn known(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with('[')
        && !matches!(value, "N/A" | "None" | "Unknown Error" | "Not Supported")
}

fn enabled(value: &str) -> Option<bool> {
    match value {
        "Enabled" | "Yes" | "Active" => Some(true),
        "Disabled" | "No" | "Not Active" => Some(false),
        _ => None,
    }
}

/// The number before a unit: `81920 MiB`, `16x`, `1410 MHz`.
fn leading(value: &str) -> Option<u64> {
    let digits: &str = &value[..value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len())];
    digits.parse().ok()
}

/// The uncorrected memory errors of a kind: the sum over the kinds of memory (since Turing), or the total of double bit
/// errors (before).
fn uncorrected(tree: &Tree, kind: &str) -> Option<u64> {
    let prefixes = [format!("ecc errors/{kind}/"), format!("ecc_errors/{kind}/")];
    let of = |names: &dyn Fn(&str) -> bool| {
        let values = tree.iter().filter(|(key, _)| {
            prefixes.iter().any(|prefix| key.strip_prefix(prefix.as_str()).is_some_and(names))
        });
        values.filter_map(|(_, value)| leading(value)).reduce(u64::saturating_add)
    };
    let new = of(&|name| !name.contains('/') && name.contains("uncorrectable"));
    new.or_else(|| of(&|name| matches!(name, "double bit/total" | "double_bit/total")))
}

/// `400.00 W`.
fn milliwatts(value: &str) -> Option<u32> {
    let (whole, part) = value.strip_suffix('W')?.trim().split_once('.')?;
    let part: u32 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(1_000)?.checked_add(part)
}

/// nvidia-smi's name of the mode as driftlock writes it.
fn virtualization(value: &str) -> Option<&'static str> {
    Some(match value.to_ascii_lowercase().as_str() {
        "none" => "none",
        "pass-through" | "passthrough" => "passthrough",
        "vgpu" => "vgpu",
        "host vgpu" => "host_vgpu",
        "host vsga" => "host_vsga",
        _ => return None,
    })
}

/// The MIG devices.
fn mig(tree: &Tree) -> Vec<NvmlMig> {
    let mut all = Vec::new();
    for n in 1..=64 {
        let get = |names: [&str; 2]| {
            let [text, xml] = names;
            let value = tree.get(&format!("mig devices/{n}/{text}"));
            value.or_else(|| tree.get(&format!("mig_devices/{n}/{xml}"))).and_then(|v| leading(v))
        };
        let number = |names| get(names).and_then(|v| u32::try_from(v).ok());
        let Some(index) = number(["index", "index"]) else { break };
        let sms = [
            "device attributes/shared/multiprocessor count",
            "device_attributes/shared/multiprocessor_count",
        ];
        all.push(NvmlMig {
            index,
            gi: number(["gpu instance id", "gpu_instance_id"]),
            ci: number(["compute instance id", "compute_instance_id"]),
            sm_count: number(sms),
            memory_total: get(["fb memory usage/total", "fb_memory_usage/total"])
                .and_then(|n| n.checked_mul(1 << 20)),
            ..NvmlMig::default()
        });
    }
    all
}
