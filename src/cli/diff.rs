//! `driftlock diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `driftlock diff`.
#[derive(Args, Debug)]
#[command(
    after_help = "A and B are snapshots, `now` for this machine, `-` for standard input, or any dump that `driftlock import` reads."
)]
pub struct Diff {
    /// The one side
    pub a: PathBuf,

    /// The other side
    pub b: PathBuf,

    /// What the runs use, if it is not to be found out: frameworks, devices, libraries, operations, joined by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub scope: Vec<String>,

    /// Every difference, with what it is
    #[arg(long)]
    pub all: bool,

    /// The commands that bring B to A, and what no command can change
    #[arg(long, conflicts_with_all = ["all", "outputs"])]
    pub fix: bool,

    /// A and B are outputs (files or folders): compare their tensors exactly
    #[arg(long, conflicts_with_all = ["all", "scope"])]
    pub outputs: bool,

    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Print how long each part took, to standard error
    #[arg(long, hide = true)]
    pub timings: bool,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The forms of an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// `driftlock/diff/1`
    Json,
    /// A block to paste into an issue
    Markdown,
    /// One self-contained page
    Html,
    /// The two snapshots line by line, as `diff -u`
    Unified,
}
