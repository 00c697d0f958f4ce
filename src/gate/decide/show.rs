//! What a finding shows: its facts with their values, and where to look.

use super::Judge;
use crate::gate::finding::{FactChange, Location};
use crate::snapshot::{FactPath, Looked, Snapshot};

impl Judge<'_> {
    /// The facts with their values; what tells most to people comes first.
    pub(super) fn changes(&self, paths: &[FactPath]) -> Vec<FactChange> {
        in_order(paths).into_iter().map(|path| self.change(path)).collect()
    }

    pub(super) fn change(&self, path: &FactPath) -> FactChange {
        let fact = path.to_string();
        if let Some(change) = self.shown.get(fact.as_str()) {
            let (a, b) = crate::render::diff::values(change);
            return FactChange { fact, expected: Some(a), found: change.b.as_ref().map(|_| b) };
        }
        let say = |side: &Snapshot| match side.look(path) {
            Looked::Value(value) => Some(crate::render::value(path, value)),
            Looked::Absent => None,
            Looked::Unknown(why) => Some(format!("unknown: {why}")),
        };
        let expected = say(self.input.lock).unwrap_or_else(|| "absent".to_owned());
        FactChange { fact, expected: Some(expected), found: say(&self.now) }
    }

    pub(super) fn lock_line(&self, path: Option<&FactPath>) -> Option<Location> {
        let place = path.and_then(|path| self.input.lines.find(path));
        Some(Location {
            path: self.input.lock_path.to_path_buf(),
            line: place.map_or(1, |p| p.line),
            column: place.and_then(|p| p.columns).map(|(first, _)| first),
            end_column: place.and_then(|p| p.columns).map(|(_, last)| last),
        })
    }

    pub(super) fn policy_line(&self, line: usize) -> Option<Location> {
        let path = self.input.policy?.to_path_buf();
        (line > 0).then_some(Location { path, line, column: None, end_column: None })
    }
}

/// Versions first, then all else, then what only tells builds apart, and places last.
pub(super) fn in_order(paths: &[FactPath]) -> Vec<&FactPath> {
    let rank = |path: &FactPath| match path.segments().last().map_or("", String::as_str) {
        "version" => 0,
        "build_id" | "build_ids" | "record" | "git_commit" | "metadata_version" | "build" => 2,
        "path" | "files" | "origin" => 3,
        _ => 1,
    };
    let mut out: Vec<&FactPath> = paths.iter().collect();
    out.sort_by_key(|path| rank(path));
    out
}
