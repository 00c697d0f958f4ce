//! A machine replayed from a recording, so that probes run on machines that we do not have.
//!
//! The recording is one TOML file: files as text, ELF files and commands as their answers. Directories follow from
//! the paths in it; a path that is not in it does not exist. `docs/design/recorded-hosts.md` describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Command, Entry, FileKind, Host, Output, RunError, Stat, System, blocks, elf, git, links, nvml, tree,
};

const CPUINFO: &str = "/proc/cpuinfo";

/// The file `host.toml` of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recorded {
    /// What machine this is, in a sentence.
    pub about: String,
    /// How it came to be: `recorded` on a machine by `capture --record`, or `composed` by hand, and from what.
    pub provenance: String,
    /// The time that the host says it is, in seconds since 1970.
    pub now: i64,
    /// The working directory.
    pub cwd: PathBuf,
    /// What the kernel says without a file.
    pub system: System,
    /// `/proc/cpuinfo` where its blocks are much alike: those after the first hold only the lines that differ from
    /// it. [`Recorded::parse`] puts the whole text into `files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuinfo: Option<String>,
    /// The environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Symbolic links: path to target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<PathBuf, PathBuf>,
    /// Empty directories, and those whose files are not recorded.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub dirs: BTreeSet<PathBuf>,
    /// Paths that are there and may not be read (`EACCES`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub denied: BTreeSet<PathBuf>,
    /// Executable files; one whose content is not recorded as well cannot be read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub executables: BTreeSet<PathBuf>,
    /// Devices, sockets and pipes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub devices: BTreeSet<PathBuf>,
    /// Files whose content is not recorded, with their length in bytes, 0 where nobody asked for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub present: BTreeMap<PathBuf, u64>,
    /// Text files, path to content.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<PathBuf, String>,
    /// Files that are not UTF-8, path to content in hexadecimal.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bytes: BTreeMap<PathBuf, String>,
    /// ELF files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub elf: BTreeMap<PathBuf, elf::ElfInfo>,
    /// Programs and what they answered; a program that is not here is not installed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<RecordedCommand>,
    /// What NVML answered; absent where there is no driver.
    pub nvml: Option<nvml::NvmlReport>,
    /// Why NVML did not answer, where it did not.
    pub nvml_fault: Option<nvml::NvmlFault>,
    /// The repository that holds the working directory.
    pub git: Option<git::GitReport>,
    /// Why there is no report, where the reason is not that there is no repository.
    pub git_fault: Option<git::GitFault>,
    /// Data trees.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tree: BTreeMap<PathBuf, tree::TreeReport>,
}

/// A program and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordedCommand {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it answered.
    pub output: Output,
    /// Whether it never ends.
    pub hangs: bool,
}

impl Recorded {
    /// Parses a recording.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut recorded: Self = toml::from_str(text)?;
        if let Some(short) = recorded.cpuinfo.take() {
            recorded.files.insert(CPUINFO.into(), blocks::expand(&short));
        }
        Ok(recorded)
    }

    /// The text that [`Recorded::parse`] reads: what follows from the rest is left out, `/proc/cpuinfo` is made short.
    ///
    /// # Errors
    ///
    /// What TOML cannot hold: an integer above `i64::MAX`.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let mut lean = self.clone();
        lean.cpuinfo = self.files.get(Path::new(CPUINFO)).and_then(|text| blocks::shrink(text));
        if lean.cpuinfo.is_some() {
            lean.files.remove(Path::new(CPUINFO));
        }
        lean.present.retain(|path, len| {
            let read = self.files.contains_key(path) || self.bytes.contains_key(path);
            let named = self.elf.contains_key(path) || self.executables.contains(path);
            !(read || named && *len == 0)
        });
        let every: BTreeSet<&Path> = self.paths().map(|(path, _)| path.as_path()).collect();
        lean.dirs.retain(|dir| {
            let mut below = every.range::<Path, _>((Bound::Excluded(dir.as_path()), Bound::Unbounded));
            !below.next().is_some_and(|next| next.starts_with(dir))
        });
        let header = "# A machine for tests; docs/design/recorded-hosts.md describes this file.\n";
        Ok(header.to_owned() + &toml::to_string_pretty(&lean)?)
    }

    /// The path with every link resolved, whether or not it exists.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let out = links::resolve(&self.cwd.join(path), |path| self.links.get(path).cloned())?;
        if self.denied.iter().any(|denied| out.starts_with(denied)) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(out)
    }

    /// Every path of the recording that holds something.
    fn paths(&self) -> impl Iterator<Item = (&PathBuf, FileKind)> {
        let files = self.files.keys().chain(self.bytes.keys()).chain(self.elf.keys());
        files
            .chain(&self.executables)
            .chain(self.present.keys())
            .map(|p| (p, FileKind::File))
            .chain(self.devices.iter().map(|p| (p, FileKind::Other)))
            .chain(self.dirs.iter().map(|p| (p, FileKind::Dir)))
            .chain(self.links.keys().map(|p| (p, FileKind::Link)))
            .chain(self.denied.iter().map(|p| (p, FileKind::File)))
            .chain(self.tree.keys().map(|p| (p, FileKind::Dir)))
    }

    fn kind(&self, resolved: &Path) -> Option<FileKind> {
        if resolved == Path::new("/") {
            return Some(FileKind::Dir);
        }
        let files = [
            self.files.contains_key(resolved),
            self.bytes.contains_key(resolved),
            self.elf.contains_key(resolved),
            self.executables.contains(resolved),
            self.present.contains_key(resolved),
            self.denied.contains(resolved),
        ];
        if files.contains(&true) {
            return Some(FileKind::File);
        }
        if self.devices.contains(resolved) {
            return Some(FileKind::Other);
        }
        // What lies below a folder comes right behind it: paths are ordered part by part.
        let after = (Bound::Excluded(resolved), Bound::Unbounded);
        let next = [
            self.files.range::<Path, _>(after).next().map(|(path, _)| path),
            self.bytes.range::<Path, _>(after).next().map(|(path, _)| path),
            self.elf.range::<Path, _>(after).next().map(|(path, _)| path),
            self.links.range::<Path, _>(after).next().map(|(path, _)| path),
            self.executables.range::<Path, _>(after).next(),
            self.present.range::<Path, _>(after).next().map(|(path, _)| path),
            self.devices.range::<Path, _>(after).next(),
            self.denied.range::<Path, _>(after).next(),
            self.dirs.range::<Path, _>(after).next(),
        ];
        let holds = next.into_iter().flatten().any(|path| path.starts_with(resolved));
        (holds || self.dirs.contains(resolved)).then_some(FileKind::Dir)
    }
}

