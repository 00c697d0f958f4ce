//! GPUs on the PCI bus, by sysfs.

use std::io;
use std::path::{Path, PathBuf};

use crate::host::Host;

/// Where the kernel lists PCI devices (`Documentation/ABI/testing/sysfs-bus-pci`).
pub(super) const DEVICES: &str = "/sys/bus/pci/devices";

/// Makers of GPUs that compute, by PCI vendor id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Nvidia,
    Amd,
    Intel,
}

impl Vendor {
    fn of(id: u16) -> Option<Self> {
        match id {
            0x10de => Some(Self::Nvidia),
            0x1002 => Some(Self::Amd),
            0x8086 => Some(Self::Intel),
            _ => None,
        }
    }

    /// The name as the fact `gpu.*.vendor` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia",
            Self::Amd => "amd",
            Self::Intel => "intel",
        }
    }
}

/// A GPU on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PciGpu {
    /// `0000:18:00.0`.
    pub(super) address: String,
    pub(super) vendor: Vendor,
    pub(super) vendor_id: u16,
    pub(super) device_id: u16,
    /// Subsystem vendor and device.
    pub(super) subsystem: Option<(u16, u16)>,
    /// The kernel driver that holds it.
    pub(super) driver: Option<String>,
    pub(super) numa_node: Option<i64>,
}

impl PciGpu {
    /// Its folder in sysfs.
    pub(super) fn folder(&self) -> PathBuf {
        Path::new(DEVICES).join(&self.address)
    }
}

/// The GPUs of the makers we know, sorted by address. None where there is no PCI bus.
pub(super) fn scan(host: &dyn Host) -> io::Result<Vec<PciGpu>> {
    let entries = match host.list(Path::new(DEVICES)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(entries.into_iter().filter_map(|entry| inspect(host, entry.name)).collect())
}

fn inspect(host: &dyn Host, address: String) -> Option<PciGpu> {
    let folder = Path::new(DEVICES).join(&address);
    let number = |name: &str| host.maybe(folder.join(name)).as_deref().and_then(parse_hex);
    // Class 03 is a display controller, 12 a processing accelerator (AMD Instinct since MI300): PCI Code and ID
    // Assignment Specification.
    let class = number("class")?;
    if !matches!(class >> 16, 0x03 | 0x12) {
        return None;
    }
    let id = |name: &str| number(name).and_then(|n| u16::try_from(n).ok());
    let vendor_id = id("vendor")?;
    let vendor = Vendor::of(vendor_id)?;
    // Intel's accelerators of class 12 are no GPUs.
    if vendor == Vendor::Intel && class >> 16 == 0x12 {
        return None;
    }
    let driver = host.read_link(&folder.join("driver")).ok();
    Some(PciGpu {
        vendor,
        vendor_id,
        device_id: id("device")?,
        subsystem: id("subsystem_vendor").zip(id("subsystem_device")),
        driver: driver.and_then(|link| Some(link.file_name()?.to_str()?.to_owned())),
        // -1: the platform does not say.
        numa_node: host.maybe(folder.join("numa_node")).and_then(|n| n.parse().ok()).filter(|n| *n >= 0),
        address,
    })
}

/// `0x10de` → 4318.
fn parse_hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// NVML's `00000000:18:00.0` and the kernel's `0000:18:00.0` as the kernel's, lower case.
pub(super) fn address(bus_id: &str) -> String {
    let lower = bus_id.trim().to_ascii_lowercase();
    match lower.split_once(':') {
        Some((domain, rest)) if domain.len() == 8 => match domain.strip_prefix("0000") {
            Some(short) => format!("{short}:{rest}"),
            None => lower,
        },
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bus_ids_of_nvml_and_the_kernel_are_one() {
        assert_eq!(address("00000000:18:00.0"), "0000:18:00.0");
        assert_eq!(address("0000:C1:00.0"), "0000:c1:00.0");
        assert_eq!(address("00010000:01:00.0"), "00010000:01:00.0");
        assert_eq!(address("nonsense"), "nonsense");
        assert_eq!(parse_hex("0x030200"), Some(0x03_0200));
        assert_eq!(parse_hex("30200"), None);
    }
}
