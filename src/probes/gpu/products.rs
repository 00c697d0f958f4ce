//! What is known of a GPU by its PCI id or name, where the driver does not say it. The data is in `products.tsv` and
//! `mig.tsv`, with the source of every row.

/// A product of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Product {
    /// The first name of the row.
    pub(super) name: &'static str,
    /// `MAJOR.MINOR`.
    pub(super) capability: Option<&'static str>,
    /// Streaming multiprocessors of the whole device.
    pub(super) sm_count: Option<u32>,
}

static PRODUCTS: &str = include_str!("products.tsv");
static MIG: &str = include_str!("mig.tsv");

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

fn product(row: &[&'static str]) -> Option<Product> {
    let [_, names, capability, sm_count, _] = row else {
        return None;
    };
    Some(Product {
        name: names.split('|').next()?,
        capability: Some(*capability).filter(|text| *text != "-"),
        sm_count: sm_count.parse().ok(),
    })
}

/// The product of a PCI vendor and device id.
pub(super) fn by_pci(vendor: u16, device: u16) -> Option<Product> {
    let id = format!("{vendor:04x}:{device:04x}");
    rows(PRODUCTS)
        .find(|row| row.first().is_some_and(|ids| ids.split(',').any(|i| i == id)))
        .and_then(|r| product(&r))
}

/// The product of a name as NVML, `/proc/driver/nvidia` or a device tree writes it; drivers before R455 leave out
/// `NVIDIA`.
pub(super) fn by_name(name: &str) -> Option<Product> {
    let short = |text: &str| text.strip_prefix("NVIDIA ").unwrap_or(text).to_ascii_lowercase();
    let name = short(name.trim());
    rows(PRODUCTS)
        .find(|row| row.get(1).is_some_and(|names| names.split('|').any(|n| short(n) == name)))
        .and_then(|row| product(&row))
}

/// The SMs of a MIG profile of a GPU of this compute capability; `+me` and the like do not change them.
pub(super) fn mig_sm_count(capability: &str, profile: &str) -> Option<u32> {
    let profile = profile.split('+').next()?;
    rows(MIG).find_map(|row| match row.as_slice() {
        [c, p, sms] if *c == capability && *p == profile => sms.parse().ok(),
        _ => None,
    })
}

/// CUDA cores (FP32 lanes) of one SM: CUDA samples, `helper_cuda.h`, `_ConvertSMVer2Cores`.
pub(super) fn cores_per_sm(capability: &str) -> Option<u32> {
    Some(match capability {
        "3.0" | "3.2" | "3.5" | "3.7" => 192,
        "6.0" | "7.0" | "7.2" | "7.5" | "8.0" => 64,
        "5.0" | "5.2" | "5.3" | "6.1" | "6.2" | "8.6" | "8.7" | "8.9" | "9.0" | "10.0" | "10.3" | "11.0"
        | "12.0" | "12.1" => 128,
        _ => return None,
    })
}

/// Resident threads of one SM (`cudaDeviceProp::maxThreadsPerMultiProcessor`): CUDA Programming Guide, "Compute
/// Capabilities", technical specifications; the newer ones also in CCCL's `cuda/__device/arch_traits.h`.
pub(super) fn max_threads_per_sm(capability: &str) -> Option<u32> {
    Some(match capability {
        "7.5" => 1024,
        "8.6" | "8.7" | "8.9" | "11.0" | "12.0" | "12.1" => 1536,
        "3.0" | "3.2" | "3.5" | "3.7" | "5.0" | "5.2" | "5.3" | "6.0" | "6.1" | "6.2" | "7.0" | "7.2"
        | "8.0" | "9.0" | "10.0" | "10.3" => 2048,
        _ => return None,
    })
}

/// The architecture's name, as `nvmlDeviceGetArchitecture` would say it.
pub(super) fn architecture(capability: &str) -> Option<&'static str> {
    Some(match capability.split_once('.')? {
        ("3", _) => "kepler",
        ("5", _) => "maxwell",
        ("6", _) => "pascal",
        ("7", "5") => "turing",
        ("7", _) => "volta",
        ("8", "9") => "ada",
        ("8", _) => "ampere",
        ("9", _) => "hopper",
        ("10" | "11" | "12", _) => "blackwell",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_whole_and_no_id_or_name_is_there_twice() {
        let mut seen = BTreeSet::new();
        for row in rows(PRODUCTS) {
            let product = product(&row).unwrap_or_else(|| panic!("{row:?}"));
            let keys = row[0].split(',').filter(|id| *id != "-").chain(row[1].split('|'));
            keys.for_each(|key| assert!(seen.insert(key), "{key} is there twice"));
            assert!(!row[4].is_empty(), "{row:?} has no source");
            if let Some(capability) = product.capability {
                assert!(product.sm_count.is_some_and(|n| (1..=256).contains(&n)), "{row:?}");
                assert!(cores_per_sm(capability).is_some(), "{row:?}");
                assert!(max_threads_per_sm(capability).is_some(), "{row:?}");
                assert!(architecture(capability).is_some(), "{row:?}");
            }
        }
        for row in rows(MIG) {
            assert!(mig_sm_count(row[0], row[1]).is_some(), "{row:?}");
        }
    }

    #[test]
    fn products_are_found_by_id_and_by_old_and_new_names() {
        assert_eq!(by_pci(0x10de, 0x2331).unwrap().sm_count, Some(114));
        assert_eq!(by_pci(0x10de, 0xffff), None);
        assert_eq!(by_name("A100-SXM4-40GB").unwrap().sm_count, Some(108));
        assert_eq!(by_name("NVIDIA T4"), None);
        assert_eq!(by_name("NVIDIA Jetson AGX Orin Developer Kit").unwrap().capability, Some("8.7"));
        assert_eq!(mig_sm_count("9.0", "1g.10gb+me"), Some(16));
        assert_eq!(mig_sm_count("8.0", "1g.10gb"), Some(14));
        assert_eq!(mig_sm_count("8.0", "1c.3g.20gb"), None);
    }
}
