//! `driftlock selftest`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::print;
use crate::cli::selftest::{Engine, Format, SelfTest as Arguments};
use crate::error::{Error, reason};
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::probes::PythonChoice;
use crate::probes::python::interpreter;
use crate::render;
use crate::selftest::arms::{self, Level, Wanted};
use crate::selftest::catalogue::Library;
use crate::selftest::collect::{self, How, Watcher};
use crate::selftest::emulate::{self, Explained};
use crate::selftest::engine::{Environment, Kind};
use crate::selftest::fault::Fault;
use crate::selftest::judge::{self, Judgement};
use crate::selftest::result::{SCHEMA, SelfTest};
use crate::selftest::verdict::{self, Class, Comparison};
use crate::snapshot::file;

/// What `--format json` prints and `-o` writes: the result, and what it shows.
#[derive(Debug, Serialize)]
struct Public<'a> {
    #[serde(flatten)]
    result: &'a SelfTest,
    judgement: &'a Judgement,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explained: Option<&'a Explained>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engines: Option<&'a Comparison>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: &'a Vec<SelfTest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deviants: &'a Vec<String>,
}

/// Runs the self-test and shows what it found.
pub fn run(args: &Arguments) -> Result<Exit, Error> {
    if let Some(path) = &args.output {
        file::check_writable(path)?;
    }
    let other = args.explain.as_ref().or(args.against.as_ref()).map(|path| read(path)).transpose()?;
    let host: Arc<dyn Host> = Arc::new(Live::new());
    let python = args.python.clone().map_or(PythonChoice::Auto, PythonChoice::Path);
    interpreter::check(host.as_ref(), &python)?;
    let environment = Environment::find(Arc::clone(&host), python);
    let mut job = Job {
        environment: &environment,
        wanted: wanted(host.as_ref(), args.library, args.level()),
        how: How { engine: Kind::Python, limit: args.timeout, simulate: args.simulate.clone() },
        progress: std::io::stderr().is_terminal(),
    };
    job.wanted.repeat = args.repeat;
    job.wanted.processes = args.processes;
    if args.engine == Engine::Both && args.library != Library::Torch {
        return Err(Error::input("--engine both compares two engines for torch").hint("leave --engine out"));
    }
    job.how.engine = match args.engine {
        Engine::Tch | Engine::Both => Kind::Tch,
        Engine::Python => Kind::Python,
        Engine::Auto => automatic(&environment, args.library),
    };
    let (result, devices) = job.devices(&args.device).map_err(Fault::error)?;
    let judged = judge::judge(&result);
    let engines = (args.engine == Engine::Both)
        .then(|| {
            job.how.engine = Kind::Python;
            let mut second = job.clone_for(&result.device);
            second.wanted.processes = 0;
            second.run().map(|python| verdict::compare(&result, &python))
        })
        .transpose()
        .map_err(Fault::error)?;
    let comparison = other.as_ref().map(|other| verdict::compare(&result, other));
    let explained = match &other {
        Some(other) if args.explain.is_some() => job.explain(&result, other).map_err(Fault::error)?,
        _ => None,
    };
    let deviants = judge::deviants(&devices);
    let public = Public {
        result: &result,
        judgement: &judged,
        comparison: comparison.as_ref(),
        explained: explained.as_ref(),
        engines: engines.as_ref(),
        devices: &devices,
        deviants: &deviants,
    };
    let json = render::json::text(&serde_json::to_value(&public).map_err(Error::bug)?);
    if let Some(path) = &args.output {
        file::write(path, json.as_bytes())?;
    }
    let text = match args.format {
        Format::Json => json,
        Format::Human => human(&public),
    };
    print(text.as_bytes())?;
    let differs =
        |c: Option<&Comparison>| c.is_some_and(|c| !matches!(c.class, Class::Equal | Class::Unstable));
    let found =
        judged.found() || !deviants.is_empty() || differs(public.comparison) || differs(public.engines);
    Ok(if found { Exit::Found } else { Exit::Clean })
}

fn human(public: &Public) -> String {
    let width = render::table::terminal_width();
    let mut text = render::selftest::text(public.result, public.judgement, width);
    if let Some(engines) = public.engines {
        text.push_str("\nthe two engines, tch against Python:");
        text.push_str(&render::selftest::comparison(engines, width));
    }
    for deviant in public.deviants {
        text.push('\n');
        text.push_str(&crate::snapshot::value::shown(deviant));
        text.push('\n');
    }
    if let Some(comparison) = public.comparison {
        text.push_str(&render::selftest::comparison(comparison, width));
    }
    if let Some(explained) = public.explained {
        text.push_str(&render::selftest::explained(explained, width));
    }
    text
}

/// The self-test of a capture: default level, the first GPU or the CPU, the engine that fits.
pub fn for_capture(host: Arc<dyn Host>, python: PythonChoice, progress: bool) -> Result<SelfTest, Fault> {
    let environment = Environment::find(Arc::clone(&host), python);
    let how = How {
        engine: automatic(&environment, Library::Torch),
        limit: Duration::from_secs(300),
        simulate: None,
    };
    let wanted = wanted(host.as_ref(), Library::Torch, Level::Default);
    let job = Job { environment: &environment, wanted, how, progress };
    job.devices("auto").map(|(result, _)| result)
}

