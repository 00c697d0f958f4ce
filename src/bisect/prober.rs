//! Runs mixtures: makes the place, starts the command in it, collects what it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cache::{Cache, Fault, Seen};
use super::factor::Places;
use super::factors::config;
use super::interpreters::Locals;
use super::mixture::Recipe;
use super::place::Project;
use super::progress::Progress;
use super::start::{self, End, MARK, What};
use super::venv::{self, Environment};
use crate::error::{Error, reason};
use crate::host::{Host, lexical};
use crate::outputs::model::Contents;
use crate::outputs::record::content_digest;
use crate::outputs::{self, Outputs};
use crate::run::Program;
use crate::run::outputs::expand;
use crate::snapshot::digest::sha256;

/// The name under which standard output is kept beside the outputs.
pub const STDOUT: &str = "standard-output";

/// A key of a configuration file and its value.
type Setting = (Vec<String>, Option<crate::snapshot::Value>);

/// How probes are run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--output`; without any, standard output counts.
    pub outputs: Vec<String>,
    /// `--jobs`.
    pub jobs: usize,
    /// Whether outputs are kept to be compared number by number.
    pub keep: bool,
    /// How long an environment may take to be made.
    pub install: Duration,
}

/// Runs mixtures of one bisection.
pub struct Prober<'p> {
    /// The machine.
    pub host: &'p dyn Host,
    /// What is copied.
    pub project: &'p Project,
    /// Environments that are here.
    pub locals: &'p Locals,
    /// The command as the user gave it.
    pub program: &'p Program,
    /// Folders of the project that imports search in any case.
    pub imports: Vec<PathBuf>,
    /// What is kept.
    pub cache: &'p Cache,
    /// How.
    pub options: Options,
    /// What the user sees.
    pub progress: &'p Progress,
    /// One environment is made at a time.
    pub making: Mutex<()>,
}

/// One run to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// The mixture.
    pub recipe: Recipe,
    /// Which run of it, from 0.
    pub n: u32,
    /// Whether its outputs must be at hand.
    pub keep: bool,
    /// The longest that it may take.
    pub limit: Option<Duration>,
    /// What it is, for people.
    pub name: String,
}

/// What came of a task.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was seen, or why this mixture gives nothing.
    pub seen: Result<Seen, String>,
    /// Whether it was known already.
    pub cached: bool,
}

