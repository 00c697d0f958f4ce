//! The rules: those compiled in, and the user's own.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::pattern::Pattern;
use super::rule::{Case, Condition, Operator, Predicate, Rule, Scalar, Values};
use crate::snapshot::FactPath;

static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static CASES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cases.bin"));

/// Every rule in force: ours in the order of ids, then the user's own.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The rules with their patterns.
    pub rules: Vec<Compiled>,
    /// Rules by a fact that they name without a wildcard, as they write it.
    literal: HashMap<String, Vec<usize>>,
    /// Patterns with a wildcard by the segments that they spell out before it, joined by dots.
    patterned: HashMap<String, Vec<Patterned>>,
}

/// A pattern with a wildcard.
#[derive(Clone, Copy, Debug)]
struct Patterned {
    /// Its rule.
    rule: usize,
    /// Its place among the rule's facts.
    place: usize,
    /// How many bytes of it stand before the wildcard; 0 where quotes stand there, which a name as it is has not.
    begin: usize,
}

/// A rule, ready to be matched.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The rule.
    pub rule: Rule,
    /// What it speaks for, once somebody asks: most rules are about other facts than those that differ.
    facts: OnceLock<Vec<Pattern>>,
    /// The facts that it has defaults or spellings for.
    pub values: Vec<Pattern>,
    /// Whether its condition speaks of each fact in turn, as `{fact}` or `{1}`.
    pub each: bool,
    /// Whether it speaks of the fact's own path, as `{fact}`.
    pub about_the_fact: bool,
}

impl Compiled {
    /// Prepares a rule.
    pub fn new(rule: Rule) -> Self {
        Self {
            facts: OnceLock::new(),
            values: rule.values.keys().map(|p| Pattern::new(p)).collect(),
            each: rule.when.as_ref().is_some_and(|c| mentions(c, &["{fact}", "{1}"])),
            about_the_fact: matches!(&rule.when, Some(Condition::Fact(_)))
                && rule.when.as_ref().is_some_and(|c| mentions(c, &["{fact}"])),
            rule,
        }
    }

    /// What the rule speaks for.
    pub fn facts(&self) -> &[Pattern] {
        self.facts.get_or_init(|| self.rule.facts.iter().map(|p| Pattern::new(p)).collect())
    }

    /// Whether the rule speaks for this fact.
    pub fn speaks_for(&self, path: &FactPath) -> bool {
        self.facts().iter().any(|p| p.matches(path))
    }

    /// How closely the rule names this fact: the segments that its closest pattern spells out.
    pub fn closeness(&self, path: &FactPath) -> usize {
        self.facts().iter().filter(|p| p.matches(path)).map(Pattern::spelled_out).max().unwrap_or(0)
    }

    /// The patterns of [`Rule::values`] beside their values.
    pub fn values(&self) -> Vec<(&Pattern, &Values)> {
        self.values.iter().zip(self.rule.values.values()).collect()
    }
}

impl Catalogue {
    /// The rules that driftlock comes with.
    pub fn built_in() -> Self {
        // What `build.rs` wrote from rules that it could read is readable.
        Self::new(postcard::from_bytes(RULES).unwrap_or_default())
    }

    /// These rules, each of another id.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut out = Self { rules: Vec::new(), literal: HashMap::new(), patterned: HashMap::new() };
        for rule in rules {
            out.push(rule);
        }
        out
    }

    /// Adds a rule; one of the same id takes its place.
    pub fn add(&mut self, rule: Rule) {
        if let Some(at) = self.rules.iter().position(|r| r.rule.id == rule.id) {
            let mut rules: Vec<Rule> = std::mem::take(&mut self.rules).into_iter().map(|r| r.rule).collect();
            rules[at] = rule;
            *self = Self::new(rules);
            return;
        }
        self.push(rule);
    }

    fn push(&mut self, rule: Rule) {
        let compiled = Compiled::new(rule);
        let index = self.rules.len();
        for (place, text) in compiled.rule.facts.iter().enumerate() {
            if text.contains('*') {
                let (above, begin) = if text.contains('"') {
                    (Pattern::new(text).above().segments().join("."), 0)
                } else {
                    let begin = text.split('*').next().unwrap_or_default();
                    (begin.rsplit_once('.').map_or("", |(above, _)| above).to_owned(), begin.len())
                };
                self.patterned.entry(above).or_default().push(Patterned { rule: index, place, begin });
            } else {
                // As a path is written, whatever is quoted without need.
                let quoted = text.contains('"').then(|| Pattern::new(text).literal()).flatten();
                let name = quoted.map_or_else(|| text.clone(), |path| path.to_string());
                self.literal.entry(name).or_default().push(index);
            }
        }
        self.rules.push(compiled);
    }

    /// A rule by its id, or by a former one.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        let by_id = self.rules.iter().find(|r| r.rule.id == id);
        by_id.or_else(|| self.rules.iter().find(|r| r.rule.aliases.iter().any(|a| a == id))).map(|r| &r.rule)
    }

    /// The rules that may speak for this fact, in order, each once.
    pub fn speakers(&self, path: &FactPath) -> Vec<usize> {
        let mut out: Vec<usize> =
            self.literal.get(&path.to_string()).into_iter().flatten().copied().collect();
        let name = path.segments().join(".");
        let matches = |p: &&Patterned| {
            let rule = &self.rules[p.rule];
            // Few patterns begin as the path does, and only those are parsed.
            name.as_bytes().starts_with(&rule.rule.facts[p.place].as_bytes()[..p.begin])
                && rule.facts()[p.place].matches(path)
        };
        let mut end = 0;
        for (n, segment) in path.segments().iter().enumerate() {
            let above = self.patterned.get(&name[..end]).into_iter().flatten();
            out.extend(above.filter(matches).map(|p| p.rule));
            end += segment.len() + usize::from(n > 0);
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// The cases of the built-in rules, in the order of [`Catalogue::built_in`].
pub fn cases() -> Vec<Vec<Case>> {
    postcard::from_bytes(CASES).unwrap_or_default()
}

/// Whether a condition holds one of these words for the fact that is judged.
fn mentions(condition: &Condition, words: &[&str]) -> bool {
    match condition {
        Condition::All(list) | Condition::Any(list) => list.iter().any(|c| mentions(c, words)),
        Condition::Not(inner) => mentions(inner, words),
        Condition::Fact(Predicate { fact, operator, .. }) => {
            let contains =
                matches!(operator, Operator::Contains(Scalar::Str(text)) if words.contains(&text.as_str()));
            contains || words.iter().any(|w| fact.contains(w))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_build_rs_wrote_reads_back() {
        let rules: Vec<Rule> = postcard::from_bytes(RULES).expect("rules.bin");
        let cases: Vec<Vec<Case>> = postcard::from_bytes(CASES).expect("cases.bin");
        assert_eq!(rules.len(), cases.len());
    }
}
