//! The machine in a few lines: what `capture` prints and what every report begins with.

use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// Name and text of each line; a section that was not captured, or that holds nothing to tell, has none.
pub fn lines(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let facts = Lookup(snapshot);
    let all = [("os", os(&facts)), ("cpu", cpu(&facts))];
    all.into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

struct Lookup<'a>(&'a Snapshot);

impl Lookup<'_> {
    fn text(&self, path: &str) -> Option<String> {
        let path: FactPath = path.parse().ok()?;
        match self.0.look(&path) {
            Looked::Value(value) => Some(crate::snapshot::value::shown(&value.plain()).into_owned()),
            _ => None,
        }
    }

    fn int(&self, path: &str) -> Option<i64> {
        let path: FactPath = path.parse().ok()?;
        match self.0.look(&path) {
            Looked::Value(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }
}

fn os(facts: &Lookup<'_>) -> Option<String> {
    facts.text("os.family")
}

fn cpu(facts: &Lookup<'_>) -> Option<String> {
    let cores = facts
        .int("cpu.cores")
        .map(|n| format!(", {n} cores"))
        .unwrap_or_default();
    facts.text("cpu.model").map(|model| model + &cores)
}
