//! Runs the probes side by side and assembles the snapshot.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::facts::{self, Class, Compare};
use crate::host::Host;
use crate::probes::sink::Collected;
use crate::probes::{ALL, Context, Probe, ProbeError, Sink};
use crate::redact::{Identities, private_digest};
use crate::snapshot::path::is_bare;
use crate::snapshot::{FactPath, Snapshot, Value};

/// A snapshot in the making: what the probes said, and how long each took.
#[derive(Debug, Default)]
pub struct Captured {
    /// The snapshot, without `meta`.
    pub snapshot: Snapshot,
    /// How long each probe took; its limit where it did not end.
    pub timings: BTreeMap<&'static str, Duration>,
    /// Files to write beside the snapshot, suffix to content; none of an anonymous capture, since they hold names.
    pub attachments: BTreeMap<String, Vec<u8>>,
}

/// Runs every wanted probe. One that fails, panics or runs past its limit leaves the rest of its section unknown.
pub fn run(cx: &Arc<Context>, anonymous: bool) -> Captured {
    run_probes(ALL, cx, anonymous)
}

/// [`run`] with other probes than the usual ones.
pub fn run_probes(probes: &[&'static dyn Probe], cx: &Arc<Context>, anonymous: bool) -> Captured {
    let wanted = probes.iter().copied().filter(|p| {
        let sections = &cx.options.sections;
        p.wanted(&cx.options) && (sections.is_empty() || sections.iter().any(|s| s == p.section()))
    });
    let running: Vec<Running> = wanted.map(|probe| Running::start(probe, cx)).collect();
    let identities = Identities::of(cx.host.as_ref());
    let mut captured = Captured::default();
    for probe in running {
        let section = probe.probe.section();
        let (mut collected, took) = probe.wait(cx);
        if !anonymous {
            captured.attachments.append(&mut collected.attachments);
        }
        captured.snapshot.sections.insert(section.to_owned());
        captured.timings.insert(section, took);
        file(&mut captured.snapshot, collected, &identities, anonymous);
    }
    captured
}

struct Running {
    probe: &'static dyn Probe,
    sink: Arc<Sink>,
    started: Instant,
    done: mpsc::Receiver<(Result<(), ProbeError>, Duration)>,
}

impl Running {
    fn start(probe: &'static dyn Probe, cx: &Arc<Context>) -> Self {
        let sink = Arc::new(Sink::new(probe.section()));
        let (send, done) = mpsc::channel();
        let started = Instant::now();
        let (cx, out) = (Arc::clone(cx), Arc::clone(&sink));
        let body = move || {
            let result = catch_unwind(AssertUnwindSafe(|| probe.collect(&cx, &out)));
            let result = result.unwrap_or_else(|panic| {
                let words = panic.downcast_ref::<&str>().copied().map(str::to_owned);
                let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
                Err(ProbeError::new(format!("bug in driftlock: {}", words.as_deref().unwrap_or("panic"))))
            });
            let _late = send.send((result, started.elapsed()));
        };
        // The name keeps the panic hook quiet (see `quiet_probes`).
        if let Err(error) = thread::Builder::new().name(format!("{THREAD}{}", probe.section())).spawn(body) {
            sink.unknown("", format!("could not start a thread: {error}"));
        }
        Self { probe, sink, started, done }
    }

    /// What the probe said by its limit. A probe past it runs on in its thread until the process ends.
    fn wait(self, cx: &Context) -> (Collected, Duration) {
        let gone = |_| ProbeError::new("the probe died");
        let answer = match self.probe.limit(&cx.options) {
            Some(limit) => {
                self.done.recv_timeout(limit.saturating_sub(self.started.elapsed())).map_err(|e| match e {
                    mpsc::RecvTimeoutError::Timeout => ProbeError::new(format!(
                        "took longer than {} ms (raise --timeout)",
                        limit.as_millis()
                    )),
                    mpsc::RecvTimeoutError::Disconnected => gone(()),
                })
            }
            None => self.done.recv().map_err(|_| gone(())),
        };
        let (result, took) = answer.unwrap_or_else(|e| (Err(e), self.started.elapsed()));
        (self.sink.snapshot(result.err().as_ref()), took)
    }
}

const THREAD: &str = "probe-";

/// Keeps the default panic message of probe threads off standard error: the reason goes into the snapshot.
pub fn quiet_probes() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !thread::current().name().is_some_and(|name| name.starts_with(THREAD)) {
            default(info);
        }
    }));
}

/// Adds what was collected after the probes ran (of a section that no probe writes) to a snapshot.
pub fn add(snapshot: &mut Snapshot, collected: Collected, host: &dyn Host, anonymous: bool) {
    file(snapshot, collected, &Identities::of(host), anonymous);
}

/// Puts what a probe said where its class belongs, with names kept out of free text.
fn file(snapshot: &mut Snapshot, collected: Collected, identities: &Identities, anonymous: bool) {
    // A path segment that is not a plain key comes from the machine: a file's path, a label.
    let clean = |path: &FactPath| {
        let segment = |s: &String| {
            if is_bare(s) { s.clone() } else { identities.scrub(s).into_owned() }
        };
        FactPath::new(path.segments().iter().map(segment))
    };
    // Four numbers of a version can look like this machine's IP address.
    let is_version = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    for (path, value) in collected.facts {
        let fact = facts::find(&path);
        debug_assert!(fact.is_some(), "`{path}` is not declared in src/facts/{}.toml", path.section());
        match fact.map_or(Class::Identity, |f| f.class) {
            Class::Private if anonymous => {}
            Class::Private => {
                let digest = private(&path, value);
                snapshot.private.insert(clean(&path), digest);
            }
            class => {
                let version = fact.is_some_and(|f| f.compare == Compare::Version);
                let value = value.map_text(&|text| {
                    if version && is_version(&text) { text } else { identities.scrub(&text).into_owned() }
                });
                let facts = match class {
                    Class::Volatile => &mut snapshot.volatile,
                    Class::Result => &mut snapshot.results,
                    _ => &mut snapshot.facts,
                };
                facts.insert(clean(&path), value);
            }
        }
    }
    for (path, reason) in collected.unknown {
        snapshot.unknown.insert(clean(&path), identities.scrub(&reason).into_owned());
    }
}

/// A private value as its digest; lists item by item. The domain is the path without its indices, so that equal
/// UUIDs of device 0 and device 1 give equal digests.
pub fn private(path: &FactPath, value: Value) -> Value {
    let is_index = |s: &&String| !s.bytes().all(|b| b.is_ascii_digit());
    let domain = path.segments().iter().filter(is_index).map(String::as_str).collect::<Vec<_>>().join(".");
    match value {
        Value::List(items) => Value::List(items.into_iter().map(|item| private(path, item)).collect()),
        other => Value::Str(private_digest(&domain, &other.plain())),
    }
}
