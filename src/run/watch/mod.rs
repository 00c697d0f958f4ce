//! Watches the command's processes through `/proc`: what each one mapped, with which environment it started, how many
//! threads it had.
//!
//! A process is looked at soon after it appears and then ever more rarely; a change of what it maps brings the next
//! look forward. One look reads `status`, some 25 µs; only where that tells of other mappings is `maps` read, half a
//! millisecond for a program with torch. The sum of it all is held to `BUDGET` and a thousandth of the run, twice that
//! where new processes come and come.

mod find;
mod image;
mod procfs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

pub(crate) use image::is_gpu;
pub use image::{Library, Observed, Variables};

use crate::error::reason;
use find::Finder;
use image::Image;
use procfs::{Maps, Stat, Status, environ};

/// CPU time that looking may take at once, so that the start, where most libraries are loaded, is seen densely.
const BUDGET: Duration = Duration::from_millis(50);
/// One part in this many of the run's time is added to it.
const SHARE: u32 = 1000;
/// New processes are looked for beyond that, up to twice as much and this part.
const FIND_SHARE: u32 = 400;
/// How old a process must be that was forked and runs no program of its own before it is traced: a program that it
/// becomes meanwhile may be a setuid one, which would lose its privileges.
const FORKED: Duration = Duration::from_millis(300);
/// The first wait between two looks at a process, and the longest.
const SOON: Duration = Duration::from_millis(2);
const RARELY: Duration = Duration::from_millis(500);
/// The longest wait between two looks for new processes.
const FIND_RARELY: Duration = Duration::from_millis(100);
/// Processes that are followed at once; of more, the later ones are not.
const PROCESSES: usize = 4096;

/// Everything that is known of the command's processes.
#[derive(Debug)]
pub(super) struct Watcher {
    root: i32,
    started: Instant,
    processes: BTreeMap<i32, Process>,
    finder: Finder,
    find_at: Instant,
    find_wait: Duration,
    cpus_at: Duration,
    observed: Observed,
    variables: Variables,
    own_cpus: String,
    buffer: Vec<u8>,
}

/// One process.
#[derive(Debug)]
struct Process {
    start: u64,
    image: Image,
    env_start: u64,
    lib: u64,
    rss: u64,
    due: Instant,
    wait: Duration,
    /// Whether the last look at its devices was after it loaded a GPU's driver.
    devices_at: Option<Instant>,
    /// When it was first seen.
    seen: Instant,
    /// Whether it runs the program that it was forked from.
    forked: bool,
    /// When its mappings were read.
    read_at: Instant,
    /// Whether it is, or cannot be, traced: `None` where that was not tried.
    traced: Option<bool>,
}

impl Watcher {
    /// Begins with the command's first process. `variables` are those to compare with driftlock's own.
    pub(super) fn new(root: i32, variables: Variables) -> Self {
        let now = Instant::now();
        let own_cpus = fs::read_to_string("/proc/self/status").map(|text| Status::parse(&text).cpus);
        let mut watcher = Self {
            root,
            started: now,
            processes: BTreeMap::new(),
            finder: Finder::new(root),
            find_at: now,
            find_wait: SOON,
            cpus_at: Duration::from_millis(500),
            observed: Observed::default(),
            variables,
            own_cpus: own_cpus.unwrap_or_default(),
            buffer: Vec::new(),
        };
        watcher.follow(root);
        watcher
    }

