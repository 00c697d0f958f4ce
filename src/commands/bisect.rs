//! `driftlock bisect`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{load, print};
use crate::bisect::cache::{Cache, Fault, default_root};
use crate::bisect::factors::{self, Maker, variables};
use crate::bisect::interpreters::{self, Locals};
use crate::bisect::mixture::Base;
use crate::bisect::place::{self, Marks, Project};
use crate::bisect::prober::{Options, Prober};
use crate::bisect::progress::Progress;
use crate::bisect::report::{self, Basis, Outcome, Parts, Report};
use crate::bisect::session::{Rules, Session};
use crate::bisect::stop;
use crate::capture;
use crate::cli::bisect::{Bisect, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::{explain, observed};
use crate::host::Host;
use crate::host::live::Live;
use crate::outputs::record;
use crate::probes::{Context, PythonChoice};
use crate::redact::Labels;
use crate::run::Program;
use crate::snapshot::digest::sha256;
use crate::snapshot::{FactPath, Snapshot};
use crate::{explain, render};

/// How long one environment may take to be made: torch and what it needs are several gigabytes.
const INSTALL: Duration = Duration::from_secs(3600);

/// The version of what is kept: another one starts anew.
const KEPT: &str = "driftlock bisect 1";

/// Finds out which difference of two sides moves what a command gives.
pub fn run(args: &Bisect) -> Result<Exit, Error> {
    let host: Arc<dyn Host> = Arc::new(Live::new());
    let (a, b) = load::pair(&args.a, &args.b)?;
    let rules = load::rules()?.catalogue;
    let observed = observed::observe(&a, &b, |snapshot| {
        let path = if std::ptr::eq(snapshot, &raw const a) { &args.a } else { &args.b };
        record::outputs(snapshot, &|suffix| std::fs::read(load::beside(path, suffix)).ok())
    });
    let recorded = [(&args.a, &a), (&args.b, &b)].map(|(path, snapshot)| {
        record::outputs(snapshot, &|suffix| std::fs::read(load::beside(path, suffix)).ok())
    });
    let explanation = explain(&a, &b, &rules, &args.scope, observed);

    let program = Program::of(host.as_ref(), &args.command);
    if program.check(host.as_ref()).is_err() {
        let name = args.command.first().map(|w| w.to_string_lossy().into_owned()).unwrap_or_default();
        return Err(Error::input(format!("{name}: command not found, or not executable")));
    }
    let root = place::project(host.as_ref());
    check_outputs(&args.outputs, &program.cwd, &root)?;
    let live = here(&host);
    let locals = Locals::find(&host, [&a, &b], program.interpreter.as_deref(), &root);
    let labels = Labels::new(host.as_ref());
    let made = factors::make(Maker {
        a: &a,
        b: &b,
        live: &live,
        explanation: &explanation,
        host: host.as_ref(),
        labels: &labels,
        program: &program,
        locals: &locals,
        environment: host.env_all(),
        factors: Vec::new(),
        uncontrolled: Vec::new(),
        notes: Vec::new(),
    });
    let mut list = made.factors;
    let all = list.len();
    list.retain(|f| factors::wanted(f, &args.factors));
    if list.is_empty() && all > 0 {
        return Err(Error::input("no difference that can be set fits --factor")
            .hint("`--dry-run` without --factor lists them"));
    }
    let sides =
        [(&args.a, &a), (&args.b, &b)].map(|(path, s)| explain::report::side(&path.display().to_string(), s));
    let command: Vec<String> = args.command.iter().map(|w| w.to_string_lossy().into_owned()).collect();
    let basis = Basis {
        what: if args.outputs.is_empty() { "stdout" } else { "outputs" },
        outputs: args.outputs.clone(),
        tolerance: args.compare,
    };
    let mut notes = made.notes;
    if list.len() < all {
        notes.push(format!(
            "{} of {all} differences that can be set stay as in A (--factor)",
            all - list.len()
        ));
    }
    let parts = |touched: Vec<String>, notes: Vec<String>| Parts {
        sides: sides.clone(),
        command: command.clone(),
        basis: basis.clone(),
        explanation: &explanation,
        factors: &list,
        uncontrolled: &made.uncontrolled,
        notes,
        touched,
        recorded: recorded.clone(),
    };
    if args.dry_run {
        return show(args, &report::plan(parts(Vec::new(), notes)));
    }

    let _signals = stop::Watch::begin();
    let home = host.system().home.or_else(|| host.env("HOME").map(PathBuf::from));
    let cache_root = args.cache.clone().or_else(|| default_root(host.env("XDG_CACHE_HOME"), home));
    let cache_root = cache_root.ok_or_else(|| {
        Error::machine("there is no home folder to keep results in").hint("name a folder with --cache")
    })?;
    let project = Project::list(host.as_ref(), &args.outputs, &cache_root)?;
    let key = sha256(
        format!("{KEPT}\0{command:?}\0{basis:?}\0{}\0{}", project.below.display(), project.digest())
            .as_bytes(),
    );
    let cache = Cache::open(&cache_root, key.trim_start_matches("sha256:").get(..32).unwrap_or_default())?;
    let inner = std::fs::canonicalize(&cache_root).unwrap_or_else(|_| cache_root.clone());
    let guarded = guarded(&root, &locals);
    let before = Marks::look(&guarded, &inner);

    let environment = host.env_all();
    let base = Base {
        argv: args.command.clone(),
        counted: counted(&a, &b, &live),
        here: environment,
        common: variables::common(&a, &b, &live),
        text: made.tree.text.clone(),
        packages: [interpreters::packages(&a), interpreters::packages(&b)],
        locals: locals.clone(),
    };
    let progress = Progress::new(std::io::stderr().is_terminal());
    let prober = Prober {
        host: host.as_ref(),
        project: &project,
        locals: &locals,
        program: &program,
        imports: interpreters::imports(host.as_ref(), &locals, &root),
        cache: &cache,
        options: Options {
            outputs: args.outputs.clone(),
            jobs: usize::from(args.jobs),
            keep: args.compare.is_some(),
            install: INSTALL,
        },
        progress: &progress,
        making: Mutex::new(()),
    };
    let rules = Rules { repeat: args.repeat, tolerance: args.compare, timeout: args.timeout };
    let mut session = Session::new(&prober, &base, &list, rules, made.tree.range.clone());
    let found = session.run();
    progress.finish();
    cache.clean(usize::from(args.jobs));
    let found = match found {
        Ok(found) => found,
        Err(Fault::Stopped(signal)) => {
            anstream::eprintln!(
                "stopped after {} probes; the same command goes on from there",
                session.rows.len()
            );
            return Ok(Exit::Command(u8::try_from(128 + signal).unwrap_or(130)));
        }
        Err(Fault::Machine(error)) => return Err(error),
        Err(Fault::Mixture(why)) => return Err(Error::bug(why)),
    };
    let touched = before.changed(&Marks::look(&guarded, &inner));
    let touched: Vec<String> = touched.iter().map(|path| labels.show(path)).collect();
    show(args, &report::report(parts(touched, notes), &session, &found))
}

fn show(args: &Bisect, report: &Report) -> Result<Exit, Error> {
    let text = match args.format {
        Format::Human => render::bisect::text(report, render::table::terminal_width()),
        Format::Json => render::json::text(&serde_json::to_value(report).map_err(Error::bug)?),
    };
    print(text.as_bytes())?;
    Ok(match report.outcome {
        Outcome::Planned | Outcome::Equal => Exit::Clean,
        Outcome::Proved | Outcome::Partial | Outcome::Unexplained | Outcome::Unstable => Exit::Found,
        Outcome::Failed => Exit::Trouble,
    })
}

/// What is compared must lie where each probe has its own.
fn check_outputs(outputs: &[String], cwd: &Path, root: &Path) -> Result<(), Error> {
    for pattern in outputs {
        let path = Path::new(pattern);
        let out = (path.is_absolute() && !path.starts_with(cwd))
            || path.components().any(|c| c == std::path::Component::ParentDir);
        if out {
            return Err(Error::input(format!("`--output {pattern}` lies outside the working directory")).hint(
                format!(
                    "probes run in copies of `{}` and are told apart by what they write there: have the command write below its working directory",
                    root.display()
                ),
            ));
        }
    }
    Ok(())
}

/// What this machine is now, as far as mixtures depend on it.
fn here(host: &Arc<dyn Host>) -> Snapshot {
    let sections = ["env", "cpu", "git"].map(str::to_owned).to_vec();
    let options = crate::probes::Options { sections, python: PythonChoice::Auto, ..Default::default() };
    capture::run(&Arc::new(Context::new(Arc::clone(host), options)), false).snapshot
}

/// Variables whose value is part of a mixture: those that any of the snapshots records.
fn counted(a: &Snapshot, b: &Snapshot, live: &Snapshot) -> BTreeSet<String> {
    let name = |path: &FactPath| match path.segments() {
        [env, name] if env == "env" => Some(name.clone()),
        _ => None,
    };
    let facts: BTreeMap<_, _> = [a, b, live].into_iter().flat_map(|s| &s.facts).collect();
    facts.into_keys().filter_map(name).collect()
}

/// Folders of the user's that probes must leave as they are.
fn guarded(root: &Path, locals: &Locals) -> Vec<PathBuf> {
    let mut out = BTreeSet::from([root.to_path_buf()]);
    for local in locals.sides.iter().flatten().chain(&locals.own) {
        // Of a system's interpreter only its packages: its prefix is `/usr`.
        out.extend(local.interpreter.site_packages.iter().cloned());
    }
    out.into_iter().collect()
}
