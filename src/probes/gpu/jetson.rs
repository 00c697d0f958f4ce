//! NVIDIA's integrated GPUs (Tegra, Jetson), which older releases have no NVML for.

use super::Sink;
use super::products::{self, Product};
use crate::probes::Context;

/// A Jetson module or developer kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Jetson {
    /// The device tree's model.
    pub(super) model: String,
    /// Compute capability by the chip.
    pub(super) capability: Option<&'static str>,
    /// The product of the table.
    pub(super) product: Option<Product>,
    /// `36.4.0`: the release of Jetson Linux (L4T).
    release: Option<String>,
}

/// The Jetson that this is, if it is one.
pub(super) fn find(cx: &Context) -> Option<Jetson> {
    let tree = |name: &str| {
        let text = cx.host.maybe(format!("/proc/device-tree/{name}"));
        text.or_else(|| cx.host.maybe(format!("/sys/firmware/devicetree/base/{name}")))
    };
    // A list of strings, each ended by NUL: `nvidia,p3737-0000+p3701-0005\0nvidia,p3701-0005\0nvidia,tegra234`.
    let compatible = tree("compatible")?;
    let chip = compatible.split('\0').find_map(|word| word.strip_prefix("nvidia,tegra"))?;
    let model = tree("model").unwrap_or_default().trim_matches('\0').trim().to_owned();
    let product = products::by_name(&model);
    let release = cx.host.maybe("/etc/nv_tegra_release").as_deref().and_then(parse_release);
    Some(Jetson { capability: capability(chip.trim()), product, release, model })
}

impl Jetson {
    /// Records what belongs to the driver.
    pub(super) fn driver(&self, out: &Sink) {
        out.set_opt("driver.l4t", self.release.clone());
    }
}

/// The compute capability by the chip: developer.nvidia.com/cuda-gpus, Jetson products.
fn capability(chip: &str) -> Option<&'static str> {
    Some(match chip {
        "210" => "5.3",
        "186" => "6.2",
        "194" => "7.2",
        "234" => "8.7",
        "264" => "11.0",
        _ => return None,
    })
}

/// `# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, EABI: aarch64, DATE: …` → `36.4.0`.
fn parse_release(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("# R"))?;
    let major = line.strip_prefix("# R")?.split_whitespace().next()?;
    let minor = line.split_once("REVISION:")?.1.split(',').next()?.trim();
    Some(format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_major_and_revision() {
        let text = "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, EABI: aarch64";
        assert_eq!(parse_release(text).as_deref(), Some("36.4.0"));
        assert_eq!(parse_release("nonsense"), None);
    }
}
