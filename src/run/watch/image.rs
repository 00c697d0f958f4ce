//! What one process was while it ran one program, and what is kept of all of them.
//!
//! A command starts helpers: compilers, `uname`, `ldconfig`. Which of them live long enough to be seen is chance, so
//! only processes that *count* add to what is compared: the command itself, Python interpreters, and whatever loads a
//! library that computes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::procfs::{Mapped, Maps};
use crate::host::elf::{self, ElfInfo};
use crate::probes::env::{allow, glob};
use crate::redact::secret;
use crate::run::{kinds, program};

/// Reasons for less than the whole that are kept.
const REASONS: usize = 20;

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Observed {
    /// Looks at processes.
    pub samples: u64,
    /// CPU time that looking took, the waiting and the passing on of signals included.
    pub cost: Duration,
    /// Processes seen.
    pub processes: u64,
    /// Those that still ran when the command had ended.
    pub left: u64,
    /// The most bytes that were resident in all of them at one time, as far as seen.
    pub memory: u64,
    /// The most bytes that were resident in one of them.
    pub largest: u64,
    /// The most threads of one of them.
    pub threads: u64,
    /// CPUs on which threads ran, as far as seen.
    pub cpus: BTreeSet<u32>,
    /// The CPUs that processes were confined to where driftlock is not, as the kernel lists them.
    pub affinity: BTreeSet<String>,
    /// Variables with which processes started and which differ from driftlock's own: every value, `None` for unset.
    pub environment: BTreeMap<String, BTreeSet<Option<String>>>,
    /// Devices open or mapped.
    pub devices: BTreeSet<String>,
    /// Devices mapped into memory.
    pub mapped_devices: BTreeSet<String>,
    /// Programs of processes that do not count.
    pub helpers: BTreeSet<String>,
    /// Why something may be missing.
    pub degraded: BTreeSet<String>,
    /// Why what was loaded is not known at all of some process.
    pub blind: Option<String>,
    /// Files mapped.
    pub libraries: Vec<Library>,
    index: BTreeMap<String, usize>,
    /// The most copies of a library, by its stem, in one process.
    pub copies: BTreeMap<String, usize>,
}

/// A file that was mapped.
#[derive(Debug)]
pub struct Library {
    /// Its path, links resolved.
    pub path: PathBuf,
    /// Whether a process that counts mapped it, not as its own program.
    pub counts: bool,
    /// Whether it was deleted while it was mapped.
    pub deleted: bool,
    /// What its headers say, where it had to be read at once: it is not to be found under its path here.
    pub elf: Option<Result<ElfInfo, elf::ElfError>>,
}

impl Observed {
    /// Notes why something may be missing.
    pub fn degrade(&mut self, reason: String) {
        if self.degraded.len() < REASONS {
            self.degraded.insert(reason);
        }
    }

    /// Notes why it is not known what some process loaded.
    pub fn blind(&mut self, reason: &str) {
        self.degrade(reason.to_owned());
        self.blind.get_or_insert_with(|| reason.to_owned());
    }

    /// The number of a mapped file.
    fn library(&mut self, file: &Mapped, pid: i32) -> usize {
        if let Some(index) = self.index.get(&file.path) {
            return *index;
        }
        let path = PathBuf::from(&file.path);
        // In another mount namespace, or a changed root, another file or none is at this path here.
        let here = fs::metadata(&path).is_ok_and(|meta| meta.ino() == file.inode);
        let elf = (!here && !file.deleted).then(|| {
            let below = path.strip_prefix("/").unwrap_or(&path);
            elf::inspect(&Path::new(&format!("/proc/{pid}/root")).join(below))
        });
        self.libraries.push(Library { path, counts: false, deleted: file.deleted, elf });
        self.index.insert(file.path.clone(), self.libraries.len() - 1);
        self.libraries.len() - 1
    }
}

/// Which variables of the processes are compared with driftlock's own.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// driftlock's own.
    pub own: BTreeMap<String, String>,
    /// `--env`.
    pub asked: Vec<String>,
    /// `--env-all`.
    pub all: bool,
}