impl Host for Recorded {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.resolve(path)?;
        if let Some(text) = self.files.get(&path) {
            return Ok(text.clone().into_bytes());
        }
        if let Some(hex) = self.bytes.get(&path) {
            let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
            return Ok(digits.chunks(2).map(|d| d.iter().fold(0_u8, |n, d| n * 16 + (*d as u8))).collect());
        }
        Err(match self.kind(&path) {
            Some(FileKind::Dir) => io::ErrorKind::IsADirectory.into(),
            Some(_) => io::Error::other("not part of the recording"),
            None => io::ErrorKind::NotFound.into(),
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let path = self.resolve(path)?;
        if self.kind(&path) != Some(FileKind::Dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut names = BTreeMap::new();
        for (entry, kind) in self.paths() {
            let Ok(rest) = entry.strip_prefix(&path) else {
                continue;
            };
            let mut components = rest.components();
            if let Some(Component::Normal(name)) = components.next() {
                let kind = if components.next().is_some() { FileKind::Dir } else { kind };
                names.insert(name.to_string_lossy().into_owned(), kind);
            }
        }
        Ok(names.into_iter().map(|(name, kind)| Entry { name, kind }).collect())
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let path = self.resolve(path)?;
        let kind = self.kind(&path).ok_or(io::ErrorKind::NotFound)?;
        let text = self.files.get(&path).map(|text| text.len() as u64);
        let bytes = || self.bytes.get(&path).map(|hex| hex.len() as u64 / 2);
        let len = text.or_else(bytes).or_else(|| self.present.get(&path).copied()).unwrap_or(0);
        Ok(Stat { kind, len, executable: self.executables.contains(&path) })
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let path = self.cwd.join(path);
        let parent = self.resolve(path.parent().unwrap_or(Path::new("/")))?;
        let path = parent.join(path.file_name().unwrap_or_default());
        self.links.get(&path).cloned().ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let path = self.resolve(path)?;
        self.kind(&path).map(|_| path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn env_all(&self) -> BTreeMap<String, String> {
        self.env.clone()
    }

    fn cwd(&self) -> PathBuf {
        self.cwd.clone()
    }

    fn system(&self) -> System {
        self.system.clone()
    }

    fn run(&self, command: &Command) -> Result<Output, RunError> {
        let found = self.command.iter().find(|c| c.program == command.program && c.args == command.args);
        match found {
            Some(c) if c.hangs => {
                Err(RunError::TimedOut { program: c.program.clone(), limit_ms: command.limit_ms })
            }
            Some(c) => Ok(c.output.clone()),
            None => Err(RunError::NotFound(command.program.clone())),
        }
    }

    fn elf(&self, path: &Path) -> Result<elf::ElfInfo, elf::ElfError> {
        let path = self.resolve(path).map_err(|e| elf::ElfError::Unreadable(e.to_string()))?;
        match self.elf.get(&path) {
            Some(info) => Ok(info.clone()),
            None if self.kind(&path).is_some() => {
                Err(elf::ElfError::Malformed("not part of the recording".to_owned()))
            }
            None => Err(elf::ElfError::NotFound),
        }
    }

    fn nvml(&self, _limit: Duration) -> Result<nvml::NvmlReport, nvml::NvmlFault> {
        match (&self.nvml_fault, &self.nvml) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Some(report)) => Ok(report.clone()),
            (None, None) => Err(nvml::NvmlFault::Absent),
        }
    }

    fn git(&self, _start: &Path, _options: &git::GitOptions) -> Result<git::GitReport, git::GitFault> {
        match (&self.git_fault, &self.git) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Some(report)) => Ok(report.clone()),
            (None, None) => Err(git::GitFault::NoRepository),
        }
    }

    fn tree(&self, path: &Path, _options: &tree::TreeOptions) -> Result<tree::TreeReport, tree::TreeFault> {
        self.tree.get(path).cloned().ok_or(tree::TreeFault::NotFound)
    }

    fn now(&self) -> i128 {
        i128::from(self.now) * 1_000_000_000
    }
}
