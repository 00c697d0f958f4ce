//! The snapshot: what `capture` and `run` write and every other command reads.
//!
//! In memory a snapshot is a flat, ordered map from [`FactPath`] to [`Value`]. In the file the facts are TOML
//! tables, one per section; private and volatile facts stand apart at the end, so that two captures of an unchanged
//! machine agree in everything above them. `docs/reference/snapshot.md` describes the format.

pub mod digest;
#[expect(clippy::disallowed_methods, reason = "snapshot files are input and output, not facts")]
pub mod file;
pub mod path;
pub mod read;
pub mod value;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use path::FactPath;
pub use value::Value;

/// The format this version writes. Readers accept this and older ones, and refuse newer ones.
pub const FORMAT: i64 = 1;

/// Top-level tables of the file that are not sections.
pub const RESERVED: [&str; 6] = ["digest", "unknown", "private", "volatile", "result", "meta"];

/// The order of sections in the file and in every listing; others follow in alphabetical order.
pub const SECTION_ORDER: [&str; 22] = [
    "os",
    "cpu",
    "memory",
    "gpu",
    "cuda",
    "torch",
    "tensorflow",
    "jax",
    "numpy",
    "scipy",
    "sklearn",
    "python",
    "env",
    "git",
    "container",
    "scheduler",
    "data",
    "config",
    "workload",
    "run",
    "outputs",
    "selftest",
];

/// Facts by their path, in order.
pub type Facts = BTreeMap<FactPath, Value>;

/// A run's environment, as far as it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The sections that were captured, whether or not they hold facts. A fact of a captured section that is
    /// neither in the maps below nor covered by [`Snapshot::unknown`] is absent: looked for, and not there.
    pub sections: BTreeSet<String>,
    /// Identity and capacity facts: the ones that count for the fingerprint.
    pub facts: Facts,
    /// Private facts, as keyed digests.
    pub private: Facts,
    /// Facts that change by themselves: time, load, free memory. Never drift.
    pub volatile: Facts,
    /// What the run produced: no part of its environment, so no part of the fingerprint.
    pub results: Facts,
    /// Facts, or whole sections, that could not be looked at, with the reason.
    pub unknown: BTreeMap<FactPath, String>,
    /// How, when and by what the snapshot was made; every path begins with `meta`.
    pub meta: Facts,
}

/// The three things that a look-up of a fact can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked<'a> {
    /// Looked, and found.
    Value(&'a Value),
    /// Looked, and it is not there.
    Absent,
    /// Could not look (the reason), or was not asked to.
    Unknown(&'a str),
}

/// So few unknown facts are gone through one by one, which makes no path on the way.
const FEW: usize = 32;

impl Snapshot {
    /// What this snapshot knows of a fact.
    pub fn look(&self, path: &FactPath) -> Looked<'_> {
        let found = [&self.facts, &self.private, &self.volatile, &self.results, &self.meta]
            .into_iter()
            .find_map(|m| m.get(path));
        if let Some(value) = found {
            return Looked::Value(value);
        }
        let covering = if self.unknown.len() <= FEW {
            let above = self.unknown.iter().filter(|(unknown, _)| unknown.covers(path));
            above.max_by_key(|(unknown, _)| unknown.segments().len()).map(|(_, reason)| reason)
        } else {
            (1..=path.segments().len())
                .rev()
                .find_map(|n| self.unknown.get(&FactPath::new(path.segments()[..n].iter().cloned())))
        };
        match covering {
            Some(reason) => Looked::Unknown(reason),
            None if self.sections.contains(path.section()) || path.section() == "meta" => Looked::Absent,
            None => Looked::Unknown("the section was not captured"),
        }
    }

    /// The captured sections in [`SECTION_ORDER`].
    pub fn ordered_sections(&self) -> Vec<&str> {
        let known = SECTION_ORDER.iter().copied().filter(|s| self.sections.contains(*s));
        let others = self.sections.iter().map(String::as_str).filter(|s| !SECTION_ORDER.contains(s));
        known.chain(others).collect()
    }

    /// The facts of one section out of one of the maps.
    pub fn of_section<'a>(
        facts: &'a Facts,
        section: &'a str,
    ) -> impl Iterator<Item = (&'a FactPath, &'a Value)> + 'a {
        facts.iter().filter(move |(path, _)| path.section() == section)
    }
}
