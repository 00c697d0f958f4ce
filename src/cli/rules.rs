//! `driftlock explain` and `driftlock rules`.

use clap::{Args, ValueEnum};

/// Arguments of `driftlock explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// The rule's id, as a finding names it
    pub rule: String,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `driftlock rules`.
#[derive(Args, Debug)]
pub struct Rules {
    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The forms of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// `driftlock/rules/1`
    Json,
}
