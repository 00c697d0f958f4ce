//! `driftlock check`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::capture::Meta;
use super::project::{self, Project};
use super::{findings, import, load};
use crate::cli::check::Check;
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::{Explanation, explain, report};
use crate::gate::comparable::comparable;
use crate::gate::decide::{self, Decision, Input, decide};
use crate::gate::environments::{self, Nearness};
use crate::gate::finding::{Finding, Level};
use crate::gate::lines::Lines;
use crate::gate::policy::{FILE, Settings};
use crate::gate::read;
use crate::gate::report::{Counts, Details, Environment, Ignored};
use crate::gate::template;
use crate::host::Host as _;
use crate::host::live::Live;
use crate::render::findings::Run;
use crate::render::table;
use crate::snapshot::{FactPath, Snapshot, file};

/// Compares with the lock and applies the policy.
pub fn run(args: &Check) -> Result<Exit, Error> {
    let started = std::time::Instant::now();
    let part = |name: &str| {
        if args.timings {
            anstream::eprintln!("{name} {:.3} ms", started.elapsed().as_secs_f64() * 1e3);
        }
    };
    let or = args.lock.as_deref().map(project::folder_of);
    let mut project = Project::of(args.policy.as_deref(), or.as_deref())?;
    part("policy");
    let chosen = choose(args, &project)?;
    part("lock");
    let settings = settings(args, &project, &chosen)?;
    let mut chosen = chosen;
    let mut now = match chosen.now.take() {
        Some(now) => now,
        None => now(args, &project, &settings, std::slice::from_ref(&chosen.lock.snapshot))?,
    };
    part("captured");
    let side = |path: &Path, snapshot: &Snapshot| report::side(&path.display().to_string(), snapshot);
    let sides = [side(&chosen.lock.path, &chosen.lock.snapshot), side(&args.against, &now)];
    let live = args.against == Path::new("now");
    let asked = live.then_some(project.policy.capture.env.as_slice());
    let not_compared = comparable(&mut chosen.lock.snapshot, &mut now, asked);
    let mut case = Case { args, chosen, settings, now, sides, not_compared };
    let (mut explanation, mut public, mut decision) = case.decide(&project)?;
    if args.write_ignores
        && let Some(path) = write_ignores(&project, &decision.findings)?
    {
        project = Project::of(Some(&path), or.as_deref())?;
        case.settings = settings_again(&case, &project)?;
        (explanation, public, decision) = case.decide(&project)?;
    }
    part("decided");
    let run = case.run(&project, &explanation, &public, &decision)?;
    let exit = findings::emit(&decision.findings, &run, args.format, args.output.as_deref())?;
    part("written");
    Ok(exit)
}

/// A lock, as it was read.
struct Lock {
    path: PathBuf,
    text: String,
    snapshot: Snapshot,
}

/// The lock to check against, and how it was found.
struct Chosen {
    lock: Lock,
    environment: Option<(usize, Option<Nearness>)>,
    /// This machine, where it had to be looked at to choose.
    now: Option<Snapshot>,
}

fn read_lock(path: &Path) -> Result<Lock, Error> {
    let missing = std::fs::symlink_metadata(path).is_err() && path != Path::new("-");
    if missing {
        return Err(Error::input(format!("there is no lock `{}`", path.display()))
            .hint("`driftlock init` writes one for this machine"));
    }
    let text = import::text(path)?;
    let snapshot = load::parse(path, &text)?;
    Ok(Lock { path: path.to_path_buf(), text, snapshot })
}

fn choose(args: &Check, project: &Project) -> Result<Chosen, Error> {
    let environments = &project.policy.environments;
    let names = || environments.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(path) = &args.lock {
        return Ok(Chosen { lock: read_lock(path)?, environment: None, now: None });
    }
    if let Some(name) = &args.environment {
        let found = environments.iter().position(|e| e.name == *name);
        let i = found.ok_or_else(|| {
            let error = Error::input(format!("the policy has no environment `{name}`"));
            match environments.is_empty() {
                true => error.hint(format!("`driftlock init --environment {name}` adds one")),
                false => error.hint(format!("it has {}", names())),
            }
        })?;
        let lock = read_lock(&project.path(&environments[i].lock))?;
        return Ok(Chosen { lock, environment: Some((i, None)), now: None });
    }
    match environments.len() {
        0 => Ok(Chosen { lock: read_lock(&project.lock())?, environment: None, now: None }),
        1 => {
            let lock = read_lock(&project.path(&environments[0].lock))?;
            Ok(Chosen { lock, environment: Some((0, None)), now: None })
        }
        _ => {
            let mut locks = Vec::new();
            for environment in environments {
                locks.push(read_lock(&project.path(&environment.lock))?);
            }
            let snapshots: Vec<Snapshot> = locks.iter().map(|l| l.snapshot.clone()).collect();
            let now = now(args, project, &project.policy.base, &snapshots)?;
            let (i, nearness) = environments::nearest(&now, &snapshots).map_err(|places| {
                let list: Vec<&str> = places.iter().map(|i| environments[*i].name.as_str()).collect();
                Error::input(format!(
                    "this machine is as near to one environment as to another: {}",
                    list.join(", ")
                ))
                .hint("name one with --environment")
            })?;
            Ok(Chosen { lock: locks.swap_remove(i), environment: Some((i, Some(nearness))), now: Some(now) })
        }
    }
}

