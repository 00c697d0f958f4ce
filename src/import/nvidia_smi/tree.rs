//! The text of `nvidia-smi -q`: labels, indented below each other.

use std::collections::BTreeMap;

/// Values by the labels above them, in lower case, parted by slashes: `mig mode/current`.
pub(super) type Tree = BTreeMap<String, String>;

/// A whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// What stands above the devices.
    pub(super) head: Tree,
    /// One tree per device. The parts of a list (MIG devices) are numbered: `mig devices/1/index`.
    pub(super) devices: Vec<Tree>,
}

/// How deep labels lie below each other, at most; nvidia-smi's own go to six.
pub(super) const DEPTH: usize = 16;
/// How many devices are read.
pub(super) const DEVICES: usize = 1_024;

/// Reads the lines, for example
///
/// ```text
/// Driver Version                            : 535.104.05
/// GPU 00000000:07:00.0
///     Product Name                          : NVIDIA A100-SXM4-80GB
///     MIG Mode
///         Current                           : Disabled
/// ```
pub(super) fn parse(text: &str) -> Log {
    let mut log = Log::default();
    // The labels above a line, with their indentation.
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut list = 0_usize;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('=') {
            continue;
        }
        if indent == 0
            && line.strip_prefix("GPU ").is_some_and(|rest| rest.contains(':') && !rest.contains(' '))
        {
            if log.devices.len() == DEVICES {
                break;
            }
            log.devices.push(Tree::new());
            above.clear();
            list = 0;
            continue;
        }
        while above.last().is_some_and(|(depth, _)| *depth >= indent) {
            above.pop();
        }
        let tree = match log.devices.last_mut() {
            // Unindented lines behind the devices belong to nothing.
            Some(tree) if indent > 0 => tree,
            Some(_) => continue,
            None => &mut log.head,
        };
        let Some((label, value)) = line.split_once(" :").or_else(|| line.split_once(": ")) else {
            if above.len() < DEPTH {
                above.push((indent, line.trim_end_matches(':').to_ascii_lowercase()));
            }
            continue;
        };
        let label = label.trim().to_ascii_lowercase();
        let in_list = above.first().is_some_and(|(_, name)| name == "mig devices");
        if in_list && label == "index" {
            list += 1;
        }
        let mut path: Vec<String> = above.iter().map(|(_, name)| name.clone()).collect();
        if in_list {
            path.insert(1, list.to_string());
        }
        path.push(label);
        tree.entry(path.join("/")).or_insert_with(|| value.trim().to_owned());
    }
    if !log.head.contains_key("driver version") && log.devices.is_empty() {
        log.head.clear();
    }
    log
}
