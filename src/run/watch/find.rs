//! Finds new processes of the command.
//!
//! The fifth field of `/proc/loadavg` is the number given last to a new process or thread (proc_loadavg(5)): while it
//! stays, there is nothing to find, and when it has moved by a little, the new numbers are tried one by one. Only
//! otherwise is `/proc` listed, and then only numbers that were not there before are looked at.

use std::collections::BTreeSet;
use std::fs;

use super::procfs::{Stat, Status};
use super::read_into;

/// How many numbers are tried before listing `/proc` is cheaper.
const TRIES: i32 = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Finder {
    root: i32,
    /// The number given last; `None` where `/proc/loadavg` does not tell it, as under lxcfs or gVisor.
    last: Option<i32>,
    /// Processes that were there and are not the command's.
    others: BTreeSet<i32>,
    /// Process groups and sessions of the command's processes, for those whose parent is gone.
    groups: BTreeSet<i32>,
    /// The session and group of driftlock itself, which others may share.
    own: (i32, i32),
    /// When the command's first process started, in ticks.
    since: u64,
    own_pid: i32,
}

impl Finder {
    pub(super) fn new(root: i32) -> Self {
        let own = stat("self");
        let last = last_pid().filter(|last| *last >= root);
        Self {
            root,
            // One before the root, so that what it has started by now is tried.
            last: last.map(|_| root),
            others: BTreeSet::new(),
            groups: BTreeSet::from([root]),
            own: own.map_or((0, 0), |stat| (stat.session, stat.pgrp)),
            since: stat(&root.to_string()).map_or(0, |stat| stat.start),
            own_pid: i32::try_from(std::process::id()).unwrap_or(0),
        }
    }

    /// Notes the group and session of a process of the command.
    pub(super) fn groups(&mut self, pgrp: i32, session: i32) {
        for group in [pgrp, session] {
            if group != self.own.0 && group != self.own.1 && group > 0 {
                self.groups.insert(group);
            }
        }
    }

    /// The processes that have come, parents first.
    pub(super) fn find(&mut self, known: &BTreeSet<i32>, buffer: &mut Vec<u8>) -> Vec<i32> {
        let last = self.last.and_then(|before| Some((before, last_pid()?)));
        let candidates: Vec<i32> = match last {
            Some((before, now)) if before == now => return Vec::new(),
            Some((before, now)) if now > before && now - before <= TRIES => {
                let new: Vec<i32> = (before + 1..=now).collect();
                // Given anew: what had the number before is gone.
                self.others.retain(|pid| !new.contains(pid));
                new
            }
            _ => {
                let all = listed();
                // Where the numbers began again from below, any of them may be another process by now.
                let again = last.is_some_and(|(before, now)| now < before);
                self.others.retain(|pid| !again && all.contains(pid));
                all.into_iter().collect()
            }
        };
        self.last = last.map(|(_, now)| now);
        let mut new: Vec<(i32, i32)> = Vec::new();
        for pid in candidates {
            if known.contains(&pid) || self.others.contains(&pid) || pid == self.own_pid {
                continue;
            }
            if read_into(&format!("/proc/{pid}/status"), buffer).is_err() {
                continue;
            }
            let status = Status::parse(&String::from_utf8_lossy(buffer));
            if status.tgid == pid && !status.zombie {
                new.push((pid, status.ppid));
            }
        }
        let mut found: Vec<i32> = Vec::new();
        loop {
            let ours = |pid: &i32, parent: &i32| {
                known.contains(parent)
                    || *parent == self.root
                    || found.contains(parent)
                    || self.orphan(*pid, *parent)
            };
            let (mine, rest): (Vec<_>, Vec<_>) = new.iter().partition(|(pid, parent)| ours(pid, parent));
            if mine.is_empty() {
                self.others.extend(rest.iter().map(|(pid, _)| *pid));
                return found;
            }
            found.extend(mine.iter().map(|(pid, _)| *pid));
            new = rest;
        }
    }

    /// Whether a process whose parent is not one of the command's is: its parent ended, and it went to another one,
    /// while it is still in the command's session or group.
    fn orphan(&self, pid: i32, parent: i32) -> bool {
        if parent == self.own_pid {
            return false;
        }
        let Some(stat) = stat(&pid.to_string()) else {
            return false;
        };
        if stat.start < self.since {
            return false;
        }
        // driftlock's own group holds the rest of a shell's pipeline, whose parent is the shell and not init.
        let shared = parent == 1 && stat.pgrp == self.own.1;
        self.groups.contains(&stat.session) || self.groups.contains(&stat.pgrp) || shared
    }
}

fn stat(pid: &str) -> Option<Stat> {
    Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn last_pid() -> Option<i32> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_ascii_whitespace().nth(4)?.parse().ok().filter(|pid| *pid > 0)
}

fn listed() -> BTreeSet<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
