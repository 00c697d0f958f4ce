//! `driftlock capture`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::print;
use crate::capture;
use crate::cli::capture::{Capture, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::host::recorded::Recorded;
use crate::host::recording::Recording;
use crate::probes::python::interpreter;
use crate::probes::{Context, Options, config, data};
use crate::render;
use crate::selftest::facts;
use crate::snapshot::{FactPath, Snapshot, Value, digest, file, write};

/// What the snapshot says of its own making, beyond the time.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// `--label`.
    pub label: Option<String>,
    /// `--timings`.
    pub timings: bool,
    /// `--anonymous`.
    pub anonymous: bool,
}

/// Runs the probes and writes the snapshot.
pub fn run(args: &Capture) -> Result<Exit, Error> {
    let to_stdout = args.output == Path::new("-");
    if !to_stdout {
        file::check_writable(&args.output)?;
    }
    let host: Arc<dyn Host> = match &args.replay {
        Some(path) => Arc::new(replay(path)?),
        None => Arc::new(Live::new()),
    };
    let recording = args.record.as_ref().map(|dir| (dir, Arc::new(Recording::new(Arc::clone(&host)))));
    let host = recording.as_ref().map_or(host, |(_, recording)| Arc::clone(recording) as Arc<dyn Host>);
    let options = args.options(std::io::stderr().is_terminal());
    interpreter::check(host.as_ref(), &options.python)?;
    data::check(host.as_ref(), &options)?;
    config::check(host.as_ref(), &options)?;
    let meta = Meta { label: args.label.clone(), timings: args.timings, anonymous: args.anonymous };
    let cx = Arc::new(Context::new(host, options));
    let capture::Captured { mut snapshot, mut attachments, .. } = captured(&cx, &meta);
    if args.selftest {
        add_selftest(&cx, args.anonymous, &mut snapshot, &mut attachments);
    }
    if let Some((dir, recording)) = recording {
        recording.write(dir).map_err(|e| Error::machine(format!("{}: {e}", dir.display())))?;
    }
    let text = match args.format {
        Format::Toml => write::to_string(&snapshot),
        Format::Json => render::json::text(&render::json::snapshot(&snapshot)),
    };
    if to_stdout {
        return print(text.as_bytes());
    }
    write_beside(&attachments, &args.output)?;
    file::write(&args.output, text.as_bytes())?;
    tell(&report(&snapshot, &args.output));
    Ok(Exit::Clean)
}

/// Writes a snapshot with the files that belong beside it, and says so.
pub(super) fn save(captured: &capture::Captured, path: &Path) -> Result<(), Error> {
    write_beside(&captured.attachments, path)?;
    file::write(path, write::to_string(&captured.snapshot).as_bytes())?;
    tell(&report(&captured.snapshot, path));
    Ok(())
}

/// Writes the files that belong beside a snapshot.
fn write_beside(attachments: &BTreeMap<String, Vec<u8>>, output: &Path) -> Result<(), Error> {
    // First, so that a snapshot never names a file that is not there. Nothing stands beside a device or pipe.
    let beside_a_file = std::fs::metadata(output).map_or(true, |meta| meta.is_file());
    for (suffix, content) in attachments.iter().filter(|_| beside_a_file) {
        let mut beside = output.to_path_buf().into_os_string();
        beside.push(format!(".{suffix}"));
        file::write(Path::new(&beside), content)?;
    }
    Ok(())
}

/// A complete snapshot of `host`, `meta` included.
pub fn snapshot(host: Arc<dyn Host>, options: Options, meta: &Meta) -> Snapshot {
    captured(&Arc::new(Context::new(host, options)), meta).snapshot
}

