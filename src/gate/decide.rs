//! What a policy makes of an explanation: findings with a level each, and what it lets pass.

mod grade;
mod show;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use super::finding::{FactChange, Finding, Level, page};
use super::lines::Lines;
use super::policy::{FailOn, LOOK_AT, QUIET, Settings};
use super::requirement::{Broken, Requirement};
use super::versions::{Fit, Range, SECTIONS};
use crate::diff::align;
use crate::explain::pattern::Pattern;
use crate::explain::report::{self, Report};
use crate::explain::rule::Confidence;
use crate::explain::settle::{FALLBACK, SideName};
use crate::explain::{Catalogue, Explanation, Standing, verdict};
use crate::facts::{self, Class};
use crate::snapshot::{FactPath, Looked, Snapshot};

/// What is decided about.
#[derive(Clone, Copy, Debug)]
pub struct Input<'i> {
    /// The lock.
    pub lock: &'i Snapshot,
    /// What is there.
    pub now: &'i Snapshot,
    /// What the difference means.
    pub explanation: &'i Explanation,
    /// The same in its public form, which holds the values as people read them.
    pub report: &'i Report,
    /// The rules in force.
    pub rules: &'i Catalogue,
    /// The policy.
    pub settings: &'i Settings,
    /// The policy's file.
    pub policy: Option<&'i Path>,
    /// The lock's file.
    pub lock_path: &'i Path,
    /// Where its facts stand.
    pub lines: &'i Lines,
    /// The day, in UTC.
    pub today: Date,
}

/// What was decided.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// What an ignore lets pass.
    pub ignored: Vec<Ignored>,
}

/// What an ignore lets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The rule of the finding.
    pub rule: String,
    /// Its facts.
    pub facts: Vec<String>,
    /// Why.
    pub reason: String,
    /// The ignore's line in the policy.
    pub line: usize,
}

/// Decides.
pub fn decide(input: &Input<'_>) -> Decision {
    let now = align::align(input.lock, input.now);
    let patterns = |list: &[&str]| list.iter().map(|p| Pattern::new(p)).collect();
    let mut judge = Judge {
        input,
        quiet: patterns(&QUIET),
        look_at: patterns(&LOOK_AT),
        within: input.settings.versions.iter().filter(|r| r.fit(input.now) == Fit::In).collect(),
        shown: input.report.changes.iter().map(|c| (c.fact.as_str(), c)).collect(),
        now,
        out: Decision::default(),
        used: BTreeSet::new(),
        expired: BTreeSet::new(),
        told: BTreeSet::new(),
        gone: BTreeSet::new(),
    };
    judge.requirements();
    judge.versions();
    judge.missing();
    judge.causes();
    judge.levels();
    judge.hazards();
    judge.unknown();
    judge.ignores();
    judge.out
}

struct Judge<'i> {
    input: &'i Input<'i>,
    now: Cow<'i, Snapshot>,
    quiet: Vec<Pattern>,
    look_at: Vec<Pattern>,
    /// The ranges that hold.
    within: Vec<&'i Range>,
    /// The changes by their fact, in public form.
    shown: BTreeMap<&'i str, &'i report::Change>,
    out: Decision,
    /// The ignores that let something pass, by their place.
    used: BTreeSet<usize>,
    /// The expired ones that would.
    expired: BTreeSet<usize>,
    /// Facts of findings that are not merely allowed.
    told: BTreeSet<FactPath>,
    /// Frameworks that are not there.
    gone: BTreeSet<&'static str>,
}

