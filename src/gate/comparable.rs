//! What of two snapshots can be compared at all: facts that one of them has because it was asked for more are no drift
//! of the other.

use std::cmp::Ordering;

use crate::diff::version::compare;
use crate::explain::pattern::Pattern;
use crate::facts;
use crate::probes::env::allow;
use crate::snapshot::{FactPath, Snapshot};

/// Facts that come by an option of `capture` alone: what to call them, and their patterns.
const BY_OPTION: [(&str, &[&str]); 2] = [
    ("python.deep (--deep)", &["python.deep.**"]),
    ("edited packages (--verify-packages)", &["python.edited", "python.unverified", "python.verified_files"]),
];

/// Sections that are about a run and not about a machine: `check` never looks at them.
const OF_A_RUN: [&str; 4] = ["run", "workload", "outputs", "selftest"];

/// Takes out of both what comes by an option of `capture` alone and only one of them was asked for, and says what that
/// was: for the other it is not absent, but was never looked at.
pub fn one_sided(a: &mut Snapshot, b: &mut Snapshot) -> Vec<String> {
    let mut out = Vec::new();
    for (name, patterns) in BY_OPTION {
        let patterns: Vec<Pattern> = patterns.iter().map(|p| Pattern::new(p)).collect();
        let has = |s: &Snapshot| s.facts.keys().any(|path| patterns.iter().any(|p| p.matches(path)));
        let side = match (has(a), has(b)) {
            (true, false) => &mut *a,
            (false, true) => &mut *b,
            _ => continue,
        };
        remove(side, &|path| patterns.iter().any(|p| p.matches(path)));
        out.push(name.to_owned());
    }
    out
}

/// Takes out of both what only one of them was asked for, and says what that was. `live` is whether the second is this
/// machine as `check` looks at it, with these variables beside the usual ones.
pub fn comparable(lock: &mut Snapshot, now: &mut Snapshot, live: Option<&[String]>) -> Vec<String> {
    let mut out = one_sided(lock, now);
    if let Some(version) = newer_facts(lock, now) {
        out.push(format!("facts that driftlock {version} did not record"));
    }
    let Some(asked) = live else { return out };
    // The policy decides what is looked at (`data`, `config`, `no-python`): what is left out is no fact that is gone.
    let left_out: Vec<String> = lock.sections.difference(&now.sections).cloned().collect();
    for section in left_out.iter().filter(|s| !OF_A_RUN.contains(&s.as_str())) {
        lock.sections.remove(section);
        remove(lock, &|path| path.section() == section);
        out.push(section.clone());
    }
    // A variable that was recorded on request looks absent to a check that was not asked for it.
    let unasked = |path: &FactPath| match path.segments() {
        [env, name] if env == "env" => {
            !allow::allows(name) && !asked.iter().any(|glob| crate::probes::env::glob::matches(glob, name))
        }
        _ => false,
    };
    let variables: Vec<String> = [&lock.facts, &lock.private]
        .into_iter()
        .flat_map(|facts| facts.keys().filter(|p| unasked(p)).map(ToString::to_string))
        .collect();
    if !variables.is_empty() {
        remove(lock, &unasked);
        out.extend(variables.into_iter().map(|name| format!("{name} (--env)")));
    }
    out
}

/// Takes out of `now` what the driftlock that wrote the lock did not know of, and returns its version where there was
/// some: an upgrade of driftlock is no drift.
fn newer_facts(lock: &Snapshot, now: &mut Snapshot) -> Option<String> {
    let version = lock.meta.get(&FactPath::new(["meta", "driftlock"]))?.as_str()?.to_owned();
    let newer = |path: &FactPath| {
        !lock.facts.contains_key(path)
            && facts::find(path).is_some_and(|f| compare(f.since, &version) == Ordering::Greater)
    };
    let there = now.facts.keys().any(newer);
    now.facts.retain(|path, _| !newer(path));
    there.then_some(version)
}

fn remove(snapshot: &mut Snapshot, which: &dyn Fn(&FactPath) -> bool) {
    for facts in [&mut snapshot.facts, &mut snapshot.private, &mut snapshot.volatile] {
        facts.retain(|path, _| !which(path));
    }
    snapshot.unknown.retain(|path, _| !which(path));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    #[test]
    fn an_upgrade_of_driftlock_is_no_drift() {
        let side = |version: &str, facts: &[&str]| {
            let mut out = Snapshot::default();
            out.sections.insert("os".to_owned());
            out.meta.insert(FactPath::new(["meta", "driftlock"]), version.into());
            for path in facts {
                out.facts.insert(path.parse().unwrap(), Value::from("x"));
            }
            out
        };
        for (version, left) in [("0.0.9", 1), ("0.1.0", 2)] {
            let mut lock = side(version, &["os.arch"]);
            let mut now = side("0.1.0", &["os.arch", "os.libc"]);
            let said = comparable(&mut lock, &mut now, None);
            assert_eq!((now.facts.len(), said.len()), (left, 2 - left), "{version}: {said:?}");
        }
    }
}
