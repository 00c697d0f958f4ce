//! What of two snapshots can be compared at all: facts that one of them has because it was asked for more are no drift
//! of the other.

use crate::explain::pattern::Pattern;
use crate::probes::env::allow;
use crate::snapshot::{FactPath, Snapshot};

/// Facts that come by an option of `capture` alone: what to call them, and their patterns.
const BY_OPTION: [(&str, &[&str]); 2] = [
    ("python.deep (--deep)", &["python.deep.**"]),
    ("edited packages (--verify-packages)", &["python.edited", "python.unverified", "python.verified_files"]),
];

/// Sections that come by an option alone.
const SECTIONS: [(&str, &str); 2] = [("data (--data)", "data"), ("config (--config)", "config")];

/// Takes out of both what only one of them was asked for, and says what that was. `live` is whether the second is this
/// machine as `check` looks at it, with these variables beside the usual ones.
pub fn comparable(lock: &mut Snapshot, now: &mut Snapshot, live: Option<&[String]>) -> Vec<String> {
    let mut out = Vec::new();
    for (name, patterns) in BY_OPTION {
        let patterns: Vec<Pattern> = patterns.iter().map(|p| Pattern::new(p)).collect();
        let has = |s: &Snapshot| s.facts.keys().any(|path| patterns.iter().any(|p| p.matches(path)));
        let side = match (has(lock), has(now)) {
            (true, false) => &mut *lock,
            (false, true) => &mut *now,
            _ => continue,
        };
        remove(side, &|path| patterns.iter().any(|p| p.matches(path)));
        out.push(name.to_owned());
    }
    let Some(asked) = live else { return out };
    for (name, section) in SECTIONS {
        if lock.sections.contains(section) && !now.sections.contains(section) {
            lock.sections.remove(section);
            remove(lock, &|path| path.section() == section);
            out.push(name.to_owned());
        }
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

fn remove(snapshot: &mut Snapshot, which: &dyn Fn(&FactPath) -> bool) {
    for facts in [&mut snapshot.facts, &mut snapshot.private, &mut snapshot.volatile] {
        facts.retain(|path, _| !which(path));
    }
    snapshot.unknown.retain(|path, _| !which(path));
}
