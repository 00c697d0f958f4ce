//! What a policy lets pass, with the reason and, if it likes, until when.

use jiff::civil::Date;

use crate::explain::pattern::Pattern;
use crate::snapshot::FactPath;

/// One `[[ignore]]`.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Only findings of this rule.
    pub rule: Option<String>,
    /// Only these facts, as they are written.
    pub names: Vec<String>,
    /// The same.
    pub facts: Vec<Pattern>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub until: Option<Date>,
    /// The line of the policy.
    pub line: usize,
}

impl Ignore {
    /// Whether it is for this fact of a finding of this rule; expired or not.
    pub fn covers(&self, rule: &str, fact: Option<&FactPath>) -> bool {
        let facts = || fact.is_some_and(|fact| self.facts.iter().any(|p| p.matches(fact)));
        self.rule.as_ref().is_none_or(|r| r == rule) && (self.facts.is_empty() || facts())
    }

    /// Whether its last day is over.
    pub fn expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }

    /// What it is for, in words.
    pub fn words(&self) -> String {
        let facts = self.names.join(", ");
        match &self.rule {
            Some(rule) if self.names.is_empty() => format!("rule {rule}"),
            Some(rule) => format!("{facts} (rule {rule})"),
            None => facts,
        }
    }
}
