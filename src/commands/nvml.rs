//! `driftlock __nvml`: the process in which NVML may hang or crash. See `docs/design/nvml-isolation.md`.

use std::io::Write as _;

use crate::cli::nvml::Nvml;
use crate::error::Error;
use crate::exit::Exit;
use crate::host::nvml::child;

/// Prints the answer as one line of JSON.
pub fn run(args: &Nvml) -> Result<Exit, Error> {
    child::tie(args.parent);
    let mut line = serde_json::to_string(&child::answer()).map_err(Error::bug)?;
    line.push('\n');
    std::io::stdout().write_all(line.as_bytes()).map_err(Error::machine)?;
    Ok(Exit::Clean)
}
