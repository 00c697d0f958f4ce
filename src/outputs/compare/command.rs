//! `driftlock diff --outputs A B`.

use std::path::Path;

use super::{exact, human};
use crate::error::Error;
use crate::exit::Exit;
use crate::outputs::Options;
use crate::render;

/// How the comparison is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal of this width in columns.
    #[default]
    Human,
    /// JSON of the schema `driftlock/outputs/1`.
    Json,
}

/// Compares two files or two folders exactly; the text to print, and the exit code: [`Exit::Found`] where any output
/// differs or could not be compared.
///
/// # Errors
/// The user's: a path that is not there, or a file against a folder.
pub fn command(a: &Path, b: &Path, format: Format, options: &Options) -> Result<(String, Exit), Error> {
    let report = exact(a, b, options)?;
    let text = match format {
        Format::Human => human(&report, render::table::terminal_width()),
        Format::Json => render::json::text(&serde_json::to_value(&report).map_err(Error::bug)?),
    };
    Ok((text, if report.same { Exit::Clean } else { Exit::Found }))
}
