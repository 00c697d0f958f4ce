//! The labelled lines of a dump.

use std::collections::BTreeMap;

use crate::import::text;

/// What a line of collect_env is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) enum Label {
    /// `torch.__version__`.
    Torch,
    /// `torch.version.debug`.
    Debug,
    /// `torch.version.cuda`.
    Cuda,
    /// `torch.version.hip`.
    Rocm,
    /// `torch.version.xpu`.
    Xpu,
    /// The distribution.
    Os,
    /// gcc.
    Gcc,
    /// clang.
    Clang,
    /// cmake.
    Cmake,
    /// `platform.libc_ver()`.
    Libc,
    /// `sys.version`.
    Python,
    /// `platform.platform()`.
    Platform,
    /// `torch.cuda.is_available()`.
    CudaAvailable,
    /// The release that nvcc gives; called the run time's.
    Runtime,
    /// `CUDA_MODULE_LOADING` after `torch.cuda.init()`, which sets it.
    ModuleLoading,
    /// `nvidia-smi -L`, or the current device of a HIP build.
    Gpus,
    /// The header of `nvidia-smi`.
    Driver,
    /// Files that ldconfig knows; not what torch loads.
    Cudnn,
    /// Of torch's build.
    Hip,
    /// Of torch's build.
    Miopen,
    /// `torch.backends.xnnpack.enabled`.
    Xnnpack,
    /// `torch.xpu.is_available()`.
    XpuAvailable,
    /// Packages of Intel's driver, devices.
    Intel,
    /// `PYTORCH_CUDA_ALLOC_CONF`.
    Allocator,
    /// lscpu, wmic or sysctl.
    Cpu,
    /// `pip list` and `conda list`, filtered.
    Libraries,
    /// `hipcc --version`.
    Hipcc,
    /// AWS Neuron.
    Neuron,
    /// vLLM's own.
    Vllm,
    /// vLLM: variables of the build.
    BuildFlags,
    /// `nvidia-smi topo -m`.
    Topology,
    /// The legend behind it.
    Legend,
    /// vLLM: variables.
    Variables,
    /// A heading, or what belongs to nothing.
    Other,
}

/// The labels as they are written. Those with `true` are so distinct that they are known in the middle of a line, too.
const LABELS: [(&str, Label, bool); 46] = [
    ("PyTorch version", Label::Torch, true),
    ("Is debug build", Label::Debug, true),
    ("CUDA used to build PyTorch", Label::Cuda, true),
    ("ROCM used to build PyTorch", Label::Rocm, true),
    ("XPU used to build PyTorch", Label::Xpu, true),
    ("OS", Label::Os, false),
    ("GCC version", Label::Gcc, true),
    ("Clang version", Label::Clang, true),
    ("CMake version", Label::Cmake, true),
    ("Libc version", Label::Libc, true),
    ("Python version", Label::Python, true),
    ("Python platform", Label::Platform, true),
    ("Is CUDA available", Label::CudaAvailable, true),
    ("CUDA runtime version", Label::Runtime, true),
    ("CUDA_MODULE_LOADING set to", Label::ModuleLoading, true),
    ("GPU models and configuration", Label::Gpus, true),
    ("Nvidia driver version", Label::Driver, true),
    ("cuDNN version", Label::Cudnn, true),
    ("HIP runtime version", Label::Hip, true),
    ("MIOpen runtime version", Label::Miopen, true),
    ("Is XNNPACK available", Label::Xnnpack, true),
    ("Is XPU available", Label::XpuAvailable, true),
    ("Intel GPU driver version", Label::Intel, true),
    ("Intel GPU models onboard", Label::Intel, true),
    ("Intel GPU models detected", Label::Intel, true),
    ("Intel GPU models", Label::Intel, true),
    ("Intel Graphics Compiler version", Label::Intel, true),
    ("Caching allocator config", Label::Allocator, true),
    ("CPU", Label::Cpu, false),
    ("CPU Info", Label::Cpu, false),
    ("Versions of relevant libraries", Label::Libraries, true),
    ("ROCM Version", Label::Hipcc, true),
    ("Neuron SDK Version", Label::Neuron, true),
    ("vLLM Version", Label::Vllm, true),
    ("Aphrodite Version", Label::Other, true),
    ("vLLM Build Flags", Label::BuildFlags, true),
    ("GPU Topology", Label::Topology, true),
    ("Legend", Label::Legend, false),
    ("NIC Legend", Label::Legend, false),
    ("Environment Variables", Label::Variables, false),
    ("System Info", Label::Other, false),
    ("PyTorch Info", Label::Other, false),
    ("Python Environment", Label::Other, false),
    ("CUDA / GPU Info", Label::Other, false),
    ("vLLM Info", Label::Other, false),
    ("Intel XPU / GPU Info", Label::Other, false),
];

/// The fields of a dump; of a label that comes twice (two dumps in one text), the first.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct Fields<'a> {
    /// The label as it is written, what stands on its line, and the lines behind it.
    found: BTreeMap<Label, (&'static str, &'a str, Vec<&'a str>)>,
    last: Option<Label>,
}

