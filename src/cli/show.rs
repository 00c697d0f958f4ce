//! `driftlock show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `driftlock show`.
#[derive(Args, Debug)]
pub struct Show {
    /// A snapshot, `-` for standard input, or `now` for this machine
    #[arg(default_value = "now")]
    pub file: PathBuf,

    /// Only this section
    #[arg(long, value_name = "NAME")]
    pub section: Option<String>,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The forms in which a snapshot is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people
    #[default]
    Human,
    /// The snapshot's tree as JSON
    Json,
    /// The snapshot file itself, in canonical form
    Toml,
    /// A block to paste into an issue
    Markdown,
    /// A paragraph and a table for a paper's appendix
    Latex,
    /// One self-contained page
    Html,
}
