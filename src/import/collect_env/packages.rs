//! `Versions of relevant libraries`: what `pip list` and `conda list` say, filtered by names.

use crate::import::{Draft, packages};

/// Reads the lines, each with the program before it: `[pip3] torch==2.1.0`, `[pip] torch (0.4.0)`,
/// `[conda] pytorch  1.4.0  py3.7_cuda10.1.243_cudnn7.6.3_0  pytorch`.
pub(super) fn read(draft: &mut Draft, lines: &[&str]) {
    let tagged = |tag: &'static str| {
        lines.iter().filter_map(move |line| {
            let line = crate::import::text::unmarked(line);
            let rest = line.strip_prefix('[')?;
            let (program, rest) = rest.split_once(']')?;
            (program.trim_end_matches(|c: char| c.is_ascii_digit()) == tag).then(|| rest.trim())
        })
    };
    for row in tagged("pip") {
        if row == "Could not collect" {
            draft.unknown("python.packages", "collect_env could not run pip");
        }
        pip_row(draft, row);
    }
    for row in tagged("conda").filter(|row| !row.starts_with("Could not") && !row.starts_with("No relevant"))
    {
        packages::conda_row(draft, row);
    }
}

/// `name==version` of `pip list --format=freeze`, `name (version)` of pip before 10.
fn pip_row(draft: &mut Draft, row: &str) {
    let old = || row.strip_suffix(')').and_then(|row| row.split_once(" ("));
    if let Some((name, version)) = row.split_once("==").or_else(old) {
        packages::distribution(draft, name.trim(), version);
    }
}
