//! What `check` and `lint` report, before it takes the form of any format.

use std::path::PathBuf;

use crate::explain::rule::{Confidence, Effect, Rule, Source};

pub use crate::explain::rule::page;

/// How grave a finding is under the policy. Only [`Level::Deny`] makes a gate fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It fails the gate: `error` in the formats of others.
    Deny,
    /// It is shown: `warning`.
    Warn,
    /// It is counted and shown with `--all`: `note`.
    Allow,
}

impl Level {
    /// The word in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Allow => "allow",
        }
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's id, or the policy's key for what the policy alone asks (`require`, `version`, `ignore-expired`…).
    pub rule: String,
    /// How grave it is here.
    pub level: Level,
    /// One line.
    pub title: String,
    /// What it does to results, where a rule says so.
    pub effect: Option<Effect>,
    /// How well that is known.
    pub confidence: Option<Confidence>,
    /// Why it matters.
    pub why: Option<String>,
    /// How much it moves results, where that is known.
    pub magnitude: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// The facts that it is about, with their values.
    pub facts: Vec<FactChange>,
    /// Where to look.
    pub location: Option<Location>,
    /// Where this is known from.
    pub sources: Vec<Source>,
    /// The page of the rule.
    pub page: Option<String>,
}

impl Finding {
    /// A finding with nothing else to it.
    pub fn new(rule: impl Into<String>, level: Level, title: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            level,
            title: title.into(),
            effect: None,
            confidence: None,
            why: None,
            magnitude: None,
            remedy: None,
            facts: Vec::new(),
            location: None,
            sources: Vec::new(),
            page: None,
        }
    }

    /// A finding of a rule, by what the rule says; no facts, no location.
    pub fn of(rule: &Rule, level: Level, confidence: Confidence) -> Self {
        Self {
            effect: Some(rule.effect),
            confidence: Some(confidence),
            why: Some(rule.why.clone()),
            magnitude: rule.magnitude.clone(),
            remedy: Some(rule.remedy.clone()),
            sources: rule.sources.iter().map(Source::on_the_web).collect(),
            page: rule_page(rule),
            ..Self::new(&rule.id, level, &rule.title)
        }
    }
}

/// A fact and what it was and is, as shown to people (`snapshot::value::shown`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactChange {
    /// Its path.
    pub fact: String,
    /// What was expected; `None` where there is no expectation (a hazard of one side).
    pub expected: Option<String>,
    /// What is there; `None` where the fact is absent.
    pub found: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, as the user named it, or from the root of the repository.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// The last column, inclusive, in characters.
    pub end_column: Option<usize>,
}

/// The page of a rule; the user's own have none.
pub fn rule_page(rule: &Rule) -> Option<String> {
    (rule.topic != "user").then(|| page(&format!("reference/rules/{}.md#{}", rule.topic, rule.id)))
}
