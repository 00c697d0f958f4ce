//! `driftlock facts`.

use clap::{Args, ValueEnum};

/// Arguments of `driftlock facts`.
#[derive(Args, Debug)]
pub struct FactsArgs {
    /// Only facts whose path holds this text, for example `gpu.` or `threads`
    pub filter: Option<String>,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The forms of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// Every declaration as JSON
    Json,
    /// The reference page, docs/reference/snapshot.md
    Markdown,
    /// The JSON Schema of snapshots, docs/reference/snapshot.schema.json
    Schema,
}
