//! Where a report of findings goes: a file or standard output, and the summary of a step of GitHub Actions.

use std::io::Write as _;
use std::path::Path;

use super::print;
use crate::error::Error;
use crate::exit::Exit;
use crate::gate::finding::{Finding, Level};
use crate::render::findings::{Format, Run, github, render};
use crate::snapshot::file;

/// Writes the report, and says how the command ends: found, where a finding is denied.
///
/// # Errors
///
/// What cannot be written.
pub fn emit(findings: &[Finding], run: &Run, format: Format, output: Option<&Path>) -> Result<Exit, Error> {
    let text = render(findings, run, format)?;
    match output {
        Some(path) => file::write(path, anstream::adapter::strip_str(&text).to_string().as_bytes())?,
        None => drop(print(text.as_bytes())?),
    }
    if format == Format::Github {
        summary(findings, run)?;
    }
    let denied = findings.iter().any(|f| f.level == Level::Deny);
    Ok(if denied { Exit::Found } else { Exit::Clean })
}

/// Appends the report as Markdown to the file that `GITHUB_STEP_SUMMARY` names. Other commands of the step write there
/// as well, so it is never replaced.
fn summary(findings: &[Finding], run: &Run) -> Result<(), Error> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = Path::new(&path);
    let mut text = render(findings, run, Format::Markdown)?;
    if text.len() > github::SUMMARY_LIMIT {
        // GitHub drops a summary that is too long as a whole.
        let short = Run { all: false, ..run.clone() };
        let denied: Vec<Finding> =
            findings.iter().filter(|f| f.level == Level::Deny).take(20).cloned().collect();
        text = render(&denied, &short, Format::Markdown)?;
    }
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| {
        Error::machine(format!("cannot append to `{}` (GITHUB_STEP_SUMMARY): {e}", path.display()))
    })
}