impl Judge<'_> {
    fn requirements(&mut self) {
        for requirement in &self.input.settings.require {
            for broken in requirement.broken(self.input.now) {
                self.requirement(requirement, &broken);
            }
        }
    }

    fn requirement(&mut self, requirement: &Requirement, broken: &Broken) {
        let (path, words) = (&broken.path, requirement.words());
        let found = broken.found.as_ref().map(|v| crate::render::value(path, v));
        let is = match (&found, &broken.unknown) {
            (_, Some(why)) => format!("`{path}` could not be looked at ({why}), and must be {words}"),
            (Some(found), None) => format!("`{path}` is {found}, and must be {words}"),
            (None, None) => format!("`{path}` is absent, and must be {words}"),
        };
        let level = if broken.unknown.is_some() { self.unknown_level(Level::Deny) } else { Level::Deny };
        let wanted = match &requirement.must {
            super::requirement::Must::Be(value) => crate::render::value(path, value),
            _ => words,
        };
        let fact = FactChange { fact: path.to_string(), expected: Some(wanted), found };
        self.asked("require", level, is, fact, path, requirement.line);
    }

    fn versions(&mut self) {
        for range in &self.input.settings.versions {
            let (path, title, found, level) = match range.fit(self.input.now) {
                Fit::In => continue,
                Fit::Out(path, version) => {
                    let title = format!("{} {version} is not in the range {}", range.name, range.text);
                    (path, title, Some(version), Level::Deny)
                }
                Fit::Absent(path) => {
                    let title = format!("{} is not there, and must be {}", range.name, range.text);
                    (path, title, None, Level::Deny)
                }
                Fit::Unknown(path, why) => {
                    let title = format!("The version of {} could not be looked at: {why}", range.name);
                    (path, title, None, self.unknown_level(Level::Deny))
                }
            };
            let fact = FactChange { fact: path.to_string(), expected: Some(range.text.clone()), found };
            self.asked("version", level, title, fact, &path, range.line);
        }
    }

    /// Frameworks that the lock has and that are not there: most often, another Python was found.
    fn missing(&mut self) {
        for name in SECTIONS {
            let path = FactPath::new([name, "version"]);
            let was = matches!(self.input.lock.look(&path), Looked::Value(_));
            if !was || self.now.look(&path) != Looked::Absent {
                continue;
            }
            self.gone.insert(name);
            let Some((level, paths)) = self.graded("missing", &[path], Level::Deny, true) else { continue };
            let location = self.lock_line(paths.first());
            let python = |side: &Snapshot| {
                let parts =
                    ["version", "executable"].map(|part| match side.look(&FactPath::new(["python", part])) {
                        Looked::Value(value) => crate::render::value(&FactPath::new(["python", part]), value),
                        _ => "unknown".to_owned(),
                    });
                format!("Python {} at {}", parts[0], parts[1])
            };
            let why = format!(
                "The lock was written with {}, and {} is what was found now.",
                python(self.input.lock),
                python(&self.now)
            );
            self.out.findings.push(Finding {
                why: Some(why),
                remedy: Some(
                    "Activate the environment, or name its interpreter: `python = \".venv\"` under `[capture]`."
                        .to_owned(),
                ),
                facts: self.changes(&paths),
                location,
                page: Some(page("reference/policy.md#missing")),
                ..Finding::new("missing", level, format!("{name} is not there"))
            });
        }
    }

    /// A finding that the policy alone asks for.
    fn asked(
        &mut self,
        rule: &str,
        level: Level,
        title: String,
        fact: FactChange,
        path: &FactPath,
        line: usize,
    ) {
        if self.ignored(rule, path) {
            self.let_pass(rule, std::slice::from_ref(path));
            return;
        }
        let anchor = if rule == "require" { "require" } else { "versions" };
        self.out.findings.push(Finding {
            facts: vec![fact],
            location: self.policy_line(line),
            page: Some(page(&format!("reference/policy.md#{anchor}"))),
            ..Finding::new(rule, level, title)
        });
    }

    fn causes(&mut self) {
        let settings = self.input.settings;
        let fail_on = settings.fail_on.unwrap_or_default();
        let well_known = settings.confidence.unwrap_or(Confidence::Plausible);
        // What is established comes before what is likely, whatever either would do: it is where to look first.
        let mut causes: Vec<_> = self.input.explanation.causes.iter().collect();
        causes.sort_by_key(|c| c.confidence == Confidence::Plausible);
        for cause in causes {
            let fails = fail_on.effect.is_some_and(|effect| cause.rule.effect <= effect)
                && cause.confidence <= well_known
                && !cause.undecided
                // What only a rule for the unknown speaks for is known too little to stop anybody.
                && cause.rule.weight > FALLBACK;
            let of_rule = settings.level_of_rule(&cause.rule.id).map(|l| l.level);
            let base = of_rule.unwrap_or(if fails { Level::Deny } else { Level::Warn });
            let rule = cause.rule.id.clone();
            // What is not there has no other release and no other build.
            let left: Vec<FactPath> = cause.facts.iter().filter(|p| !self.is_gone(p)).cloned().collect();
            let Some((level, facts)) = self.graded(&rule, &left, base, of_rule.is_some()) else {
                continue;
            };
            let mut why = cause.rule.why.clone();
            for evidence in &cause.evidence {
                why.push_str(&format!(" Here: {evidence}."));
            }
            let location = self.lock_line(show::in_order(&facts).first().copied());
            self.out.findings.push(Finding {
                why: Some(why),
                magnitude: cause.magnitude.clone(),
                facts: self.changes(&facts),
                location,
                ..Finding::of(&cause.rule, level, cause.confidence)
            });
            if level != Level::Allow {
                self.told.extend(facts);
            }
        }
    }

    /// Changes that the policy itself gives a level, whatever the rules say of them.
    fn levels(&mut self) {
        let mut by_level: BTreeMap<(usize, &str), (Level, Vec<FactPath>)> = BTreeMap::new();
        for change in &self.input.explanation.diff.changes {
            if self.told.contains(&change.path) {
                continue;
            }
            let Some(level) = self.input.settings.level_of(&change.path) else { continue };
            if self.level(&change.path, level.level, false) != Level::Allow {
                let entry = by_level.entry((level.line, &level.name));
                entry.or_insert((level.level, Vec::new())).1.push(change.path.clone());
            }
        }
        for ((line, name), (level, facts)) in by_level {
            let word = level.word();
            let Some((level, facts)) = self.graded("level", &facts, level, true) else { continue };
            let verb = if facts.len() == 1 { "differs" } else { "differ" };
            let title = match facts.as_slice() {
                [one] => format!("`{one}` {verb}"),
                many => format!("{} facts of `{name}` {verb}", many.len()),
            };
            let place = self.policy_line(line).map(|l| format!(" ({}:{})", super::report::path(&l), l.line));
            self.out.findings.push(Finding {
                why: Some(format!("The policy says `\"{name}\" = \"{word}\"`{}.", place.unwrap_or_default())),
                facts: self.changes(&facts),
                location: self.lock_line(facts.first()),
                page: Some(page("reference/policy.md#levels")),
                ..Finding::new("level", level, title)
            });
            self.told.extend(facts);
        }
    }

    /// Hazards that the lock does not have. Those that come and go by themselves are for `lint`.
    fn hazards(&mut self) {
        let settings = self.input.settings;
        let FailOn { unstable, .. } = settings.fail_on.unwrap_or_default();
        for hazard in &self.input.explanation.hazards {
            let fatal = unstable && hazard.rule.unstable;
            let is_new = hazard.side == Some(SideName::B);
            let stays = fatal && hazard.side == Some(SideName::Both);
            if !(is_new || stays) {
                continue;
            }
            let rule = hazard.rule.id.clone();
            let of_rule = settings.level_of_rule(&rule).map(|l| l.level);
            let base = if fatal { Level::Deny } else { settings.hazards.unwrap_or(Level::Warn) };
            let mut base = of_rule.unwrap_or(base);
            let there = |path: &&FactPath| matches!(self.now.look(path), Looked::Value(_));
            let is_volatile = |path: &FactPath| facts::find(path).is_some_and(|f| f.class == Class::Volatile);
            let mut present = hazard.facts.iter().filter(there).peekable();
            if of_rule.is_none() && !fatal && present.peek().is_some() && present.all(is_volatile) {
                base = Level::Allow;
            }
            let Some((level, paths)) = self.graded(&rule, &hazard.facts, base, of_rule.is_some()) else {
                continue;
            };
            let fact = |path: &FactPath| FactChange {
                fact: path.to_string(),
                expected: None,
                found: match self.now.look(path) {
                    Looked::Value(value) => Some(crate::render::value(path, value)),
                    _ => None,
                },
            };
            self.out.findings.push(Finding {
                magnitude: hazard.magnitude.clone(),
                facts: paths.iter().map(fact).collect(),
                location: self.lock_line(paths.first()),
                ..Finding::of(&hazard.rule, level, hazard.confidence)
            });
        }
    }

    /// What no rule knows, and what could not be read and might matter.
    fn unknown(&mut self) {
        let explanation = self.input.explanation;
        let of = |standing: Standing| -> Vec<FactPath> {
            let pairs = explanation.diff.changes.iter().zip(&explanation.settled);
            pairs.filter(|(_, s)| s.standing == standing).map(|(c, _)| c.path.clone()).collect()
        };
        let unclassified = of(Standing::Unclassified);
        let base = self.input.settings.unclassified.unwrap_or(Level::Warn);
        let base = if self.fails_on_unknown() { Level::Deny } else { base };
        self.list("unclassified", &unclassified, base, |n| match n {
            1 => "A difference that no rule knows".to_owned(),
            n => format!("{n} differences that no rule knows"),
        });
        let mut unknown = of(Standing::Unknown);
        // The verdict names what could not be read and might hide a cause, where no cause is known already.
        let quiet = verdict::verdict(
            self.input.rules,
            self.input.lock,
            &self.now,
            &explanation.diff,
            &explanation.settled,
            &[],
            &[],
            &explanation.scope,
        );
        let known: BTreeSet<&FactPath> = explanation.diff.changes.iter().map(|c| &c.path).collect();
        unknown.extend(quiet.unknown.into_iter().filter(|p| !known.contains(p)));
        let base = self.unknown_level(Level::Warn);
        self.list("unknown", &unknown, base, |n| match n {
            1 => "A fact that might matter could not be read".to_owned(),
            n => format!("{n} facts that might matter could not be read"),
        });
    }

    /// One finding for many facts, for each level one.
    fn list(&mut self, rule: &str, facts: &[FactPath], base: Level, title: impl Fn(usize) -> String) {
        let untold = |p: &&FactPath| !self.told.contains(*p) && !self.is_gone(p);
        let untold: Vec<&FactPath> = facts.iter().filter(untold).collect();
        let mut by_level: BTreeMap<Level, Vec<FactPath>> = BTreeMap::new();
        for path in untold {
            by_level.entry(self.level(path, base, false)).or_default().push(path.clone());
        }
        for (level, facts) in by_level {
            let Some((level, facts)) = self.graded(rule, &facts, level, true) else { continue };
            let (why, remedy) = match rule {
                "unclassified" => (
                    "It may alter results or not: nobody has looked.",
                    "Give the facts a level under `[levels]`, or write a `[[rule]]` for them.",
                ),
                _ => (
                    "A rule speaks for it, and cannot be applied to what is not known.",
                    "Make it readable, or set `unknown` or a level in the policy.",
                ),
            };
            self.out.findings.push(Finding {
                why: Some(why.to_owned()),
                remedy: Some(remedy.to_owned()),
                facts: self.changes(&facts),
                location: self.lock_line(facts.first()),
                page: Some(page(&format!("reference/policy.md#{rule}"))),
                ..Finding::new(rule, level, title(facts.len()))
            });
        }
    }
}

/// How many changes are of no effect here, by their standing.
pub fn quiet_changes(explanation: &Explanation) -> usize {
    let quiet = [Standing::Benign, Standing::OutOfScope];
    explanation.settled.iter().filter(|s| quiet.contains(&s.standing)).count()
}