/// The worker where it is there and fits, else Python.
fn automatic(environment: &Environment, library: Library) -> Kind {
    let fits = library == Library::Torch && environment.start(Kind::Tch, library).is_ok();
    if fits { Kind::Tch } else { Kind::Python }
}

fn wanted(host: &dyn Host, library: Library, level: Level) -> Wanted {
    let system = host.system();
    let cpus = system.affinity.map(|cpus| cpus.len() as u64).or(system.logical_cores).unwrap_or(1);
    Wanted {
        library,
        device: "cpu".to_owned(),
        level,
        cpus: u32::try_from(cpus).unwrap_or(1).max(1),
        repeat: arms::REPEAT,
        processes: 1,
    }
}

fn read(path: &Path) -> Result<SelfTest, Error> {
    let name = path.display();
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("cannot read `{name}`: {e}"));
    const REMEDY: &str =
        "`driftlock selftest -o FILE` writes one; `capture --selftest` writes one beside the snapshot";
    let bytes = std::fs::read(path).map_err(|e| wrong(&reason(&e)).hint(REMEDY))?;
    let test: SelfTest = serde_json::from_slice(&bytes).map_err(|e| wrong(&e).hint(REMEDY))?;
    if test.schema != SCHEMA {
        return Err(Error::input(format!("`{name}` is `{}` and not `{SCHEMA}`", test.schema)).hint(REMEDY));
    }
    Ok(test)
}

#[derive(Clone)]
struct Job<'a> {
    environment: &'a Environment,
    wanted: Wanted,
    how: How,
    progress: bool,
}

impl Job<'_> {
    fn clone_for(&self, device: &str) -> Self {
        let mut job = self.clone();
        device.clone_into(&mut job.wanted.device);
        job
    }

    fn run(&self) -> Result<SelfTest, Fault> {
        let arms = arms::plan(&self.wanted);
        collect::run(self.environment, &self.wanted, &arms, &self.how, &mut Bar::new(self.progress))
    }

    /// The named device; every GPU for `cuda`, compared with the first; for `auto` the first GPU or the CPU.
    fn devices(&self, name: &str) -> Result<(SelfTest, Vec<SelfTest>), Fault> {
        let gpu = || self.environment.host().exists(Path::new("/dev/nvidiactl"));
        match name {
            "auto" if gpu() => match self.clone_for("cuda:0").run() {
                Err(Fault::NoDevice(_)) => self.clone_for("cpu").run().map(|t| (t, Vec::new())),
                other => other.map(|t| (t, Vec::new())),
            },
            "auto" => self.clone_for("cpu").run().map(|t| (t, Vec::new())),
            "cuda" => {
                let first = self.clone_for("cuda:0").run()?;
                let count: u32 = first.described("devices").and_then(|n| n.parse().ok()).unwrap_or(1);
                let mut all = Vec::new();
                for n in 1..count.min(64) {
                    all.push(self.clone_for(&format!("cuda:{n}")).run()?);
                }
                if !all.is_empty() {
                    all.insert(0, first.clone());
                }
                Ok((first, all))
            }
            device => self.clone_for(device).run().map(|t| (t, Vec::new())),
        }
    }

    /// Emulates other machines until one gives the other's digests.
    fn explain(&self, own: &SelfTest, other: &SelfTest) -> Result<Option<Explained>, Fault> {
        let Some((asked, differ)) = emulate::question(own, other) else {
            return Ok(None);
        };
        let candidates = emulate::candidates(asked, self.wanted.cpus);
        let mut bar = Bar::new(self.progress);
        let mut tried = Vec::new();
        for arm in &candidates {
            // An arm that this machine cannot run explains nothing.
            let Ok(one) =
                collect::run(self.environment, &self.wanted, std::slice::from_ref(arm), &self.how, &mut bar)
            else {
                continue;
            };
            tried.extend(one.arms.first().map(|ran| emulate::held(asked, own, other, ran, &differ)));
        }
        emulate::rank(&mut tried);
        let done = tried.first().is_some_and(|t| t.explained.len() == differ.len() && t.broken.is_empty());
        if !done
            && let Some(arm) = emulate::combination(&tried, &candidates)
            && let Ok(one) = collect::run(self.environment, &self.wanted, &[arm], &self.how, &mut bar)
        {
            tried.extend(one.arms.first().map(|ran| emulate::held(asked, own, other, ran, &differ)));
        }
        Ok(Some(emulate::explained(asked, &differ, tried)))
    }
}

/// Progress on a terminal, nothing elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new(shown: bool) -> Self {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{prefix:24} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Watcher for Bar {
    fn arm(&mut self, name: &str, operations: usize) {
        self.0.set_length(operations as u64);
        self.0.set_position(0);
        self.0.set_prefix(name.to_owned());
    }

    fn operation(&mut self, id: &str) {
        self.0.inc(1);
        self.0.set_message(crate::snapshot::value::shown(id).into_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