/// What there is: the file that the user named, or this machine, as far as the locks and the policy speak of it.
fn now(args: &Check, project: &Project, settings: &Settings, locks: &[Snapshot]) -> Result<Snapshot, Error> {
    if args.against != Path::new("now") {
        return load::snapshot(&args.against);
    }
    let probes: Vec<&str> = crate::probes::ALL.iter().map(|p| p.section()).collect();
    // Of several environments it is not known yet which profile holds.
    let all: Vec<&Settings> = project.policy.profiles.values().chain([settings]).collect();
    let wanted = |section: &&str| {
        let named = |path: &FactPath| path.section() == *section;
        let required =
            |s: &&Settings| s.require.iter().any(|r| r.facts.section().is_none_or(|s| s == *section));
        locks.iter().any(|lock| lock.sections.contains(*section))
            || all.iter().any(required)
            || all.iter().any(|s| s.versions.iter().any(|r| r.read.iter().any(named)))
    };
    let sections: Vec<String> = probes.into_iter().filter(wanted).map(str::to_owned).collect();
    if sections.is_empty() {
        return Err(Error::input("the lock holds no section that driftlock captures")
            .hint("compare it with a file: `driftlock check LOCK --against FILE`"));
    }
    Ok(project.capture(sections, &Meta::default())?.snapshot)
}

fn settings(args: &Check, project: &Project, chosen: &Chosen) -> Result<Settings, Error> {
    let environment = chosen.environment.as_ref().and_then(|(i, _)| project.policy.environments.get(*i));
    let profile = args.profile.as_deref().or_else(|| environment.and_then(|e| e.profile.as_deref()));
    let mut settings = project.policy.settings(profile).ok_or_else(|| {
        let names: Vec<&str> = project.policy.profiles.keys().map(String::as_str).collect();
        let error = Error::input(format!("the policy has no profile `{}`", profile.unwrap_or_default()));
        match names.is_empty() {
            true => error.hint("write one: `[profile.NAME]`"),
            false => error.hint(format!("it has {}", names.join(", "))),
        }
    })?;
    if !args.scope.is_empty() {
        settings.scope = Some(args.scope.clone());
    }
    Ok(settings)
}

fn settings_again(case: &Case<'_>, project: &Project) -> Result<Settings, Error> {
    settings(case.args, project, &case.chosen)
}

struct Case<'a> {
    args: &'a Check,
    chosen: Chosen,
    settings: Settings,
    now: Snapshot,
    /// The names and fingerprints of both.
    sides: [report::Side; 2],
    not_compared: Vec<String>,
}

