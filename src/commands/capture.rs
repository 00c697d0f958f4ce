//! `driftlock capture`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::capture;
use crate::cli::capture::Capture;
use crate::error::Error;
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::host::recorded::Recorded;
use crate::probes::Context;
use crate::snapshot::write;

/// Runs the probes and writes the snapshot.
pub fn run(args: &Capture) -> Result<Exit, Error> {
    let started = Instant::now();
    let host: Arc<dyn Host> = match &args.replay {
        Some(path) => Arc::new(replay(path)?),
        None => Arc::new(Live::new()),
    };
    capture::quiet_probes();
    let cx = Arc::new(Context::new(host, args.options(std::io::stderr().is_terminal())));
    let captured = capture::run(&cx, args.anonymous);
    let text = write::to_string(&captured.snapshot);
    let _ = started;
    anstream::print!("{text}");
    Ok(Exit::Clean)
}

fn replay(path: &Path) -> Result<Recorded, Error> {
    let path = if path.is_dir() {
        path.join("host.toml")
    } else {
        path.to_path_buf()
    };
    let text =
        std::fs::read_to_string(&path).map_err(|e| Error::input(format!("{}: {e}", path.display())))?;
    Recorded::parse(&text).map_err(|e| Error::input(format!("{}: {e}", path.display())))
}