impl<'a> Fields<'a> {
    /// Reads the lines of a cleaned text.
    pub(in crate::import) fn parse(text: &'a str) -> Self {
        let mut fields = Self::default();
        // A label that was seen before takes nothing more.
        let mut open = None;
        for line in text.lines().flat_map(cut) {
            match label(line) {
                Some((name, label, value)) => {
                    let new = !fields.found.contains_key(&label);
                    open = Some(label).filter(|_| new);
                    if new {
                        fields.found.insert(label, (name, value, Vec::new()));
                        fields.last = Some(label);
                    }
                }
                None => {
                    if let Some((_, _, lines)) = open.and_then(|label| fields.found.get_mut(&label)) {
                        lines.push(line);
                    }
                }
            }
        }
        fields
    }

    /// Whether there is nothing of collect_env in the text.
    pub(in crate::import) fn is_empty(&self) -> bool {
        self.found
            .keys()
            .all(|label| matches!(label, Label::Other | Label::Cpu | Label::Legend | Label::Variables))
    }

    /// What stands on the line of the label.
    pub(in crate::import) fn get(&self, label: Label) -> Option<&'a str> {
        self.found.get(&label).map(|(_, value, _)| *value)
    }

    /// The lines below the label, up to the next one.
    pub(in crate::import) fn block(&self, label: Label) -> &[&'a str] {
        self.found.get(&label).map_or(&[], |(_, _, lines)| lines)
    }

    /// Whether anything of the dump follows this label, so that its lines are all there.
    pub(in crate::import) fn follows(&self, label: Label) -> bool {
        self.last.is_some_and(|last| last != label)
    }

    /// The short fields in the dump's words, with the lines below joined where they belong to the value.
    pub(in crate::import) fn words(&self) -> Vec<(&'static str, String)> {
        let whole = |label: Label, value: &str, lines: &[&str]| match label {
            Label::Gpus | Label::Cudnn | Label::Intel => {
                let lines = lines.iter().map(|line| line.trim()).take(256);
                let all = [value]
                    .into_iter()
                    .chain(lines)
                    .filter(|line| !line.is_empty() && !line.starts_with("=="));
                all.collect::<Vec<_>>().join("\n")
            }
            _ => value.to_owned(),
        };
        let long = [
            Label::Cpu,
            Label::Libraries,
            Label::Topology,
            Label::Legend,
            Label::Variables,
            Label::Other,
            Label::BuildFlags,
        ];
        let short = self.found.iter().filter(|(label, _)| !long.contains(label));
        short.map(|(label, (name, value, lines))| (*name, whole(*label, value, lines))).collect()
    }
}

/// The label that a line begins with, and the value behind it.
fn label(line: &str) -> Option<(&'static str, Label, &str)> {
    // A line of flags, or of a program, is no label: nothing below looks further than the longest one.
    let heading = text::unmarked(line).trim_end_matches(['*', '`', ' ', ':']);
    let bare = |(name, label, _): &(&'static str, Label, bool)| {
        let alone = matches!(label, Label::Cpu | Label::Libraries | Label::Variables | Label::Other);
        (alone && *name == heading && *name != "CPU").then_some((*name, *label, ""))
    };
    if let Some(found) = LABELS.iter().find_map(bare) {
        return Some(found);
    }
    let (key, value) = text::pair(line)?;
    let (name, label, _) = LABELS.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(key))?;
    // lscpu in Chinese has `CPU:  32`; the heading stands alone.
    let is_heading = *label == Label::Cpu;
    (!is_heading || value.is_empty()).then_some((*name, *label, value))
}

/// A line cut before every label in it: a paste may lose its line ends, and vLLM wrote no line end before some of its
/// labels.
fn cut(line: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = Vec::new();
    for (name, label, distinct) in LABELS {
        if !distinct {
            continue;
        }
        for (at, _) in line.match_indices(name) {
            let behind = line[at + name.len()..].trim_start_matches([' ', '*']);
            let before = line[..at].chars().next_back();
            // `pypiROCM Version: …`: this label alone follows without white space.
            let apart = before.is_some_and(char::is_whitespace) || label == Label::Hipcc;
            if at > 0 && apart && behind.starts_with(':') {
                cuts.push(at);
            }
        }
    }
    if cuts.is_empty() {
        return vec![line];
    }
    // Only where the line ends were lost do the short labels stand in the middle.
    let also = [" OS: ", " [pip] ", " [pip3] ", " [conda] ", " CPU: Architecture"];
    cuts.extend(also.iter().flat_map(|mark| line.match_indices(mark).map(|(at, _)| at + 1)));
    cuts.sort_unstable();
    cuts.dedup();
    let ends = cuts.iter().copied().chain([line.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts.zip(ends).map(|(start, end)| line[start..end].trim_end()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_together_lines_and_headings() {
        let text = "Collecting… PyTorch version: 1.1.0 Is debug build: No CUDA used to build PyTorch: 9.0 OS: Ubuntu 18.04 GCC \
                    version: 7\n[conda] a 1 pypiROCM Version: x\nvLLM Version : 0.9\n== x ==\nCPU Info\n======\nCPU: 32\n型号：3\nOS: other\n";
        let fields = Fields::parse(text);
        assert_eq!(fields.get(Label::Torch), Some("1.1.0"));
        assert_eq!(fields.get(Label::Cuda), Some("9.0"));
        assert_eq!(fields.get(Label::Os), Some("Ubuntu 18.04"));
        assert_eq!((fields.get(Label::Hipcc), fields.get(Label::Vllm)), (Some("x"), Some("0.9")));
        assert_eq!(fields.block(Label::Cpu), ["======", "CPU: 32", "型号：3"]);
        assert!(Fields::parse("CPU:\nx\nLegend: y").is_empty());
    }
}