impl Case<'_> {
    fn decide(&self, project: &Project) -> Result<(Explanation, report::Report, Decision), Error> {
        let lock = &self.chosen.lock;
        let scope = self.settings.scope.clone().unwrap_or_default();
        let explanation = explain(&lock.snapshot, &self.now, &project.rules, &scope, None);
        let [a, b] = self.sides.clone();
        let public = report::report(&explanation, a, b);
        let input = Input {
            lock: &lock.snapshot,
            now: &self.now,
            explanation: &explanation,
            report: &public,
            rules: &project.rules,
            settings: &self.settings,
            policy: project.policy.path.as_deref(),
            lock_path: &lock.path,
            lines: &Lines::of(&lock.text),
            today: today()?,
        };
        let decision = decide(&input);
        Ok((explanation, public, decision))
    }

    fn run(
        &self,
        project: &Project,
        explanation: &Explanation,
        public: &report::Report,
        decision: &Decision,
    ) -> Result<Run, Error> {
        let against = match self.args.against.as_path() {
            now if now == Path::new("now") => "this machine".to_owned(),
            path => path.display().to_string(),
        };
        let mut about =
            vec![("lock", self.chosen.lock.path.display().to_string()), ("against", against.clone())];
        let picked = self.chosen.environment.as_ref();
        let environment = picked.and_then(|(i, near)| {
            let environment = project.policy.environments.get(*i)?;
            let why = near.as_ref().map(Nearness::words);
            Some(Environment { name: environment.name.clone(), picked_by: why })
        });
        if let Some(environment) = &environment {
            let why = environment.picked_by.as_ref().map(|w| format!(" ({w})")).unwrap_or_default();
            about.push(("environment", format!("{}{why}", environment.name)));
        }
        let profile = self
            .args
            .profile
            .clone()
            .or_else(|| picked.and_then(|(i, _)| project.policy.environments.get(*i)?.profile.clone()));
        if let Some(profile) = &profile {
            about.push(("profile", profile.clone()));
        }
        match &project.policy.path {
            Some(path) => about.push(("policy", path.display().to_string())),
            None => about.push(("policy", "none: the defaults".to_owned())),
        }
        if !self.not_compared.is_empty() {
            let list = self.not_compared.join(", ");
            about.push(("not compared", format!("{list} (only one side was asked for it)")));
        }
        let details = Details {
            lock: public.a.clone(),
            against: public.b.clone(),
            policy: project.policy.path.as_ref().map(|p| p.display().to_string()),
            profile,
            environment,
            scope: public.scope.clone(),
            verdict: public.verdict.clone(),
            differences: public.changes.len(),
            quiet: decide::quiet_changes(explanation),
            not_compared: self.not_compared.clone(),
            ignored: decision.ignored.iter().map(ignored).collect(),
        };
        let details = match serde_json::to_value(details).map_err(Error::bug)? {
            Json::Object(map) => map,
            other => Map::from_iter([("details".to_owned(), json!(other))]),
        };
        Ok(Run {
            command: "check",
            summary: summary(
                &decision.findings,
                decision.ignored.len(),
                public.changes.len(),
                &self.chosen.lock,
            ),
            about,
            fallback: self.chosen.lock.path.display().to_string(),
            details,
            all: self.args.all,
            width: table::terminal_width(),
        })
    }
}

fn ignored(ignored: &decide::Ignored) -> Ignored {
    Ignored {
        rule: ignored.rule.clone(),
        facts: ignored.facts.clone(),
        reason: ignored.reason.clone(),
        line: ignored.line,
    }
}

/// `2 findings fail the gate, 1 more to look at: cublas-version, cudnn-version, nccl-version`.
fn summary(findings: &[Finding], ignored: usize, differences: usize, lock: &Lock) -> String {
    const NAMED: usize = 4;
    let counts = Counts::of(findings);
    let lock = lock.path.display();
    let mut out = match (counts.deny, counts.warn, differences) {
        (0, 0, 0) => format!("nothing differs from {lock}"),
        (0, 0, 1) => format!("1 fact differs from {lock}, and the policy lets it pass"),
        (0, 0, n) => format!("{n} facts differ from {lock}, and the policy lets them pass"),
        _ => counts.sentence(),
    };
    let mut names: Vec<&str> = Vec::new();
    for level in [Level::Deny, Level::Warn] {
        for finding in findings.iter().filter(|f| f.level == level) {
            if !names.contains(&finding.rule.as_str()) {
                names.push(&finding.rule);
            }
        }
    }
    if !names.is_empty() {
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        out.push_str(&format!(": {}", names.join(", ")));
        if more > 0 {
            out.push_str(&format!(" and {more} more"));
        }
    }
    if ignored > 0 {
        out.push_str(&format!("; {ignored} ignored"));
    }
    out
}

/// The day in UTC.
fn today() -> Result<jiff::civil::Date, Error> {
    let now = jiff::Timestamp::from_nanosecond(Live::new().now()).map_err(Error::machine)?;
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Adds an ignore for everything that fails to the policy, and returns its path; `None` where nothing fails.
fn write_ignores(project: &Project, list: &[Finding]) -> Result<Option<PathBuf>, Error> {
    let (count, more) = template::ignores(list, today()?);
    let path = project.policy.path.clone().unwrap_or_else(|| project.path(Path::new(FILE)));
    if count == 0 {
        anstream::eprintln!("nothing fails: {} is as it was", path.display());
        return Ok(None);
    }
    let mut text = match &project.policy.path {
        Some(path) => import::text(path)?,
        None => String::new(),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(if text.is_empty() { more.trim_start() } else { &more });
    // An `ignore` that stands there in another form would make the file unreadable: then it stays as it is.
    read::policy(&path, &text, &project.rules)
        .map_err(|e| e.hint("write the ignores as `[[ignore]]` tables"))?;
    file::write(&path, text.as_bytes())?;
    anstream::eprintln!("added {count} to the ignores of {}: give each its reason", path.display());
    Ok(Some(path))
}