impl Prober<'_> {
    /// Runs tasks, up to `jobs` side by side; the answers in their order.
    ///
    /// # Errors
    ///
    /// A signal, or an error of the machine. What is done by then is kept.
    pub fn run(&self, tasks: &[Task]) -> Result<Vec<Probed>, Fault> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let done: Vec<Mutex<Option<Result<Probed, Fault>>>> =
            tasks.iter().map(|_| Mutex::new(None)).collect();
        let worker = |slot: usize| {
            while !stop.load(Ordering::Relaxed) {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(task) = tasks.get(i) else { return };
                let result = self.task(task, slot);
                stop.fetch_or(result.is_err(), Ordering::Relaxed);
                if let Some(Ok(mut place)) = done.get(i).map(Mutex::lock) {
                    *place = Some(result);
                }
            }
        };
        let width = self.options.jobs.clamp(1, tasks.len().max(1));
        thread::scope(|scope| {
            for slot in 1..width {
                let worker = &worker;
                // Where no thread can be started, the others do its work.
                let _no_thread = thread::Builder::new().spawn_scoped(scope, move || worker(slot));
            }
            worker(0);
        });
        let mut out = Vec::new();
        let mut fault = None;
        for place in done {
            match place.into_inner().ok().flatten() {
                Some(Ok(probed)) => out.push(probed),
                Some(Err(found)) => fault = fault.or(Some(found)),
                None => {}
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None if out.len() == tasks.len() => Ok(out),
            None => Err(Fault::Machine(Error::bug("a probe was lost"))),
        }
    }

    fn task(&self, task: &Task, slot: usize) -> Result<Probed, Fault> {
        if let Some(signal) = super::stop::arrived() {
            return Err(Fault::Stopped(signal));
        }
        let digest = task.recipe.digest();
        let kept = self.cache.kept(&digest, task.n);
        let usable = |seen: &Seen| !task.keep || kept.is_dir() || seen.end != End::Code(0);
        if let Some(seen) = self.cache.get(&digest, task.n).filter(usable) {
            return Ok(Probed { seen: Ok(seen), cached: true });
        }
        self.progress.begin(slot, &task.name);
        let started = Instant::now();
        let result = self.probe(task, slot, &digest, &kept);
        self.progress.end(slot, started.elapsed());
        match result {
            Ok(seen) => Ok(Probed { seen: Ok(seen), cached: false }),
            Err(Fault::Mixture(why)) => Ok(Probed { seen: Err(why), cached: false }),
            Err(fault) => Err(fault),
        }
    }

    fn probe(&self, task: &Task, slot: usize, digest: &str, kept: &Path) -> Result<Seen, Fault> {
        let recipe = &task.recipe;
        let python = self.environment(recipe)?;
        let root = self.cache.work(slot);
        let copy = root.join("project");
        let disk = |e: io::Error| Fault::disk(&root, &e);
        fs::create_dir_all(&root).map_err(disk)?;
        self.project.make(&copy, &recipe.text)?;
        self.configure(recipe, &copy)?;
        let cwd = copy.join(&self.project.below);
        let what = What {
            argv: self.argv(recipe, &copy, python.as_deref())?,
            env: self.env(recipe, &copy, python.as_deref(), slot)?,
            cwd: cwd.clone(),
            cpus: recipe.cpus.clone(),
            stdout: root.join("stdout"),
            stderr: root.join("stderr"),
            limit: task.limit,
        };
        let started = Instant::now();
        let end = match start::run(&what) {
            Ok(end) => end,
            Err(Ok(signal)) => {
                let _left_for_the_next_time = super::place::remove(&root);
                return Err(Fault::Stopped(signal));
            }
            Err(Err(e)) => return Err(disk(e)),
        };
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut seen = self.collect(&cwd, &what.stdout, end)?;
        seen.milliseconds = milliseconds;
        if seen.end != End::Code(0) {
            seen.said = start::tail(&what.stderr, 2).replace(&copy.display().to_string(), "{project}");
        }
        if task.keep && seen.end == End::Code(0) {
            self.keep(&cwd, &what.stdout, kept)?;
        }
        // A limit and a signal say nothing of the mixture, so the next bisection tries again.
        if matches!(seen.end, End::Code(_) | End::Signal(_)) {
            self.cache.put(digest, task.n, &seen)?;
        }
        super::place::remove(&copy).map_err(disk)?;
        Ok(seen)
    }

    /// The interpreter of the mixture's environment; made where it is not there yet.
    fn environment(&self, recipe: &Recipe) -> Result<Option<PathBuf>, Fault> {
        match &recipe.environment {
            None => Ok(None),
            Some(Environment::Direct(python)) => Ok(Some(python.clone())),
            Some(Environment::Made(made)) => {
                let _one_at_a_time = self.making.lock();
                let text = serde_json::to_string(made).unwrap_or_default();
                let digest = sha256(text.as_bytes());
                let digest = digest.trim_start_matches("sha256:").get(..32).unwrap_or_default();
                let dir = self.cache.venv(digest);
                venv::make(self.host, self.locals, made, &dir, self.options.install).map(Some)
            }
        }
    }

    fn configure(&self, recipe: &Recipe, copy: &Path) -> Result<(), Fault> {
        let mut of_file: BTreeMap<&PathBuf, Vec<Setting>> = BTreeMap::new();
        for (files, key, value) in &recipe.values {
            for file in files {
                of_file.entry(file).or_default().push((key.clone(), value.clone()));
            }
        }
        for (file, values) in of_file {
            let path = copy.join(file);
            let text = fs::read_to_string(&path)
                .map_err(|e| Fault::Mixture(format!("{}: {}", file.display(), reason(&e))))?;
            let text = config::rewrite(&path, &text, &values)
                .map_err(|why| Fault::Mixture(format!("{}: {why}", file.display())))?;
            fs::write(&path, text).map_err(|e| Fault::disk(&path, &e))?;
        }
        Ok(())
    }

    /// Where the labels of snapshots lead in this probe.
    fn places(&self, python: Option<&Path>) -> Places {
        let own = self.locals.own.as_ref();
        let prefix = python.and_then(|p| p.parent()?.parent()).map(Path::to_path_buf);
        Places {
            home: self.host.system().home.or_else(|| self.host.env("HOME").map(PathBuf::from)),
            project: Some(self.project.root.clone()),
            env: prefix.or_else(|| own.map(|l| l.interpreter.prefix.clone())),
            base: own.map(|l| l.interpreter.base_prefix.clone()),
        }
    }

    fn env(
        &self,
        recipe: &Recipe,
        copy: &Path,
        python: Option<&Path>,
        slot: usize,
    ) -> Result<BTreeMap<OsString, OsString>, Fault> {
        let places = self.places(python);
        let mut env: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        for (name, value) in &recipe.env {
            match value {
                None => drop(env.remove(std::ffi::OsStr::new(name))),
                // What this process has itself is passed on as it is, whatever it looks like.
                Some(value) if self.host.env(name).as_ref() == Some(value) => {}
                Some(value) => {
                    let value = places.expand(value).ok_or_else(|| {
                        Fault::Mixture(format!("`{name}` holds a path that is not on this machine"))
                    })?;
                    env.insert(name.into(), value.into());
                }
            }
        }
        // Paths that lead into the project lead into the copy; environments in it have none.
        for (name, value) in &mut env {
            let moved = value.to_str().and_then(|value| self.of_copy(value, copy));
            if let Some(moved) = moved.filter(|_| name != "PATH" && name != "VIRTUAL_ENV") {
                *value = moved.into();
            }
        }
        if !self.imports.is_empty() {
            let old = env.get(std::ffi::OsStr::new("PYTHONPATH")).cloned().unwrap_or_default();
            let first = self.imports.iter().map(|path| self.project.moved(path, copy));
            let rest = std::env::split_paths(&old).filter(|path| !path.as_os_str().is_empty());
            if let Ok(path) = std::env::join_paths(first.chain(rest)) {
                env.insert("PYTHONPATH".into(), path);
            }
        }
        if let Some(bin) = python.and_then(Path::parent) {
            let old = env.get(std::ffi::OsStr::new("PATH")).cloned().unwrap_or_default();
            let paths = std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&old));
            if let Ok(path) = std::env::join_paths(paths) {
                env.insert("PATH".into(), path);
            }
        }
        env.insert("PYTHONDONTWRITEBYTECODE".into(), "1".into());
        // What some programs take for the working directory.
        env.insert("PWD".into(), copy.join(&self.project.below).into_os_string());
        env.remove(std::ffi::OsStr::new("OLDPWD"));
        env.insert(MARK.into(), (slot + 1).to_string().into());
        Ok(env)
    }

    /// A list of paths with those of the project moved into its copy; `None` where there are none.
    fn of_copy(&self, value: &str, copy: &Path) -> Option<String> {
        let root = self.project.root.to_str().filter(|root| root.len() > 1 && value.contains(*root))?;
        let moved = value.split(':').map(|entry| {
            let path = Path::new(entry);
            let inside = entry.starts_with(root) && (path == self.project.root || self.project.copies(path));
            if inside { self.project.moved(path, copy).display().to_string() } else { entry.to_owned() }
        });
        Some(moved.collect::<Vec<_>>().join(":"))
    }

    fn argv(&self, recipe: &Recipe, copy: &Path, python: Option<&Path>) -> Result<Vec<OsString>, Fault> {
        let places = self.places(python);
        let cwd = &self.program.cwd;
        let program = self.program_at();
        let mut out = Vec::new();
        for (at, word) in recipe.argv.iter().enumerate() {
            if let Some((_, file)) = program.as_ref().filter(|(program, _)| *program == at) {
                out.push(self.started(file, copy, python).into_os_string());
                continue;
            }
            if recipe.labelled.contains(&at) {
                let word = places
                    .expand(word)
                    .ok_or_else(|| Fault::Mixture(format!("`{word}` is not on this machine")))?;
                out.push(self.of_copy(&word, copy).unwrap_or(word).into());
                continue;
            }
            let given = self.program.argv.get(at).filter(|w| w.to_string_lossy() == *word);
            let (flag, path) = match word.split_once('=') {
                Some((flag, path)) if flag.starts_with('-') && path.starts_with('/') => (Some(flag), path),
                _ => (None, word.as_str()),
            };
            let path = Path::new(path);
            let moved = if path.is_absolute() {
                let apart = self.project.left_out(path);
                Some(self.project.moved(path, copy)).filter(|moved| !apart && moved != path)
            } else {
                // A relative path that leads out of the project must not lead out of the copy.
                Some(lexical::normalize(&cwd.join(path))).filter(|full| {
                    flag.is_none()
                        && leads_out(path)
                        && !full.starts_with(&self.project.root)
                        && full.exists()
                })
            };
            out.push(match (moved, flag) {
                (Some(moved), Some(flag)) => format!("{flag}={}", moved.display()).into(),
                (Some(moved), None) => moved.into_os_string(),
                (None, _) => given.cloned().unwrap_or_else(|| word.into()),
            });
        }
        Ok(out)
    }

    /// The word of the command that starts Python, or a script of its environment, and the file that it names.
    fn program_at(&self) -> Option<(usize, PathBuf)> {
        let interpreter = self.program.interpreter.as_ref();
        let resolve = |word: &OsString| -> Option<PathBuf> {
            let text = word.to_string_lossy();
            if text.contains('/') {
                return Some(self.program.cwd.join(word));
            }
            self.host.which(&text)
        };
        let words = self.program.argv.iter().take(self.program.args_at.max(1));
        let found = words.enumerate().find_map(|(at, word)| {
            let file = resolve(word)?;
            let environment = interpreter.and_then(|i| i.parent());
            // The interpreter itself, or a script beside it.
            (Some(&file) == interpreter || (environment.is_some() && file.parent() == environment))
                .then_some((at, file))
        });
        found.or_else(|| Some((0, resolve(self.program.argv.first()?)?)))
    }

    /// What is started in the place of the program that the user named.
    fn started(&self, file: &Path, copy: &Path, python: Option<&Path>) -> PathBuf {
        let of_python = self.program.interpreter.as_deref() == Some(file);
        let beside = self.program.interpreter.as_deref().and_then(Path::parent) == file.parent();
        match (python, file.file_name()) {
            (Some(python), _) if of_python => python.to_path_buf(),
            (Some(python), Some(name)) if beside && python.with_file_name(name).exists() => {
                python.with_file_name(name)
            }
            _ if self.project.copies(&lexical::normalize(file)) => {
                self.project.moved(&lexical::normalize(file), copy)
            }
            _ => file.to_path_buf(),
        }
    }

    /// The paths that `--output` means in a copy.
    fn written(&self, cwd: &Path) -> (Vec<PathBuf>, Vec<String>) {
        let mut paths = BTreeSet::new();
        let mut missing = Vec::new();
        for pattern in &self.options.outputs {
            let below = self.pattern(pattern);
            let found = expand(cwd, &below);
            if found.is_empty() {
                missing.push(pattern.clone());
            }
            paths.extend(found);
        }
        (paths.into_iter().collect(), missing)
    }

    /// An `--output` relative to the working directory.
    fn pattern(&self, pattern: &str) -> String {
        let path = Path::new(pattern);
        let cwd = &self.program.cwd;
        path.strip_prefix(cwd).map_or_else(|_| pattern.to_owned(), |below| below.display().to_string())
    }

    fn collect(&self, cwd: &Path, stdout: &Path, end: End) -> Result<Seen, Fault> {
        let mut seen = Seen {
            end,
            digest: String::new(),
            outputs: Outputs::default(),
            missing: Vec::new(),
            said: String::new(),
            milliseconds: 0,
        };
        if self.options.outputs.is_empty() {
            let bytes = fs::read(stdout).map_err(|e| Fault::disk(stdout, &e))?;
            seen.digest = sha256(&bytes);
            return Ok(seen);
        }
        let (paths, missing) = self.written(cwd);
        seen.missing = missing;
        seen.outputs = outputs::read(&paths, cwd, &outputs::Options::default());
        seen.digest = sha256(summary(&seen.outputs).as_bytes());
        Ok(seen)
    }

    /// Copies what was written to where it stays.
    fn keep(&self, cwd: &Path, stdout: &Path, kept: &Path) -> Result<(), Fault> {
        let disk = |e: io::Error| Fault::disk(kept, &e);
        super::place::remove(kept).map_err(disk)?;
        fs::create_dir_all(kept).map_err(disk)?;
        if self.options.outputs.is_empty() {
            fs::copy(stdout, kept.join(STDOUT)).map_err(disk)?;
            return Ok(());
        }
        for path in self.written(cwd).0 {
            let below = path.strip_prefix(cwd).map(Path::to_path_buf);
            let below = below.unwrap_or_else(|_| PathBuf::from(path.file_name().unwrap_or_default()));
            let to = kept.join(below);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(disk)?;
            }
            fs::copy(&path, &to).map_err(disk)?;
        }
        Ok(())
    }
}

/// What counts of outputs: for each file its tensors where they were read, else its bytes.
fn summary(outputs: &Outputs) -> String {
    let mut lines = Vec::new();
    for file in &outputs.files {
        let content = match &file.contents {
            Contents::Tensors(tensors) => content_digest(tensors),
            Contents::Whole | Contents::Unread(_) => file.digest.clone(),
        };
        let digest =
            content.or_else(|_| file.digest.clone()).unwrap_or_else(|why| format!("unreadable: {why}"));
        lines.push(format!("{}\0{digest}\n", file.name));
    }
    lines.extend(outputs.faults.iter().map(|f| format!("{}\0unreadable: {}\n", f.name, f.reason)));
    lines.concat()
}

fn leads_out(path: &Path) -> bool {
    path.components().any(|c| c == Component::ParentDir)
}
