//! `driftlock verify`.

use std::fmt::Write as _;
use std::time::Duration;

use similar::TextDiff;

use super::print;
use crate::cli::verify::Verify;
use crate::error::Error;
use crate::exit::Exit;
use crate::snapshot::value::shown;
use crate::snapshot::{digest, file, write};

/// Recomputes every digest; exit code 1 where one does not fit or the file is not in canonical form.
pub fn run(args: &Verify) -> Result<Exit, Error> {
    let (text, read) = file::read(&args.file)?;
    let name = shown(&args.file.display().to_string()).into_owned();
    let digests = digest::sections(&read.snapshot);
    let mut out = String::new();
    for (section, digest) in &digests {
        match read.digests.get(section) {
            Some(written) if written == digest => {}
            Some(_) => {
                let _infallible = writeln!(out, "{name}: the facts of [{section}] do not fit their digest");
            }
            None => {
                let _infallible = writeln!(out, "{name}: [{section}] has no digest");
            }
        }
    }
    match &read.fingerprint {
        Some(written) if *written == digest::fingerprint(&read.digests) => {}
        Some(_) => {
            let _infallible = writeln!(out, "{name}: the fingerprint does not fit the section digests");
        }
        None => {
            let _infallible = writeln!(out, "{name}: there is no fingerprint");
        }
    }
    let canonical = write::to_string(&read.snapshot);
    if out.is_empty() && canonical != text {
        let _infallible = writeln!(out, "{name}: every digest fits, but the file is not in canonical form:");
        let diff = TextDiff::configure()
            .timeout(Duration::from_secs(1))
            .diff_lines(text.as_str(), canonical.as_str());
        let unified = diff.unified_diff().context_radius(1).header(&name, "canonical").to_string();
        for line in unified.lines().take(20) {
            let _infallible = writeln!(out, "{}", shown(line));
        }
        let _infallible = writeln!(out, "`driftlock show {name} --format toml` prints the canonical form");
    }
    if out.is_empty() {
        print(format!("{name}: the fingerprint and {} section digests fit\n", digests.len()).as_bytes())
    } else {
        print(out.as_bytes())?;
        Ok(Exit::Found)
    }
}
