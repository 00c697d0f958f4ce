//! CPU lists as the kernel writes them: `0-3,8` (cpuset(7), "List format").

/// Parses a CPU list. Strides (`0-30:2/4`) are only read by the kernel, never written, and give `None`, as does
/// everything else that is no list; numbers above 2^20 likewise, so that a hostile file costs nothing.
pub(super) fn parse(text: &str) -> Option<Vec<u32>> {
    const MAX: u32 = 1 << 20;
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|p| !p.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        if first > last || last > MAX {
            return None;
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

/// Writes ascending CPU numbers as a list.
pub(super) fn format(cpus: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(cpu) => *last = cpu,
            _ => runs.push((cpu, cpu)),
        }
    }
    let run = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_and_write() {
        for text in ["0", "0-3,8", "1,3,5-7", "0-223", ""] {
            assert_eq!(parse(text).map(|cpus| format(&cpus)).as_deref(), Some(text));
        }
        assert_eq!(parse("8,0-3,2\n"), Some(vec![0, 1, 2, 3, 8]));
        for text in ["3-1", "a", "0-4294967295", "0-30:2/4", "-1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