/// [`snapshot`] with the files that belong beside it.
pub(super) fn captured(cx: &Arc<Context>, meta: &Meta) -> capture::Captured {
    let started = Instant::now();
    capture::quiet_probes();
    let mut captured = capture::run(cx, meta.anonymous);
    let snapshot = &mut captured.snapshot;
    let mut say =
        |path: &[&str], value: Value| snapshot.meta.insert(FactPath::new(path.iter().copied()), value);
    say(&["meta", "driftlock"], env!("CARGO_PKG_VERSION").into());
    let seconds =
        jiff::Timestamp::from_nanosecond(cx.host.now()).map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    if let Ok(time) = seconds {
        say(&["meta", "captured"], time.into());
    }
    if let Some(label) = &meta.label {
        say(&["meta", "label"], label.as_str().into());
    }
    if meta.timings {
        for (section, took) in &captured.timings {
            say(&["meta", "timings_us", section], Value::from(took.as_micros() as u64));
        }
    }
    say(&["meta", "duration_us"], Value::from(started.elapsed().as_micros() as u64));
    if !meta.anonymous {
        let system = cx.host.system();
        let names = [("host", Some(system.hostname).filter(|h| !h.is_empty())), ("user", system.user)];
        for (fact, name) in names {
            if let Some(name) = name {
                let path = FactPath::new(["meta", fact]);
                let digest = capture::private(&path, name.into());
                snapshot.private.insert(path, digest);
            }
        }
    }
    captured
}

/// Runs the self-test. One that fails makes its section unknown, with the reason, and nothing else.
fn add_selftest(
    cx: &Context,
    anonymous: bool,
    snapshot: &mut Snapshot,
    attachments: &mut BTreeMap<String, Vec<u8>>,
) {
    let test =
        super::selftest::for_capture(Arc::clone(&cx.host), cx.options.python.clone(), cx.options.progress);
    let mut collected = match test {
        Ok(test) => facts::of(&test),
        Err(fault) => facts::failed(&format!("the self-test did not run: {fault}")),
    };
    if !anonymous {
        attachments.append(&mut collected.attachments);
    }
    snapshot.sections.insert(facts::SECTION.to_owned());
    capture::add(snapshot, collected, cx.host.as_ref(), anonymous);
}

fn replay(path: &Path) -> Result<Recorded, Error> {
    let path = if path.is_dir() { path.join("host.toml") } else { path.to_path_buf() };
    let text =
        std::fs::read_to_string(&path).map_err(|e| Error::input(format!("{}: {e}", path.display())))?;
    Recorded::parse(&text).map_err(|e| Error::input(format!("{}: {e}", path.display())))
}

/// What was written, and the machine in a few lines.
fn report(snapshot: &Snapshot, path: &Path) -> String {
    let facts = snapshot.facts.len() + snapshot.volatile.len() + snapshot.private.len();
    let fingerprint = digest::fingerprint(&digest::sections(snapshot));
    let mut out = String::new();
    let _infallible = writeln!(out, "wrote {}: {facts} facts, {}", path.display(), &fingerprint[..19]);
    for (name, text) in render::summary::lines(snapshot) {
        let _infallible = writeln!(out, "  {name:<10} {}", clip(&text, 67));
    }
    for (path, reason) in &snapshot.unknown {
        let text = format!("{path}: {}", crate::snapshot::value::shown(reason));
        let _infallible = writeln!(out, "  unknown    {}", clip(&text, 67));
    }
    let timing =
        |name: &str| snapshot.meta.get(&FactPath::new(["meta", "timings_us", name])).and_then(Value::as_int);
    let timings: Vec<String> = snapshot
        .ordered_sections()
        .into_iter()
        .filter_map(|s| timing(s).map(|us| format!("{s} {:.1} ms", us as f64 / 1e3)))
        .collect();
    if !timings.is_empty() {
        let _infallible = writeln!(out, "  timings    {}", timings.join(", "));
    }
    out
}

fn tell(text: &str) {
    anstream::eprint!("{text}");
}

/// `text` cut to `width` characters, with an ellipsis where something is gone.
fn clip(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
