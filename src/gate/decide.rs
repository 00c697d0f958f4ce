//! What a policy makes of an explanation: findings with a level each, and what it lets pass.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use super::finding::{FactChange, Finding, Level, Location, page, rule_page};
use super::ignore::Ignore;
use super::lines::Lines;
use super::policy::{FailOn, LOOK_AT, QUIET, Settings};
use super::requirement::{Broken, Requirement, number};
use super::versions::{Fit, Range, SECTIONS};
use crate::diff::align;
use crate::explain::pattern::Pattern;
use crate::explain::report::{self, Report};
use crate::explain::rule::{Confidence, On, Source};
use crate::explain::settle::{FALLBACK, SideName};
use crate::explain::{Catalogue, Explanation, Standing, verdict};
use crate::facts::{self, Class};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

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
                level,
                why: Some(why),
                remedy: Some(
                    "Activate the environment, or name its interpreter: `python = \".venv\"` under `[capture]`."
                        .to_owned(),
                ),
                facts: self.changes(&paths),
                location,
                page: Some(page("reference/policy.md#missing")),
                ..plain("missing", format!("{name} is not there"))
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
            level,
            facts: vec![fact],
            location: self.policy_line(line),
            page: Some(page(&format!("reference/policy.md#{anchor}"))),
            ..plain(rule, title)
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
            let location = self.lock_line(in_order(&facts).first().copied());
            self.out.findings.push(Finding {
                level,
                effect: Some(cause.rule.effect),
                confidence: Some(cause.confidence),
                why: Some(why),
                magnitude: cause.magnitude.clone(),
                remedy: Some(cause.rule.remedy.clone()),
                facts: self.changes(&facts),
                location,
                sources: cause.rule.sources.iter().map(web).collect(),
                page: rule_page(&cause.rule),
                ..plain(&rule, cause.rule.title.clone())
            });
            if level != Level::Allow {
                self.told.extend(facts);
            }
        }
    }

    /// The gravest level among the facts of a finding, and the facts that have more than the lowest; where all are
    /// allowed, all of them. `None` where ignores let every one pass.
    fn graded(
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
    fn level(&self, path: &FactPath, base: Level, of_rule: bool) -> Level {
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

    /// Whether a fact is of the project's own package, installed from its source: its version follows the commit.
    fn is_own(&self, path: &FactPath) -> bool {
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

    /// Whether a fact is of a framework that is not there.
    fn is_gone(&self, path: &FactPath) -> bool {
        let of = |name: &str| self.gone.contains(if name == "scikit-learn" { "sklearn" } else { name });
        match path.segments() {
            [python, packages, name, ..] if python == "python" && packages == "packages" => of(name),
            _ => of(path.section()),
        }
    }

    /// Whether a number moved less than the policy tolerates.
    fn tolerated(&self, path: &FactPath) -> bool {
        let value = |side: &Snapshot| match side.look(path) {
            Looked::Value(value) => number(value),
            _ => None,
        };
        match (value(self.input.lock), value(&self.now)) {
            (Some(expected), Some(found)) => self.input.settings.tolerates(path, expected, found),
            _ => false,
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
                level,
                why: Some(format!("The policy says `\"{name}\" = \"{word}\"`{}.", place.unwrap_or_default())),
                facts: self.changes(&facts),
                location: self.lock_line(facts.first()),
                page: Some(page("reference/policy.md#levels")),
                ..plain("level", title)
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
                level,
                effect: Some(hazard.rule.effect),
                confidence: Some(hazard.confidence),
                why: Some(hazard.rule.why.clone()),
                magnitude: hazard.magnitude.clone(),
                remedy: Some(hazard.rule.remedy.clone()),
                facts: paths.iter().map(fact).collect(),
                location: self.lock_line(paths.first()),
                sources: hazard.rule.sources.iter().map(web).collect(),
                page: rule_page(&hazard.rule),
                ..plain(&rule, hazard.rule.title.clone())
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
                level,
                why: Some(why.to_owned()),
                remedy: Some(remedy.to_owned()),
                facts: self.changes(&facts),
                location: self.lock_line(facts.first()),
                page: Some(page(&format!("reference/policy.md#{rule}"))),
                ..plain(rule, title(facts.len()))
            });
        }
    }

    /// Ignores that are over, and those that nothing needs.
    fn ignores(&mut self) {
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
                level: Level::Warn,
                why: Some(format!("Its reason was: {}", ignore.reason)),
                remedy: Some(remedy.to_owned()),
                location: self.policy_line(ignore.line),
                page: Some(page("reference/policy.md#ignore")),
                ..plain(rule, title)
            });
        }
    }

    /// Whether an ignore is for a hazard, which `lint` reports whether or not it is new.
    fn is_for_lint(&self, ignore: &Ignore) -> bool {
        let rule = ignore.rule.as_ref().and_then(|id| self.input.rules.find(id));
        rule.is_some_and(|rule| rule.on != On::Diff)
    }

    /// Whether an ignore covers a fact of a finding; those that would and are over are noted.
    fn ignored(&mut self, rule: &str, path: &FactPath) -> bool {
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

    fn let_pass(&mut self, rule: &str, facts: &[FactPath]) {
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

    fn fails_on_unknown(&self) -> bool {
        self.input.settings.fail_on.unwrap_or_default().unknown
    }

    /// The level of what could not be read; `asked` where the policy does not say.
    fn unknown_level(&self, asked: Level) -> Level {
        match self.input.settings.unknown {
            _ if self.fails_on_unknown() => Level::Deny,
            Some(level) => level,
            None => asked,
        }
    }

    /// The facts with their values; what tells most to people comes first.
    fn changes(&self, paths: &[FactPath]) -> Vec<FactChange> {
        in_order(paths).into_iter().map(|path| self.change(path)).collect()
    }

    fn change(&self, path: &FactPath) -> FactChange {
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

    fn lock_line(&self, path: Option<&FactPath>) -> Option<Location> {
        let place = path.and_then(|path| self.input.lines.find(path));
        Some(Location {
            path: self.input.lock_path.to_path_buf(),
            line: place.map_or(1, |p| p.line),
            column: place.and_then(|p| p.columns).map(|(first, _)| first),
            end_column: place.and_then(|p| p.columns).map(|(_, last)| last),
        })
    }

    fn policy_line(&self, line: usize) -> Option<Location> {
        let path = self.input.policy?.to_path_buf();
        (line > 0).then_some(Location { path, line, column: None, end_column: None })
    }
}

/// Versions first, then all else, then what only tells builds apart, and places last.
fn in_order(paths: &[FactPath]) -> Vec<&FactPath> {
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

/// A finding of this rule with nothing else to it.
fn plain(rule: &str, title: String) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level: Level::Warn,
        title,
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

/// A source as the web has it: what a rule names by its path in the repository is a page of it.
fn web(source: &Source) -> Source {
    let url = match source.url.strip_prefix("docs/") {
        Some(below) => page(below),
        None => source.url.clone(),
    };
    Source { url, ..source.clone() }
}

/// How many changes are of no effect here, by their standing.
pub fn quiet_changes(explanation: &Explanation) -> usize {
    let quiet = [Standing::Benign, Standing::OutOfScope];
    explanation.settled.iter().filter(|s| quiet.contains(&s.standing)).count()
}
