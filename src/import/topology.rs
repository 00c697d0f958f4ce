//! `nvidia-smi topo -m`: how near the GPUs are to each other.

use super::Draft;

/// Records `gpu.N.topology` where the table names the level of every pair. A pair that NVLinks join (`NV4`) has a
/// level too, which the table does not name.
///
/// ```text
///         GPU0    GPU1    CPU Affinity    NUMA Affinity
/// GPU0     X      PIX     0-31    0
/// GPU1    PIX      X      0-31    0
/// ```
pub fn read<'a>(draft: &mut Draft, lines: impl Iterator<Item = &'a str>) {
    let rows: Vec<Vec<&str>> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| row.len() > 1)
        .take(1_024)
        .collect();
    let gpu = |word: &str| word.strip_prefix("GPU")?.parse::<u32>().ok();
    let Some(head) =
        rows.iter().find(|row| row.iter().take_while(|w| gpu(w).is_some()).count() > 0 && row[0] != row[1])
    else {
        return;
    };
    let count = head.iter().take_while(|word| gpu(word).is_some()).count();
    // A row begins with its device, the header with the first of the columns.
    let body = rows.iter().filter(|row| gpu(row[0]).is_some() && gpu(row[1]).is_none());
    let mut levels = Vec::new();
    for (n, row) in body.enumerate() {
        if gpu(row[0]) != u32::try_from(n).ok() {
            return;
        }
        let row: Option<Vec<&str>> = row.iter().skip(1).take(count).map(|word| level(word)).collect();
        levels.push(row);
    }
    // Of devices that the list of devices does not have, the table says too little.
    if levels.len() != count || !(0..count).all(|n| draft.has(&format!("gpu.{n}.vendor"))) {
        return;
    }
    for (n, row) in levels.into_iter().enumerate() {
        match row {
            Some(row) if row.len() == count => draft.set(&format!("gpu.{n}.topology"), row),
            _ => {}
        }
    }
}

/// NVML's name of the level (`nvmlGpuTopologyLevel_t`).
fn level(word: &str) -> Option<&'static str> {
    Some(match word {
        "X" => "self",
        "PIX" => "single",
        "PXB" => "multiple",
        "PHB" => "hostbridge",
        "NODE" => "node",
        "SYS" => "system",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        let text = "\tGPU0\tGPU1\tNIC0\tCPU Affinity\nGPU0\t X \tPIX\tSYS\t0-31\nGPU1\tPIX\t X \tNODE\t0-31\nNIC0\tSYS\tNODE\t X \n";
        let mut draft = Draft::new("test");
        read(&mut draft, text.lines());
        assert!(!draft.has("gpu.1.topology"));
        draft.set("gpu.0.vendor", "nvidia");
        draft.set("gpu.1.vendor", "nvidia");
        read(&mut draft, text.lines());
        assert_eq!(draft.get("gpu.1.topology"), Some(&vec!["single", "self"].into()));
        let mut draft = Draft::new("test");
        read(&mut draft, text.replace("PIX", "NV12").lines());
        assert!(!draft.has("gpu.0.topology"));
        read(&mut draft, ["GPU0 GPU1", "GPU0 X", "a b"].into_iter());
    }
}
