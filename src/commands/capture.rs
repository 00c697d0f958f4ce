//! `driftlock capture`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::capture;
use crate::cli::capture::Capture;
use crate::error::Error;
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::host::recorded::Recorded;
use crate::probes::{Context, config, data};
use crate::snapshot::write;

/// Runs the probes and writes the snapshot.
pub fn run(args: &Capture) -> Result<Exit, Error> {
    let started = Instant::now();
    let host: Arc<dyn Host> = match &args.replay {
        Some(path) => Arc::new(replay(path)?),
        None => Arc::new(Live::new()),
    };
    let options = args.options(std::io::stderr().is_terminal());
    data::check(host.as_ref(), &options)?;
    config::check(host.as_ref(), &options)?;
    capture::quiet_probes();
    let cx = Arc::new(Context::new(host, options));
    let captured = capture::run(&cx, args.anonymous);
    let text = write::to_string(&captured.snapshot);
    let _ = started;
    anstream::print!("{text}");
    if args.output != Path::new("-") {
        for (suffix, content) in &captured.attachments {
            attach(&args.output, suffix, content)?;
        }
    }
    Ok(Exit::Clean)
}

/// Writes a file beside the snapshot at `output`: whole or not at all.
fn attach(output: &Path, suffix: &str, content: &[u8]) -> Result<(), Error> {
    let mut name = output.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    let path = PathBuf::from(name);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".driftlock-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, content)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|e: std::io::Error| Error::machine(format!("{}: {e}", path.display())))
}

fn replay(path: &Path) -> Result<Recorded, Error> {
    let path = if path.is_dir() { path.join("host.toml") } else { path.to_path_buf() };
    let text = std::fs::read_to_string(&path).map_err(|e| Error::input(format!("{}: {e}", path.display())))?;
    Recorded::parse(&text).map_err(|e| Error::input(format!("{}: {e}", path.display())))
}
