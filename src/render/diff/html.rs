//! An explanation as one self-contained page.

use crate::explain::report::Report;

/// The page.
pub fn text(report: &Report) -> String {
    let _ = report;
    String::new()
}
