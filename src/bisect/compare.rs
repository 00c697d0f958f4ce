//! Whether two runs gave the same.

use std::fs;
use std::path::Path;

use super::cache::Seen;
use super::prober::STDOUT;
use super::start::End;
use crate::outputs;
use crate::outputs::compare::{Report, Standing, exact};

/// Whether a run ended well and wrote everything that was asked for.
pub fn whole(seen: &Seen) -> bool {
    seen.end == End::Code(0) && seen.missing.is_empty()
}

/// Whether two runs gave the same: bit by bit, or within `tolerance` where what they wrote is kept in these folders.
/// Runs that failed gave the same where they ended in the same way.
pub fn same(a: &Seen, b: &Seen, tolerance: Option<f64>, kept: [&Path; 2]) -> bool {
    if a.end != b.end || a.missing != b.missing {
        return false;
    }
    if a.end != End::Code(0) || a.digest == b.digest {
        return true;
    }
    match tolerance {
        Some(tolerance) => close(kept, tolerance),
        None => false,
    }
}

/// Whether everything that two runs wrote is within a tolerance: `norm(a - b) / max(norm(a), norm(b))` of each tensor,
/// `|a - b| / max(|a|, |b|)` of each number of a text.
fn close([a, b]: [&Path; 2], tolerance: f64) -> bool {
    let (x, y) = (a.join(STDOUT), b.join(STDOUT));
    if x.is_file() && y.is_file() {
        return match (fs::read_to_string(x), fs::read_to_string(y)) {
            (Ok(x), Ok(y)) => close_text(&x, &y, tolerance),
            _ => false,
        };
    }
    let Ok(report) = exact(a, b, &outputs::Options::default()) else {
        return false;
    };
    report.files.iter().all(|file| match file.standing {
        Standing::Repacked => true,
        Standing::Changed if file.tensors.is_empty() => {
            let texts = [a, b].map(|dir| fs::read_to_string(dir.join(&file.name)));
            matches!(texts, [Ok(x), Ok(y)] if close_text(&x, &y, tolerance))
        }
        Standing::Changed => file.tensors.iter().all(|t| {
            let figures = t.figures.as_ref();
            t.standing == Standing::Changed
                && figures.is_some_and(|f| f.relative <= tolerance && f.nonfinite == 0)
        }),
        _ => false,
    })
}

/// Whether two texts agree in all but their numbers, and in these within a tolerance.
fn close_text(a: &str, b: &str, tolerance: f64) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_whitespace() || "=:,;()[]{}\"'".contains(c))
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (words(a), words(b));
    let near = |x: &String, y: &String| {
        if x == y {
            return true;
        }
        match (x.parse::<f64>(), y.parse::<f64>()) {
            (Ok(x), Ok(y)) if x.is_finite() && y.is_finite() => {
                (x - y).abs() <= tolerance * x.abs().max(y.abs())
            }
            _ => false,
        }
    };
    a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| near(x, y))
}

/// By how much the outputs of two runs differ; `None` for standard output and failed runs.
pub fn magnitude(a: &Path, b: &Path) -> Option<Report> {
    if a.join(STDOUT).is_file() || !a.is_dir() || !b.is_dir() {
        return None;
    }
    exact(a, b, &outputs::Options::default()).ok()
}

/// The difference in a sentence.
pub fn words(report: &Report) -> String {
    let tensors = report.files.iter().flat_map(|f| &f.tensors);
    let figures: Vec<_> = tensors.filter_map(|t| t.figures.as_ref()).collect();
    let differing: u64 = figures.iter().map(|f| f.differing).sum();
    let compared: u64 = figures.iter().map(|f| f.compared).sum();
    let ulp = figures.iter().filter_map(|f| f.max_ulp).max();
    let mut parts = Vec::new();
    if let Some(relative) = report.relative {
        parts.push(format!("relative difference {relative:.1e}"));
    }
    if compared > 0 {
        parts.push(format!("{differing} of {compared} numbers differ"));
    }
    if let Some(ulp) = ulp {
        parts.push(format!("by up to {ulp} ulp"));
    }
    if parts.is_empty() {
        parts.push(report.why.clone());
    }
    let text = parts.join(", ");
    match report.level {
        Some(level) => format!("{text}: {}", level.as_str()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::close_text;

    #[test]
    fn numbers_in_texts() {
        assert!(close_text("loss=0.50000 step 3", "loss=0.50001 step 3", 1e-3));
        assert!(!close_text("loss=0.50000 step 3", "loss=0.50001 step 3", 1e-6));
        assert!(!close_text("loss=0.5 a", "loss=0.5 b", 1.0));
        assert!(!close_text("1 2", "1", 1.0));
        assert!(!close_text("nan", "1", 1.0));
        assert!(close_text("nan", "nan", 0.0));
    }
}
