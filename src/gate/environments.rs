//! Which of several locks is for this machine.

use std::collections::BTreeMap;

use crate::snapshot::{FactPath, Looked, Snapshot, Value, digest};

/// How near a machine is to a lock; the first that differs decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nearness {
    /// The same models of GPU, as many of each. None on both sides is the same, too.
    pub gpus: bool,
    /// The same model of CPU.
    pub cpu: bool,
    /// The same image, or no container on either side.
    pub container: bool,
    /// The same distribution and architecture.
    pub system: bool,
    /// How many sections have the same digest.
    pub sections: usize,
}

impl Nearness {
    /// Compares a machine with a lock.
    pub fn of(now: &Snapshot, lock: &Snapshot) -> Self {
        Self::with(now, &digest::sections(now), lock)
    }

    fn with(now: &Snapshot, digests: &BTreeMap<String, String>, lock: &Snapshot) -> Self {
        let same = |path: &[&str]| {
            let path = FactPath::new(path.iter().copied());
            match (now.look(&path), lock.look(&path)) {
                (Looked::Value(x), Looked::Value(y)) => x == y,
                (Looked::Absent, Looked::Absent) => true,
                _ => false,
            }
        };
        let theirs = digest::sections(lock);
        Self {
            gpus: gpus(now).is_some() && gpus(now) == gpus(lock),
            cpu: same(&["cpu", "model"]) && lock.sections.contains("cpu"),
            container: same(&["container", "image"]) && same(&["container", "runtime"]),
            system: same(&["os", "distribution"]) && same(&["os", "arch"]) && lock.sections.contains("os"),
            sections: digests.iter().filter(|(name, digest)| theirs.get(*name) == Some(*digest)).count(),
        }
    }

    /// What is the same, in words.
    pub fn words(&self) -> String {
        let parts =
            [(self.gpus, "GPUs"), (self.cpu, "CPU"), (self.container, "container"), (self.system, "system")];
        let same: Vec<&str> = parts.into_iter().filter(|(same, _)| *same).map(|(_, name)| name).collect();
        if same.is_empty() { "nothing but sections".to_owned() } else { format!("same {}", same.join(", ")) }
    }
}

/// The models of the GPUs, sorted; `None` where they could not be looked at.
fn gpus(snapshot: &Snapshot) -> Option<Vec<String>> {
    let section = FactPath::new(["gpu"]);
    if matches!(snapshot.look(&section), Looked::Unknown(_)) {
        return None;
    }
    let names = snapshot.facts.iter().filter_map(|(path, value)| match (path.segments(), value) {
        ([gpu, _, name], Value::Str(text)) if gpu == "gpu" && name == "name" => Some(text.clone()),
        _ => None,
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    Some(names)
}

/// The nearest of several locks: its place in the list and how near it is.
///
/// # Errors
///
/// The places of those that are equally near, where there are several.
pub fn nearest(now: &Snapshot, locks: &[Snapshot]) -> Result<(usize, Nearness), Vec<usize>> {
    let digests = digest::sections(now);
    let all: Vec<Nearness> = locks.iter().map(|lock| Nearness::with(now, &digests, lock)).collect();
    let Some(best) = all.iter().max().cloned() else { return Err(Vec::new()) };
    let places: Vec<usize> = (0..all.len()).filter(|i| all[*i] == best).collect();
    match places.as_slice() {
        [one] => Ok((*one, best)),
        _ => Err(places),
    }
}
