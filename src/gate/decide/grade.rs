//! How grave a fact of a finding is, and what an ignore lets pass.

use super::{Ignored, Judge};
use crate::explain::rule::On;
use crate::gate::finding::{Finding, Level, page};
use crate::gate::ignore::Ignore;
use crate::gate::requirement::number;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

impl Judge<'_> {
    /// The gravest level among the facts of a finding, and the facts that have more than the lowest; where all are
    /// allowed, all of them. `None` where ignores let every one pass.
    pub(super) fn graded(
        &mut self,
        rule: &str,
        facts: &[FactPath],
        base: Level,
        of_rule: bool,
    ) -> Option<(Level, Vec<FactPath>)> {
        let mut levels: Vec<(Level, FactPath)> = Vec::new();
        let mut passed: Vec<FactPath> = Vec::new();
        for path in facts {
            let level = self.level(path, base, of_rule);
            // What is allowed needs no ignore.
            if level != Level::Allow && self.ignored(rule, path) {
                passed.push(path.clone());
            } else {
                levels.push((level, path.clone()));
            }
        }
        if !passed.is_empty() {
            self.let_pass(rule, &passed);
        }
        let level = levels.iter().map(|(level, _)| *level).min()?;
        let kept = levels.into_iter().filter(|(l, _)| level == Level::Allow || *l != Level::Allow);
        Some((level, kept.map(|(_, path)| path).collect()))
    }

    /// The level of one fact of a finding.
    pub(super) fn level(&self, path: &FactPath, base: Level, of_rule: bool) -> Level {
        if self.within.iter().any(|range| range.covers.iter().any(|p| p.matches(path)))
            || self.tolerated(path)
        {
            return Level::Allow;
        }
        if let Some(level) = self.input.settings.level_of(path) {
            return level.level;
        }
        match of_rule {
            true => base,
            false if self.quiet.iter().any(|p| p.matches(path)) || self.is_own(path) => Level::Allow,
            false if self.look_at.iter().any(|p| p.matches(path)) => base.max(Level::Warn),
            false => base,
        }
    }

    /// Whether a fact is of a framework that is not there.
    pub(super) fn is_gone(&self, path: &FactPath) -> bool {
        let of = |name: &str| self.gone.contains(if name == "scikit-learn" { "sklearn" } else { name });
        match path.segments() {
            [python, packages, name, ..] if python == "python" && packages == "packages" => of(name),
            _ => of(path.section()),
        }
    }

    /// Whether a number moved less than the policy tolerates.
    pub(super) fn tolerated(&self, path: &FactPath) -> bool {
        let value = |side: &Snapshot| match side.look(path) {
            Looked::Value(value) => number(value),
            _ => None,
        };
        match (value(self.input.lock), value(&self.now)) {
            (Some(expected), Some(found)) => self.input.settings.tolerates(path, expected, found),
            _ => false,
        }
    }

    /// Ignores that are over, and those that nothing needs.
    pub(super) fn ignores(&mut self) {
        for (i, ignore) in self.input.settings.ignore.iter().enumerate() {
            let expired = ignore.expired(self.input.today);
            let (rule, title, remedy) = if expired && self.expired.contains(&i) {
                let until = ignore.until.map(|d| d.to_string()).unwrap_or_default();
                let title = format!("An ignore is over since {until}: {}", ignore.words());
                ("ignore-expired", title, "Solve what it let pass, or give it a later `until`.")
            } else if (!expired && self.used.contains(&i)) || self.is_for_lint(ignore) {
                continue;
            } else {
                let title = format!("An ignore that nothing needs: {}", ignore.words());
                ("ignore-unmatched", title, "Remove it.")
            };
            self.out.findings.push(Finding {
                why: Some(format!("Its reason was: {}", ignore.reason)),
                remedy: Some(remedy.to_owned()),
                location: self.policy_line(ignore.line),
                page: Some(page("reference/policy.md#ignore")),
                ..Finding::new(rule, Level::Warn, title)
            });
        }
    }

    /// Whether an ignore is for a hazard, which `lint` reports whether or not it is new.
    pub(super) fn is_for_lint(&self, ignore: &Ignore) -> bool {
        let rule = ignore.rule.as_ref().and_then(|id| self.input.rules.find(id));
        rule.is_some_and(|rule| rule.on != On::Diff)
    }

    /// Whether an ignore covers a fact of a finding; those that would and are over are noted.
    pub(super) fn ignored(&mut self, rule: &str, path: &FactPath) -> bool {
        let mut held = false;
        for (i, ignore) in self.input.settings.ignore.iter().enumerate() {
            if ignore.covers(rule, Some(path)) {
                let expired = ignore.expired(self.input.today);
                if expired {
                    self.expired.insert(i)
                } else {
                    self.used.insert(i)
                };
                held |= !expired;
            }
        }
        held
    }

    pub(super) fn let_pass(&mut self, rule: &str, facts: &[FactPath]) {
        let ignores = &self.input.settings.ignore;
        let covers = |i: &&usize| facts.first().is_some_and(|f| ignores[**i].covers(rule, Some(f)));
        let Some(ignore) = self.used.iter().find(covers).map(|i| &ignores[*i]) else { return };
        self.told.extend(facts.iter().cloned());
        self.out.ignored.push(Ignored {
            rule: rule.to_owned(),
            facts: facts.iter().map(ToString::to_string).collect(),
            reason: ignore.reason.clone(),
            line: ignore.line,
        });
    }

    pub(super) fn fails_on_unknown(&self) -> bool {
        self.input.settings.fail_on.unwrap_or_default().unknown
    }

    /// The level of what could not be read; `asked` where the policy does not say.
    pub(super) fn unknown_level(&self, asked: Level) -> Level {
        match self.input.settings.unknown {
            _ if self.fails_on_unknown() => Level::Deny,
            Some(level) => level,
            None => asked,
        }
    }

    /// Whether a fact is of the project's own package, installed from its source: its version follows the commit.
    pub(super) fn is_own(&self, path: &FactPath) -> bool {
        let [python, packages, name, ..] = path.segments() else { return false };
        if python != "python" || packages != "packages" {
            return false;
        }
        let origin = FactPath::new([python, packages, name, "origin"]);
        let here = |side: &Snapshot| {
            let Looked::Value(Value::Str(origin)) = side.look(&origin) else { return false };
            origin.trim_start_matches("file://").starts_with("{project}")
        };
        here(self.input.lock) && here(&self.now)
    }
}