    /// Looks at what is due, and says when to come again and which processes a last look would be worth.
    pub(super) fn look(&mut self) -> (Duration, Vec<i32>) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.started);
        let spent = spent();
        if let Some(over) = spent.checked_sub(BUDGET * 2 + elapsed / FIND_SHARE) {
            return ((over * FIND_SHARE).clamp(SOON, Duration::from_secs(5)), Vec::new());
        }
        let within_budget = spent < BUDGET + elapsed / SHARE;
        if now >= self.find_at {
            let found = self.finder.find(&self.processes.keys().copied().collect(), &mut self.buffer);
            self.find_wait = if found.is_empty() { (self.find_wait * 5 / 4).min(FIND_RARELY) } else { SOON };
            self.find_at = now + self.find_wait;
            for pid in found {
                self.follow(pid);
            }
        }
        let due: Vec<i32> =
            self.processes.iter().filter(|(_, p)| p.due <= now).map(|(pid, _)| *pid).collect();
        for pid in due.into_iter().filter(|_| within_budget) {
            self.sample(pid, false);
        }
        if within_budget && elapsed >= self.cpus_at {
            self.cpus_at *= 4;
            self.cpus();
        }
        let worth = self.processes.iter().filter(|(_, p)| {
            let own = !p.forked || now.duration_since(p.seen) >= FORKED;
            p.traced.is_none() && p.image.computes() && own
        });
        let worth = worth.map(|(pid, _)| *pid).collect();
        let next = self.processes.values().map(|p| p.due).min().filter(|_| within_budget);
        let next = next.map_or(self.find_at, |due| due.min(self.find_at));
        (next.saturating_duration_since(Instant::now()), worth)
    }

    /// Notes whether a process is traced: then its last look will see all that it has mapped by then.
    pub(super) fn traced(&mut self, pid: i32, traced: bool) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.traced = Some(traced);
        }
    }

    /// A last look at a process that is about to end and still has its memory.
    pub(super) fn last_look(&mut self, pid: i32) {
        self.sample(pid, true);
    }

    /// Notes why something may be missing.
    pub(super) fn degrade(&mut self, reason: String) {
        self.observed.degrade(reason);
    }

    /// Whether a process is one of the command's.
    pub(super) fn is_ours(&self, pid: i32) -> bool {
        self.processes.contains_key(&pid)
    }

    /// What was seen, once the command has ended. What still runs has its last look now.
    pub(super) fn finish(mut self) -> Observed {
        // What came since the last look, whatever looking has cost by now.
        for pid in self.finder.find(&self.processes.keys().copied().collect(), &mut self.buffer) {
            self.follow(pid);
        }
        let left: Vec<i32> = self.processes.keys().copied().collect();
        for pid in left {
            if pid != self.root {
                self.sample(pid, true);
                self.observed.left += u64::from(self.processes.contains_key(&pid));
            }
            self.end(pid);
        }
        self.observed.cost = spent();
        self.observed
    }

    fn follow(&mut self, pid: i32) {
        if self.processes.len() >= PROCESSES {
            self.observed.degrade(format!(
                "more than {PROCESSES} processes at once; the later ones were not followed"
            ));
            return;
        }
        let now = Instant::now();
        self.observed.processes += 1;
        // A session or group that it founds later bears its number (setsid(2), setpgid(2)).
        self.finder.groups(pid, pid);
        let process = Process {
            start: 0,
            image: Image::new(pid == self.root),
            env_start: 0,
            lib: u64::MAX,
            rss: 0,
            due: now,
            wait: SOON,
            devices_at: None,
            seen: now,
            forked: true,
            read_at: now,
            traced: None,
        };
        self.processes.insert(pid, process);
        self.sample(pid, false);
    }

    /// One look at one process.
    fn sample(&mut self, pid: i32, thorough: bool) {
        let Some(status) = self.text(pid, "status").map(|text| Status::parse(&text)) else {
            if pid == self.root && self.observed.samples == 0 {
                self.observed.blind("/proc does not show the command's processes");
            }
            self.end(pid);
            return;
        };
        self.observed.samples += 1;
        if status.zombie {
            self.end(pid);
            return;
        }
        let now = Instant::now();
        let (lib, wait, gpu, calm) = match self.processes.get_mut(&pid) {
            Some(process) => {
                process.rss = status.rss;
                let settled = process.devices_at.is_some_and(|at| now.duration_since(at) < RARELY / 2);
                // What a traced process loads is seen at its end; only what it closes before would be missed.
                let calm = process.traced == Some(true) && now.duration_since(process.read_at) < RARELY;
                (process.lib, process.wait, process.image.awaits_devices() && !settled, calm)
            }
            None => return,
        };
        let total: u64 = self.processes.values().map(|p| p.rss).sum();
        let observed = &mut self.observed;
        observed.memory = observed.memory.max(total.saturating_mul(1024));
        observed.largest = observed.largest.max(status.peak.saturating_mul(1024));
        observed.threads = observed.threads.max(status.threads);
        let changed = lib != status.lib;
        let read = (changed && !calm) || thorough || gpu;
        if read {
            self.read(pid, &status);
        }
        if let Some(process) = self.processes.get_mut(&pid) {
            if read {
                (process.lib, process.read_at) = (status.lib, now);
            }
            // A program that is loading its libraries is looked at more often, one that has settled ever less.
            process.wait =
                if changed && !calm { (wait / 2).max(SOON * 2) } else { (wait * 3 / 2).min(RARELY) };
            process.due = now + process.wait;
            if gpu {
                process.devices_at = Some(now);
            }
        }
    }

    /// Reads what a process has mapped, and where it is new, what it started with.
    fn read(&mut self, pid: i32, status: &Status) {
        let Some(stat) = self.text(pid, "stat").and_then(|text| Stat::parse(&text)) else {
            return;
        };
        self.finder.groups(stat.pgrp, stat.session);
        let known = self.processes.get(&pid).map(|p| (p.start, p.env_start));
        let Some((start, env_start)) = known else {
            return;
        };
        if start != 0 && start != stat.start {
            // The number belongs to another process by now.
            self.end(pid);
            return;
        }
        if start == 0 || env_start != stat.env_start {
            self.exec(pid, &stat, status);
        }
        match self.file(pid, "maps") {
            Ok(()) => {
                let maps = Maps::parse(&String::from_utf8_lossy(&self.buffer));
                // What became another program in between is read at the next look, as that program.
                let now = self.text(pid, "stat").and_then(|text| Stat::parse(&text));
                if now.is_some_and(|now| now.env_start != stat.env_start || now.start != stat.start) {
                    return;
                }
                let observed = &mut self.observed;
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.image.maps(maps, observed, pid);
                    process.image.cpu(stat.cpu);
                }
            }
            Err(error) => self.unreadable(pid, "maps", &error),
        }
        let awaits = self.processes.get(&pid).is_some_and(|p| p.image.awaits_devices());
        if awaits {
            let devices = open_devices(pid);
            if let Some(process) = self.processes.get_mut(&pid) {
                process.image.devices(devices);
            }
        }
    }

    /// A new program in a process: its file, its environment, its CPUs.
    fn exec(&mut self, pid: i32, stat: &Stat, status: &Status) {
        let exe = fs::read_link(format!("/proc/{pid}/exe"));
        let environment = match self.file(pid, "environ") {
            Ok(()) => environ(&self.buffer),
            Err(error) => {
                self.unreadable(pid, "environ", &error);
                None
            }
        };
        let differs = environment.map(|theirs| self.variables.differences(&theirs)).unwrap_or_default();
        let cpus = (status.cpus != self.own_cpus && !self.own_cpus.is_empty()).then(|| status.cpus.clone());
        let Some(process) = self.processes.get_mut(&pid) else {
            return;
        };
        let is_root = pid == self.root;
        let old = std::mem::replace(&mut process.image, Image::new(is_root));
        old.fold(&mut self.observed);
        (process.start, process.env_start) = (stat.start, stat.env_start);
        process.forked = stat.forked;
        process.image.start(exe.ok().map(|exe| exe.to_string_lossy().into_owned()), differs, cpus);
    }

    /// A process that is gone.
    fn end(&mut self, pid: i32) {
        if let Some(process) = self.processes.remove(&pid) {
            process.image.fold(&mut self.observed);
        }
    }

    fn unreadable(&mut self, pid: i32, what: &str, error: &std::io::Error) {
        // A process that ended in between is no matter; ESRCH is what reading of one gives.
        let gone =
            matches!(error.kind(), std::io::ErrorKind::NotFound) || error.raw_os_error() == Some(libc::ESRCH);
        if !gone {
            let which =
                if pid == self.root { "the command's first process" } else { "a process of the command" };
            let error = reason(error);
            self.observed.blind(&format!("cannot read /proc/PID/{what} of {which}: {error}"));
        }
    }

    /// Every CPU that a thread ran on last; rare, since it takes a read for each thread.
    fn cpus(&mut self) {
        const THREADS: usize = 256;
        let pids: Vec<i32> = self.processes.keys().copied().collect();
        let mut left = THREADS;
        for pid in pids {
            let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
                continue;
            };
            for task in tasks.flatten().take(left) {
                left -= 1;
                let text = fs::read_to_string(task.path().join("stat"));
                if let Some(stat) = text.ok().and_then(|text| Stat::parse(&text))
                    && let Some(process) = self.processes.get_mut(&pid)
                {
                    process.image.cpu(stat.cpu);
                }
            }
        }
    }

    fn file(&mut self, pid: i32, name: &str) -> std::io::Result<()> {
        read_into(&format!("/proc/{pid}/{name}"), &mut self.buffer)
    }

    fn text(&mut self, pid: i32, name: &str) -> Option<String> {
        self.file(pid, name).ok()?;
        Some(String::from_utf8_lossy(&self.buffer).into_owned())
    }
}

/// Reads a file of `/proc`, whose size is not known before, into a buffer that is used again.
fn read_into(path: &str, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::Read as _;
    const LIMIT: u64 = 16 << 20;
    buffer.clear();
    fs::File::open(path)?.take(LIMIT).read_to_end(buffer).map(drop)
}

/// The devices that a process has open.
fn open_devices(pid: i32) -> BTreeSet<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.map(|path| path.to_string_lossy().into_owned()).filter(|path| path.starts_with("/dev/")).collect()
}

/// CPU time of the calling thread.
#[expect(unsafe_code, reason = "clock_gettime(2) of a thread's clock")]
fn spent() -> Duration {
    // SAFETY: clock_gettime writes a timespec, for which zero is a valid value.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
        time
    };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
