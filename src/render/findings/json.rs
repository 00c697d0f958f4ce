//! Findings as `driftlock/check/1` or `driftlock/lint/1`.

use serde_json::{Map, Value as Json};

use super::Run;
use crate::error::Error;
use crate::gate::finding::Finding;
use crate::gate::report::{Counts, Report, findings};

/// The whole document.
///
/// # Errors
///
/// Ours alone: a value that JSON cannot hold.
pub fn text(list: &[Finding], run: &Run, counts: Counts) -> Result<String, Error> {
    let schema = schema(run.command);
    let report: Report<'_, Map<String, Json>> = Report {
        schema: &schema,
        passed: counts.deny == 0,
        summary: run.summary.clone(),
        counts,
        details: run.details.clone(),
        findings: findings(list),
    };
    Ok(crate::render::json::text(&serde_json::to_value(report).map_err(Error::bug)?))
}

/// The name of a command's form.
pub fn schema(command: &str) -> String {
    format!("driftlock/{command}/1")
}
