//! Makes a recording of a machine: every answer that the probes got, for replay by [`Recorded`].
//!
//! What nobody asked for is not in it. Names of people and machines are replaced by fictitious ones before anything
//! reaches the disk (`disguise`); `docs/design/recorded-hosts.md` describes what is kept and what is not.

mod disguise;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::recorded::{Recorded, RecordedCommand};
use super::{Command, Entry, FileKind, Host, Output, RunError, Stat, System, elf, git, links, nvml, tree};
use crate::probes::env;

/// A host that answers as another one does, and remembers every answer.
pub struct Recording {
    inner: Arc<dyn Host>,
    seen: Mutex<Seen>,
}

/// What was asked so far.
#[derive(Default)]
struct Seen {
    answers: Recorded,
    /// Paths whose links are noted already.
    walked: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Recording {
    /// A recording of what `inner` will be asked.
    pub fn new(inner: Arc<dyn Host>) -> Self {
        let answers = Recorded {
            provenance: format!(
                "recorded by driftlock {} with `capture --record`",
                env!("CARGO_PKG_VERSION")
            ),
            now: i64::try_from(inner.now() / 1_000_000_000).unwrap_or(i64::MAX),
            cwd: inner.cwd(),
            ..Recorded::default()
        };
        Self { inner, seen: Mutex::new(Seen { answers, ..Seen::default() }) }
    }

    /// The answers until now, disguised. Probes that run past their limit may still be asking, so this takes `&self`.
    ///
    /// # Errors
    ///
    /// An answer that TOML cannot hold: an integer above `i64::MAX`.
    pub fn finish(&self) -> io::Result<Recorded> {
        let mut answers = self.lock().answers.clone();
        // The names to hide come from here, whether or not a probe asked.
        answers.system = self.inner.system();
        answers.about =
            format!("{} {} {}", answers.system.sysname, answers.system.release, answers.system.machine);
        disguise::apply(answers, self.inner.as_ref()).map_err(io::Error::other)
    }

    /// Writes `DIR/host.toml`, all of it or nothing; `dir` is made where it is missing.
    ///
    /// # Errors
    ///
    /// What the file system refuses, and [`Recording::finish`]'s.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let text = self.finish()?.to_text().map_err(io::Error::other)?;
        std::fs::create_dir_all(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(dir.join("host.toml"))?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an answer at the place where the path really is, with the links that lead there.
    fn note(&self, path: &Path, put: impl FnOnce(&mut Recorded, PathBuf)) {
        let mut seen = self.lock();
        let Seen { answers, walked, .. } = &mut *seen;
        let place = links::resolve(&answers.cwd.join(path), |step| {
            if is_self(step) {
                return None;
            }
            let target = walked.entry(step.to_path_buf()).or_insert_with(|| self.inner.read_link(step).ok());
            if let Some(target) = &target {
                answers.links.insert(step.to_path_buf(), target.clone());
            }
            target.clone()
        });
        // A loop of links has no place; its links are noted, which is what replays as the same error.
        if let Ok(place) = place {
            put(answers, place);
        }
    }

    /// Notes that a path exists and what it is.
    fn note_stat(&self, path: &Path, stat: Stat) {
        self.note(path, |answers, place| match stat.kind {
            FileKind::Dir => drop(answers.dirs.insert(place)),
            FileKind::Other => drop(answers.devices.insert(place)),
            FileKind::File | FileKind::Link => {
                if stat.executable {
                    answers.executables.insert(place.clone());
                }
                // A listing tells no length.
                let len = answers.present.entry(place).or_default();
                *len = (*len).max(stat.len);
            }
        });
    }

    /// Notes what an error says of a path: a missing one needs no entry.
    fn note_error(&self, path: &Path, error: &io::Error) {
        match error.kind() {
            io::ErrorKind::NotFound => self.note(path, |_, _| {}),
            io::ErrorKind::PermissionDenied => self.note(path, |answers, place| {
                // A directory that may be listed while a file in it may not be read stays open for the rest.
                answers.denied.insert(place);
            }),
            _ => {
                if let Ok(stat) = self.inner.stat(path) {
                    self.note_stat(path, stat);
                }
            }
        }
    }
}

/// `/proc/self` names another process each time: it is kept as a folder of that name.
fn is_self(path: &Path) -> bool {
    path == Path::new("/proc/self") || path == Path::new("/proc/thread-self")
}

impl Host for Recording {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let answer = self.inner.read(path);
        match &answer {
            Ok(bytes) => self.note(path, |answers, place| match std::str::from_utf8(bytes) {
                Ok(text) => drop(answers.files.insert(place, text.to_owned())),
                Err(_) => drop(answers.bytes.insert(place, hex(bytes))),
            }),
            Err(error) => self.note_error(path, error),
        }
        answer
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let answer = self.inner.list(path);
        match &answer {
            Ok(entries) => {
                self.note_stat(path, Stat { kind: FileKind::Dir, len: 0, executable: false });
                for entry in entries {
                    let path = path.join(&entry.name);
                    match entry.kind {
                        // Walking to it notes the link.
                        FileKind::Link => self.note(&path, |_, _| {}),
                        kind => self.note_stat(&path, Stat { kind, len: 0, executable: false }),
                    }
                }
            }
            Err(error) => self.note_error(path, error),
        }
        answer
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let answer = self.inner.stat(path);
        match &answer {
            Ok(stat) => self.note_stat(path, *stat),
            Err(error) => self.note_error(path, error),
        }
        answer
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let answer = self.inner.read_link(path);
        if let Ok(target) = &answer
            && is_self(path)
        {
            self.lock().answers.links.insert(path.to_path_buf(), target.clone());
        }
        self.note(path, |_, _| {});
        answer
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let answer = self.inner.canonicalize(path);
        match &answer {
            Ok(_) => {
                self.inner.stat(path).map_or_else(|e| self.note_error(path, &e), |s| self.note_stat(path, s))
            }
            Err(error) => self.note_error(path, error),
        }
        answer
    }

    fn env(&self, name: &str) -> Option<String> {
        let answer = self.inner.env(name);
        if let Some(value) = &answer {
            let mut seen = self.lock();
            seen.answers.env.insert(name.to_owned(), value.clone());
        }
        answer
    }

    fn env_all(&self) -> BTreeMap<String, String> {
        let answer = self.inner.env_all();
        // The whole environment is asked for by two probes: `env`, and `container` for the build of an NGC image.
        let wanted = |name: &str| env::allow::allows(name) || name.starts_with("NVIDIA_");
        let kept = answer.iter().filter(|(name, _)| wanted(name));
        let kept: Vec<(String, String)> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.lock().answers.env.extend(kept);
        answer
    }

    fn cwd(&self) -> PathBuf {
        self.inner.cwd()
    }

    fn system(&self) -> System {
        self.inner.system()
    }

    fn run(&self, command: &Command) -> Result<Output, RunError> {
        let answer = self.inner.run(command);
        let output = match &answer {
            Ok(output) => output.clone(),
            Err(RunError::TimedOut { .. }) => Output::default(),
            Err(RunError::NotFound(_) | RunError::Failed { .. }) => return answer,
        };
        let recorded = RecordedCommand {
            program: command.program.clone(),
            args: command.args.clone(),
            output,
            hangs: answer.is_err(),
        };
        let mut seen = self.lock();
        if !seen.answers.command.contains(&recorded) {
            seen.answers.command.push(recorded);
            seen.answers.command.sort_by(|a, b| (&a.program, &a.args).cmp(&(&b.program, &b.args)));
        }
        drop(seen);
        answer
    }

    fn elf(&self, path: &Path) -> Result<elf::ElfInfo, elf::ElfError> {
        let answer = self.inner.elf(path);
        match &answer {
            Ok(info) => self.note(path, |answers, place| drop(answers.elf.insert(place, info.clone()))),
            Err(elf::ElfError::NotFound) => self.note(path, |_, _| {}),
            Err(elf::ElfError::Unreadable(_) | elf::ElfError::Malformed(_)) => {
                self.note_stat(path, Stat { kind: FileKind::File, len: 0, executable: false });
            }
        }
        answer
    }

    fn nvml(&self, limit: Duration) -> Result<nvml::NvmlReport, nvml::NvmlFault> {
        let answer = self.inner.nvml(limit);
        let mut seen = self.lock();
        match &answer {
            Ok(report) => seen.answers.nvml = Some(report.clone()),
            Err(nvml::NvmlFault::Absent) => {}
            Err(fault) => seen.answers.nvml_fault = Some(fault.clone()),
        }
        drop(seen);
        answer
    }

    fn git(&self, start: &Path, options: &git::GitOptions) -> Result<git::GitReport, git::GitFault> {
        let answer = self.inner.git(start, options);
        let mut seen = self.lock();
        match &answer {
            Ok(report) => seen.answers.git = Some(report.clone()),
            Err(git::GitFault::NoRepository) => {}
            Err(fault) => seen.answers.git_fault = Some(fault.clone()),
        }
        drop(seen);
        answer
    }

    fn tree(&self, path: &Path, options: &tree::TreeOptions) -> Result<tree::TreeReport, tree::TreeFault> {
        let answer = self.inner.tree(path, options);
        if let Ok(report) = &answer {
            self.lock().answers.tree.insert(path.to_path_buf(), report.clone());
        }
        answer
    }

    fn now(&self) -> i128 {
        self.inner.now()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
