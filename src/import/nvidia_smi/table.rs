//! The table that `nvidia-smi` alone prints.

use super::driver;
use crate::host::nvml::NvmlDevice;
use crate::import::{Draft, gpus};

/// Reads the first table in a text; whether there is one.
///
/// ```text
/// | NVIDIA-SMI 535.104.05             Driver Version: 535.104.05   CUDA Version: 12.2     |
/// | GPU  Name                 Persistence-M | Bus-Id        Disp.A | Volatile Uncorr. ECC |
/// |=========================================+======================+======================|
/// |   0  NVIDIA A100-SXM4-80GB          On  | 00000000:07:00.0 Off |                    0 |
/// | N/A   33C    P0              61W / 400W |      4MiB / 81920MiB |      0%      Default |
/// ```
///
/// Long names are cut: `GeForce GTX 108...`; such a name is not recorded.
pub fn read(draft: &mut Draft, text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.contains("NVIDIA-SMI ") || !line.contains("Driver Version:"));
    let Some(head) = lines.next() else { return false };
    let after = |label: &str| head.split_once(label).and_then(|(_, rest)| rest.split_whitespace().next());
    driver(draft, after("Driver Version:"), after("CUDA Version:"));
    let mut devices: Vec<NvmlDevice> = Vec::new();
    for line in lines.take_while(|line| !line.contains("Processes:")).take(16_384) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [first, second, third, ..] = cells.as_slice() else { continue };
        let mut words = first.split_whitespace();
        let is_bus = second.split_whitespace().next().is_some_and(|id| id.matches(':').count() == 2);
        if is_bus {
            let number = words.next().and_then(|n| n.parse::<usize>().ok());
            if number != Some(devices.len()) {
                return true;
            }
            let rest: Vec<&str> = words.collect();
            let (name, persistence) = match rest.split_last() {
                Some((&last @ ("On" | "Off" | "N/A" | "WDDM" | "TCC" | "MCDM"), name)) => {
                    (name.join(" "), last)
                }
                _ => (rest.join(" "), ""),
            };
            devices.push(NvmlDevice {
                name: Some(name).filter(|name| !name.is_empty() && !name.ends_with("...")),
                persistence_mode: matches!(persistence, "On" | "Off").then_some(persistence == "On"),
                pci_bus_id: second.split_whitespace().next().map(str::to_owned),
                // The number counts the errors that were not corrected; without ECC there is none.
                ecc_mode: match *third {
                    "N/A" => None,
                    "Off" => Some(false),
                    count => count.parse::<u64>().ok().map(|_| true),
                },
                ..NvmlDevice::default()
            });
        } else if let Some(device) = devices.last_mut().filter(|d| d.memory_total.is_none()) {
            // `4MiB / 81920MiB`
            let total = second
                .split_once('/')
                .and_then(|(_, total)| total.trim().strip_suffix("MiB")?.parse::<u64>().ok());
            device.memory_total = total.and_then(|mib| mib.checked_mul(1 << 20));
            let mode = third.split_once('%').map(|(_, mode)| mode.trim());
            device.compute_mode = match mode {
                Some("Default") => Some("default"),
                Some("E. Process") => Some("exclusive_process"),
                Some("E. Thread") => Some("exclusive_thread"),
                Some("Prohibited") => Some("prohibited"),
                _ => None,
            }
            .map(str::to_owned);
        }
    }
    if !devices.is_empty() {
        gpus::nvidia(draft, &devices, true);
    }
    true
}