impl Variables {
    fn wants(&self, name: &str) -> bool {
        let allowed = allow::allows(name) && !secret::is_secret_name(name);
        allowed || self.all || self.asked.iter().any(|pattern| glob::matches(pattern, name))
    }

    /// The variables that differ: their values in the other process.
    pub(super) fn differences(&self, theirs: &BTreeMap<String, String>) -> Vec<(String, Option<String>)> {
        let names: BTreeSet<&String> = self.own.keys().chain(theirs.keys()).collect();
        let names = names.into_iter().filter(|name| self.own.get(*name) != theirs.get(*name));
        let names = names.filter(|name| self.wants(name));
        names.map(|name| (name.clone(), theirs.get(name).cloned())).collect()
    }
}

/// One program in one process.
#[derive(Debug, Default)]
pub(super) struct Image {
    is_root: bool,
    exe: Option<String>,
    files: BTreeSet<usize>,
    computes: bool,
    drives_gpu: bool,
    differs: Vec<(String, Option<String>)>,
    affinity: Option<String>,
    open: BTreeSet<String>,
    mapped: BTreeSet<String>,
    cpus: BTreeSet<u32>,
}

impl Image {
    pub(super) fn new(is_root: bool) -> Self {
        Self { is_root, ..Self::default() }
    }

    pub(super) fn start(
        &mut self,
        exe: Option<String>,
        differs: Vec<(String, Option<String>)>,
        affinity: Option<String>,
    ) {
        self.computes = exe.as_ref().is_some_and(|exe| program::is_interpreter(Path::new(exe)));
        (self.exe, self.differs, self.affinity) = (exe, differs, affinity);
    }

    pub(super) fn maps(&mut self, maps: Maps, observed: &mut Observed, pid: i32) {
        let mut stems: BTreeMap<&str, usize> = BTreeMap::new();
        for file in &maps.files {
            if self.exe.as_deref() == Some(&file.path) {
                continue;
            }
            self.files.insert(observed.library(file, pid));
            let stem = kinds::stem(&file.path);
            if let Some(kind) = kinds::of(stem) {
                self.computes |= kind.computes;
                self.drives_gpu |= kind.drives_gpu;
                *stems.entry(stem).or_default() += 1;
            }
        }
        for (stem, count) in stems.into_iter().filter(|(_, count)| *count > 1) {
            let most = observed.copies.entry(stem.to_owned()).or_default();
            *most = count.max(*most);
        }
        self.mapped.extend(maps.devices);
    }

    pub(super) fn cpu(&mut self, cpu: u32) {
        self.cpus.insert(cpu);
    }

    pub(super) fn devices(&mut self, open: BTreeSet<String>) {
        self.open.extend(open);
    }

    /// Whether the program computes: an interpreter, or one that loaded a library that does.
    pub(super) fn computes(&self) -> bool {
        self.computes
    }

    /// Whether it may yet begin to use a GPU: its driver is loaded, and no device of it is mapped.
    pub(super) fn awaits_devices(&self) -> bool {
        self.drives_gpu && !self.mapped.iter().any(|device| is_gpu(device))
    }

    /// Adds what this program was to the whole.
    pub(super) fn fold(self, observed: &mut Observed) {
        if !self.is_root && !self.computes {
            observed.helpers.extend(self.exe);
            return;
        }
        for index in self.files {
            if let Some(library) = observed.libraries.get_mut(index) {
                library.counts = true;
            }
        }
        for (name, value) in self.differs {
            observed.environment.entry(name).or_default().insert(value);
        }
        observed.affinity.extend(self.affinity);
        observed.devices.extend(self.open);
        observed.devices.extend(self.mapped.iter().cloned());
        observed.mapped_devices.extend(self.mapped);
        observed.cpus.extend(self.cpus);
    }
}

/// Whether a device belongs to an accelerator.
pub(crate) fn is_gpu(device: &str) -> bool {
    ["/dev/nvidia", "/dev/kfd", "/dev/dri/", "/dev/dxg", "/dev/nvhost", "/dev/nvmap", "/dev/accel"]
        .iter()
        .any(|prefix| device.starts_with(prefix))
}
