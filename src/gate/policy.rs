//! What a policy holds. [`super::read`] reads it from a `driftlock.toml`; `docs/reference/policy.md` is its reference.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::finding::Level;
use super::ignore::Ignore;
use super::requirement::Requirement;
use super::versions::Range;
use crate::explain::pattern::Pattern;
use crate::explain::rule::{Confidence, Effect};
use crate::snapshot::FactPath;

/// The file of a project's own settings.
pub const FILE: &str = "driftlock.toml";

/// The lock that a policy checks against unless it names another.
pub const LOCK: &str = "driftlock.lock";

/// A policy.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The file, as the user named it; `None` where there is none and the defaults hold.
    pub path: Option<PathBuf>,
    /// The lock, relative to the policy's folder.
    pub lock: Option<PathBuf>,
    /// What holds in every profile.
    pub base: Settings,
    /// What a profile changes, by its name.
    pub profiles: BTreeMap<String, Settings>,
    /// The machines that have a lock each.
    pub environments: Vec<Environment>,
    /// How the machine is looked at.
    pub capture: Capture,
}

/// The keys that a profile may set, too.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What fails the gate.
    pub fail_on: Option<FailOn>,
    /// How well a rule must be known to fail the gate.
    pub confidence: Option<Confidence>,
    /// The level of facts that could not be read and might matter.
    pub unknown: Option<Level>,
    /// The level of changes that no rule knows.
    pub unclassified: Option<Level>,
    /// The level of hazards that the lock does not have.
    pub hazards: Option<Level>,
    /// What the runs use.
    pub scope: Option<Vec<String>>,
    /// Levels of facts and rules.
    pub levels: Vec<LevelOf>,
    /// Ranges of versions.
    pub versions: Vec<Range>,
    /// Facts that must be so.
    pub require: Vec<Requirement>,
    /// How far numbers may move.
    pub tolerance: Vec<Tolerance>,
    /// What is let pass, and why.
    pub ignore: Vec<Ignore>,
}

/// The level that a policy gives a fact or a rule.
#[derive(Clone, Debug)]
pub struct LevelOf {
    /// As it is written.
    pub name: String,
    /// What it names.
    pub of: Of,
    /// The level.
    pub level: Level,
    /// The line of the policy; 0 for one that driftlock comes with.
    pub line: usize,
}

/// What a level is for.
#[derive(Clone, Debug)]
pub enum Of {
    /// Facts.
    Fact(Pattern),
    /// A rule, by its id.
    Rule(String),
}

/// How far a number may move without being another.
#[derive(Clone, Debug)]
pub struct Tolerance {
    /// Which facts.
    pub facts: Pattern,
    /// How far.
    pub by: By,
}

/// A distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// In the fact's own unit.
    Units(f64),
    /// As a part of the expected number: 0.1 is a tenth.
    Part(f64),
}

impl By {
    /// Whether two numbers are within it.
    pub fn holds(self, expected: f64, found: f64) -> bool {
        let distance = (found - expected).abs();
        match self {
            Self::Units(units) => distance <= units,
            Self::Part(part) => distance <= part * expected.abs(),
        }
    }
}

/// What fails the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn {
    /// This effect and every one above it on the ladder; `None` is no effect.
    pub effect: Option<Effect>,
    /// Also a fact that could not be read and might matter, and a change that no rule knows.
    pub unknown: bool,
    /// Also a hazard with which a run does not repeat itself, whether or not the lock has it.
    pub unstable: bool,
}

impl Default for FailOn {
    /// Everything that moves more than the last bits: a bump of a library fails, another CPU of the same make warns.
    fn default() -> Self {
        Self { effect: Some(Effect::Precision), unknown: false, unstable: false }
    }
}

/// A machine with a lock of its own.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Its lock, relative to the policy's folder.
    pub lock: PathBuf,
    /// The profile that holds there.
    pub profile: Option<String>,
    /// The line of the policy.
    pub line: usize,
}

/// How `init` and `check` look at the machine; the options of `driftlock capture`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// `--python`; relative to the policy's folder.
    pub python: Option<PathBuf>,
    /// `--no-python`.
    pub no_python: bool,
    /// `--env`.
    pub env: Vec<String>,
    /// `--data`; relative to the policy's folder.
    pub data: Vec<PathBuf>,
    /// `--config`; relative to the policy's folder.
    pub config: Vec<PathBuf>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
}

/// The levels that hold where a policy says nothing else: what belongs to the next commit, to the shell or to a
/// rebuilt image, and not to the environment that a lock is about. `docs/reference/policy.md` says why for each.
pub const QUIET: [&str; 11] = [
    "git.**",
    "workload.**",
    "os.locale.**",
    "env.LC_*",
    "env.LANG",
    "env.LANGUAGE",
    "env.PWD",
    "scheduler.array_index",
    "container.image",
    "container.image_id",
    "container.label.*",
];

/// Facts that are not part of the environment, and worth a look all the same.
pub const LOOK_AT: [&str; 2] = ["data.**", "config.**"];

impl Settings {
    /// These with `over` laid over them: what `over` sets holds, and its lists come first.
    #[must_use]
    pub fn with(&self, over: &Self) -> Self {
        fn joined<T: Clone>(first: &[T], then: &[T]) -> Vec<T> {
            first.iter().chain(then).cloned().collect()
        }
        Self {
            fail_on: over.fail_on.or(self.fail_on),
            confidence: over.confidence.or(self.confidence),
            unknown: over.unknown.or(self.unknown),
            unclassified: over.unclassified.or(self.unclassified),
            hazards: over.hazards.or(self.hazards),
            scope: over.scope.clone().or_else(|| self.scope.clone()),
            levels: joined(&over.levels, &self.levels),
            versions: {
                let named = |range: &&Range| !over.versions.iter().any(|o| o.name == range.name);
                let below: Vec<Range> = self.versions.iter().filter(named).cloned().collect();
                joined(&over.versions, &below)
            },
            require: {
                let named = |r: &&Requirement| !over.require.iter().any(|o| o.name == r.name);
                let below: Vec<Requirement> = self.require.iter().filter(named).cloned().collect();
                joined(&over.require, &below)
            },
            tolerance: joined(&over.tolerance, &self.tolerance),
            ignore: joined(&over.ignore, &self.ignore),
        }
    }

    /// The level that the policy gives a fact: the pattern that spells out most of it decides, the first of equals.
    pub fn level_of(&self, path: &FactPath) -> Option<&LevelOf> {
        let mut best: Option<(&LevelOf, usize)> = None;
        for level in &self.levels {
            let Of::Fact(pattern) = &level.of else { continue };
            let close = pattern.spelled_out();
            if pattern.matches(path) && best.is_none_or(|(_, b)| close > b) {
                best = Some((level, close));
            }
        }
        best.map(|(level, _)| level)
    }

    /// The level that the policy gives a rule.
    pub fn level_of_rule(&self, id: &str) -> Option<&LevelOf> {
        self.levels.iter().find(|l| matches!(&l.of, Of::Rule(rule) if rule == id))
    }

    /// Whether a number moved less than the policy tolerates.
    pub fn tolerates(&self, path: &FactPath, expected: f64, found: f64) -> bool {
        let first = self.tolerance.iter().find(|t| t.facts.matches(path));
        first.is_some_and(|t| t.by.holds(expected, found))
    }
}

impl Policy {
    /// What holds under a profile; `None` where there is no such profile.
    pub fn settings(&self, profile: Option<&str>) -> Option<Settings> {
        match profile {
            None => Some(self.base.clone()),
            Some(name) => self.profiles.get(name).map(|profile| self.base.with(profile)),
        }
    }
}
