//! `driftlock init`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `driftlock init`.
#[derive(Args, Debug)]
#[command(after_help = "What is there already is left as it is, unless --force or --renew says otherwise.")]
pub struct Init {
    /// The folder of the project
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    /// A lock for a machine of its own, in `locks/NAME.lock`, and an `[[environment]]` for it
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,

    /// Write the lock anew, and leave the policy
    #[arg(long)]
    pub renew: bool,

    /// Write both files anew, whatever they hold
    #[arg(long, conflicts_with = "renew")]
    pub force: bool,

    /// Leave host name, user name, UUIDs and every other private fact out of the lock
    #[arg(long)]
    pub anonymous: bool,
}
