//! `driftlock import`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `driftlock import`.
#[derive(Args, Debug)]
pub struct Import {
    /// A dump that another program wrote; `-` for standard input
    pub file: PathBuf,

    /// What kind of dump it is, where its content does not tell; an unknown one lists all
    #[arg(long, value_name = "KIND")]
    pub from: Option<String>,

    /// Where to write the snapshot; standard output by default
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,

    /// A name for the snapshot, for reports
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
}
