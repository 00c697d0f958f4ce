//! A `driftlock.toml` to a policy. What is wrong is shown at its line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::Level;
use super::ignore::Ignore;
use super::policy::{By, Capture, Environment, FailOn, LevelOf, Of, Policy, Settings, Tolerance};
use super::requirement::{Must, Requirement};
use super::versions;
use super::wrong::Source;
use crate::error::Error;
use crate::explain::Catalogue;
use crate::explain::pattern::Pattern;
use crate::explain::rule::{Confidence, Effect};
use crate::facts::{self, SECTIONS};
use crate::snapshot::{FactPath, Value};

/// Keys that a policy and a profile have.
const SETTINGS: [&str; 11] = [
    "fail-on",
    "confidence",
    "unknown",
    "unclassified",
    "hazards",
    "scope",
    "levels",
    "versions",
    "require",
    "tolerance",
    "ignore",
];

/// Keys that only the file has; `rule` and `lint` are read by others.
const FILE: [&str; 6] = ["lock", "profile", "environment", "capture", "rule", "lint"];

type Spot<'a, 't> = &'a Spanned<DeValue<'t>>;

/// Reads the text of the file `path`. `rules` are those in force, the file's own among them.
///
/// # Errors
///
/// The first thing that is wrong, with its line.
pub fn policy(path: &Path, text: &str, rules: &Catalogue) -> Result<Policy, Error> {
    let reader = Reader { source: Source { path, text }, rules };
    let root = DeTable::parse(text)
        .map_err(|e| reader.source.wrong(e.span().unwrap_or(0..0), e.message(), "here"))?
        .into_inner();
    let mut policy = Policy { path: Some(path.to_path_buf()), ..Policy::default() };
    policy.base = reader.settings(&root)?;
    for (key, value) in &root {
        let name: &str = key.get_ref();
        match name {
            "lock" => policy.lock = Some(PathBuf::from(reader.text(value)?)),
            "profile" => {
                for (name, table) in reader.table(value)? {
                    let table = reader.table(table)?;
                    reader.known(table, &[&SETTINGS])?;
                    policy.profiles.insert(name.get_ref().to_string(), reader.settings(table)?);
                }
            }
            "environment" => policy.environments = reader.environments(value)?,
            "capture" => policy.capture = reader.capture(value)?,
            _ => {}
        }
    }
    reader.known(&root, &[&SETTINGS, &FILE])?;
    for environment in &policy.environments {
        if let Some(profile) = &environment.profile
            && !policy.profiles.contains_key(profile)
        {
            let names: Vec<&str> = policy.profiles.keys().map(String::as_str).collect();
            let at = reader.line_span(environment.line);
            let label = if names.is_empty() { "no profile is declared".to_owned() } else { names.join(", ") };
            return Err(reader.source.wrong(at, &format!("there is no `[profile.{profile}]`"), &label));
        }
    }
    Ok(policy)
}

/// Whether the text is TOML at all.
///
/// # Errors
///
/// Where it is not.
pub fn syntax(path: &Path, text: &str) -> Result<(), Error> {
    let wrong =
        |e: toml::de::Error| Source { path, text }.wrong(e.span().unwrap_or(0..0), e.message(), "here");
    DeTable::parse(text).map(drop).map_err(wrong)
}

struct Reader<'s> {
    source: Source<'s>,
    rules: &'s Catalogue,
}

impl Reader<'_> {
    fn settings(&self, table: &DeTable<'_>) -> Result<Settings, Error> {
        let mut out = Settings::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "fail-on" => out.fail_on = Some(self.fail_on(value)?),
                "confidence" => out.confidence = Some(self.confidence(value)?),
                "unknown" => out.unknown = Some(self.level(value)?),
                "unclassified" => out.unclassified = Some(self.level(value)?),
                "hazards" => out.hazards = Some(self.level(value)?),
                "scope" => out.scope = Some(self.texts(value)?),
                "levels" => out.levels = self.levels(value)?,
                "versions" => out.versions = self.versions(value)?,
                "require" => out.require = self.requirements(value)?,
                "tolerance" => out.tolerance = self.tolerances(value)?,
                "ignore" => out.ignore = self.ignores(value)?,
                _ => {}
            }
        }
        Ok(out)
    }

    fn fail_on(&self, value: Spot<'_, '_>) -> Result<FailOn, Error> {
        let words = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut out = FailOn { effect: None, unknown: false, unstable: false };
        for word in words {
            let text = self.text(word)?;
            let effect = Effect::ALL.into_iter().filter(|e| *e != Effect::None).find(|e| e.word() == text);
            match (effect, text.as_str()) {
                // Of two the one lower on the ladder, which holds the other.
                (Some(effect), _) => out.effect = out.effect.max(Some(effect)),
                (None, "different") => out.effect = Some(Effect::Rounding),
                (None, "unknown") => out.unknown = true,
                (None, "unstable") => out.unstable = true,
                (None, "never") => {}
                _ => {
                    return Err(self.source.wrong(
                        word.span(),
                        &format!("`{text}` is neither an effect nor a verdict"),
                        "code, stream, order, algorithm, precision, rounding; different, unknown, unstable; never",
                    ));
                }
            }
        }
        Ok(out)
    }

    fn confidence(&self, value: Spot<'_, '_>) -> Result<Confidence, Error> {
        let text = self.text(value)?;
        Confidence::ALL.into_iter().find(|c| c.word() == text).ok_or_else(|| {
            self.source.wrong(
                value.span(),
                &format!("`{text}` is no confidence"),
                "proved, documented, measured, reported or plausible",
            )
        })
    }

    fn level(&self, value: Spot<'_, '_>) -> Result<Level, Error> {
        let text = self.text(value)?;
        [Level::Deny, Level::Warn, Level::Allow].into_iter().find(|l| l.word() == text).ok_or_else(|| {
            self.source.wrong(value.span(), &format!("`{text}` is no level"), "allow, warn or deny")
        })
    }

    /// `[levels]`: facts (with a dot), sections and rules by name.
    fn levels(&self, value: Spot<'_, '_>) -> Result<Vec<LevelOf>, Error> {
        let mut out = Vec::new();
        for (key, value) in self.table(value)? {
            let name = key.get_ref().to_string();
            let of = if name.contains(['.', '*']) {
                Of::Fact(self.pattern(&name, key.span())?)
            } else if SECTIONS.iter().any(|s| s.name == name) {
                Of::Fact(Pattern::new(&format!("{name}.**")))
            } else if let Some(rule) = self.rules.find(&name) {
                Of::Rule(rule.id.clone())
            } else {
                let what = format!("`{name}` is no fact, section or rule");
                let label = "facts have a dot: `env.NAME`; `driftlock rules` lists the rules";
                return Err(self.source.wrong(key.span(), &what, label));
            };
            out.push(LevelOf {
                name,
                of,
                level: self.level(value)?,
                line: self.source.line(key.span().start),
            });
        }
        Ok(out)
    }

    fn versions(&self, value: Spot<'_, '_>) -> Result<Vec<versions::Range>, Error> {
        let mut out = Vec::new();
        for (key, value) in self.table(value)? {
            let (name, text) = (key.get_ref().to_string(), self.text(value)?);
            if name.contains('.') {
                self.pattern(&name, key.span())?;
            }
            let line = self.source.line(key.span().start);
            out.push(versions::Range::new(&name, &text, line).map_err(|e| {
                let label = "a range as in PEP 440: `==2.11.*`, `>=550,<560`";
                self.source.wrong(value.span(), &format!("`{text}` is no range of versions: {e}"), label)
            })?);
        }
        Ok(out)
    }

    /// `[require]`: leaves, by their dotted path however it is written.
    fn requirements(&self, value: Spot<'_, '_>) -> Result<Vec<Requirement>, Error> {
        let mut out = Vec::new();
        self.requirements_below(&mut Vec::new(), self.table(value)?, &mut out)?;
        Ok(out)
    }

    fn requirements_below(
        &self,
        above: &mut Vec<String>,
        table: &DeTable<'_>,
        out: &mut Vec<Requirement>,
    ) -> Result<(), Error> {
        for (key, value) in table {
            above.push(key.get_ref().to_string());
            let condition = match value.get_ref() {
                DeValue::Table(inner) => self.condition(inner)?,
                _ => Some(self.must_be(value)?),
            };
            match (condition, value.get_ref()) {
                (Some(must), _) => {
                    // One quoted key may hold a whole path: `"gpu.*.name"`.
                    let name = match above.as_slice() {
                        [path] => path.clone(),
                        many => FactPath::new(many.iter().cloned()).to_string(),
                    };
                    let facts = self.pattern(&name, key.span())?;
                    out.push(Requirement { name, facts, must, line: self.source.line(key.span().start) });
                }
                (None, DeValue::Table(inner)) => self.requirements_below(above, inner, out)?,
                _ => {}
            }
            above.pop();
        }
        Ok(())
    }

    /// A table that is a condition (`{ min = 4 }`) and no part of a path.
    fn condition(&self, table: &DeTable<'_>) -> Result<Option<Must>, Error> {
        let get = |name: &str| table.iter().find(|(k, _)| k.get_ref() == name).map(|(_, v)| v);
        let names: Vec<&str> = table.keys().map(|k| k.get_ref().as_ref()).collect();
        let only = |allowed: &[&str]| !names.is_empty() && names.iter().all(|n| allowed.contains(n));
        if only(&["min", "max"]) {
            let number = |value: Option<Spot<'_, '_>>| value.map(|v| self.number(v)).transpose();
            return Ok(Some(Must::BeWithin(number(get("min"))?, number(get("max"))?)));
        }
        match (names.as_slice(), table.values().next()) {
            (["present" | "absent"], Some(value)) => match (names[0], value.get_ref()) {
                ("present", DeValue::Boolean(true)) | ("absent", DeValue::Boolean(false)) => {
                    Ok(Some(Must::BeThere))
                }
                ("absent", DeValue::Boolean(true)) | ("present", DeValue::Boolean(false)) => {
                    Ok(Some(Must::BeAbsent))
                }
                _ => Err(self.source.wrong(value.span(), "neither `true` nor `false`", "`true` or `false`")),
            },
            _ => Ok(None),
        }
    }

    fn must_be(&self, value: Spot<'_, '_>) -> Result<Must, Error> {
        let of = |value: Spot<'_, '_>| {
            crate::snapshot::read::scalar(value.get_ref()).map_err(|what| {
                let label = "text, a number, true, false, or a list of them";
                self.source.wrong(value.span(), &format!("this value {what}"), label)
            })
        };
        Ok(match value.get_ref() {
            DeValue::Array(items) => Must::BeOneOf(items.iter().map(of).collect::<Result<_, _>>()?),
            _ => Must::Be(of(value)?),
        })
    }

    fn tolerances(&self, value: Spot<'_, '_>) -> Result<Vec<Tolerance>, Error> {
        let mut out = Vec::new();
        for (key, value) in self.table(value)? {
            let facts = self.pattern(key.get_ref(), key.span())?;
            let by = match value.get_ref() {
                DeValue::String(text) => tolerance(text),
                _ => Some(By::Units(self.number(value)?)),
            };
            let by = by.filter(|by| matches!(by, By::Units(n) | By::Part(n) if *n >= 0.0 && n.is_finite()));
            let by = by.ok_or_else(|| {
                let label = "a number, `\"5%\"`, or a size: `\"1 GiB\"`";
                self.source.wrong(value.span(), "this is no tolerance", label)
            })?;
            out.push(Tolerance { facts, by });
        }
        Ok(out)
    }

    fn ignores(&self, value: Spot<'_, '_>) -> Result<Vec<Ignore>, Error> {
        let mut out = Vec::new();
        for item in self.tables(value, "ignore")? {
            let table = self.table(item)?;
            let at = self.header(item);
            self.known(table, &[&["rule", "fact", "facts", "reason", "until"]])?;
            let mut ignore = Ignore {
                rule: None,
                names: Vec::new(),
                facts: Vec::new(),
                reason: String::new(),
                until: None,
                line: self.source.line(at.start),
            };
            for (key, value) in table {
                match key.get_ref().as_ref() {
                    "rule" => {
                        let name = self.text(value)?;
                        // A former name is as good.
                        ignore.rule = Some(self.rules.find(&name).map_or(name, |rule| rule.id.clone()));
                    }
                    "fact" | "facts" => {
                        let items = match value.get_ref() {
                            DeValue::Array(items) => items.iter().collect(),
                            _ => vec![value],
                        };
                        for item in items {
                            let name = self.text(item)?;
                            ignore.facts.push(self.pattern(&name, item.span())?);
                            ignore.names.push(name);
                        }
                    }
                    "until" => ignore.until = Some(self.date(value)?),
                    "reason" => {
                        let text = self.text(value)?;
                        if text.trim().is_empty() {
                            return Err(self.source.wrong(value.span(), "the reason is empty", "say why"));
                        }
                        ignore.reason = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    }
                    _ => {}
                }
            }
            if ignore.reason.is_empty() {
                let label = "add `reason = \"why this may pass\"`";
                return Err(self.source.wrong(at, "this ignore gives no reason", label));
            }
            if ignore.rule.is_none() && ignore.facts.is_empty() {
                let label = "add `fact = \"…\"` or `rule = \"…\"`";
                return Err(self.source.wrong(at, "this ignore names neither a fact nor a rule", label));
            }
            out.push(ignore);
        }
        Ok(out)
    }

    fn environments(&self, value: Spot<'_, '_>) -> Result<Vec<Environment>, Error> {
        let mut out: Vec<Environment> = Vec::new();
        for item in self.tables(value, "environment")? {
            let table = self.table(item)?;
            let at = self.header(item);
            self.known(table, &[&["name", "lock", "profile"]])?;
            let get = |name: &str| {
                let found = table.iter().find(|(k, _)| k.get_ref() == name);
                found.map(|(_, v)| self.text(v)).transpose()
            };
            let missing = |name: &str| {
                let what = format!("this environment has no `{name}`");
                self.source.wrong(at.clone(), &what, &format!("add `{name} = \"…\"`"))
            };
            let name = get("name")?.filter(|n| !n.is_empty()).ok_or_else(|| missing("name"))?;
            if out.iter().any(|e| e.name == name) {
                let what = format!("another environment is called `{name}`");
                return Err(self.source.wrong(at, &what, "names are unique"));
            }
            let lock = get("lock")?.filter(|l| !l.is_empty()).ok_or_else(|| missing("lock"))?;
            let line = self.source.line(at.start);
            out.push(Environment { name, lock: lock.into(), profile: get("profile")?, line });
        }
        Ok(out)
    }

    fn capture(&self, value: Spot<'_, '_>) -> Result<Capture, Error> {
        let table = self.table(value)?;
        self.known(table, &[&["python", "no-python", "env", "data", "config", "timeout"]])?;
        let mut out = Capture::default();
        let paths = |texts: Vec<String>| texts.into_iter().map(PathBuf::from).collect();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "python" => out.python = Some(self.text(value)?.into()),
                "no-python" => out.no_python = self.truth(value)?,
                "env" => out.env = self.texts(value)?,
                "data" => out.data = paths(self.texts(value)?),
                "config" => out.config = paths(self.texts(value)?),
                "timeout" => {
                    let seconds = crate::cli::capture::seconds(&self.number(value)?.to_string());
                    out.timeout = Some(seconds.map_err(|e| self.source.wrong(value.span(), &e, "seconds"))?);
                }
                _ => {}
            }
        }
        Ok(out)
    }

    /// Refuses keys that are not among these.
    fn known(&self, table: &DeTable<'_>, names: &[&[&str]]) -> Result<(), Error> {
        let unknown = |key: &str| !names.iter().any(|list| list.contains(&key));
        let mut keys: Vec<_> = table.keys().filter(|k| unknown(k.get_ref())).collect();
        keys.sort_by_key(|k| k.span().start);
        let Some(key) = keys.first() else { return Ok(()) };
        let name: &str = key.get_ref();
        let all: BTreeMap<usize, &str> =
            names.iter().flat_map(|list| list.iter()).map(|n| (distance(name, n), *n)).collect();
        let label = match all.first_key_value() {
            Some((steps, near)) if *steps <= 2 => format!("did you mean `{near}`?"),
            _ => names.iter().flat_map(|list| list.iter().copied()).collect::<Vec<_>>().join(", "),
        };
        Err(self.source.wrong(
            key.span(),
            &format!("unknown key `{}`", crate::snapshot::value::shown(name)),
            &label,
        ))
    }

    /// A pattern of facts that exist.
    fn pattern(&self, name: &str, at: Range<usize>) -> Result<Pattern, Error> {
        let section = name.split('.').next().unwrap_or_default();
        let free = ["config", "data"].contains(&section);
        if name.is_empty() || (!free && !facts::may_be(name)) {
            let label = "`driftlock facts` lists them";
            return Err(self.source.wrong(at, &format!("no fact is called `{name}`"), label));
        }
        Ok(Pattern::new(name))
    }

    fn table<'a, 't>(&self, value: Spot<'a, 't>) -> Result<&'a DeTable<'t>, Error> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.source.wrong(value.span(), "not a table", "a table stands here")),
        }
    }

    fn tables<'a, 't>(&self, value: Spot<'a, 't>, name: &str) -> Result<Vec<Spot<'a, 't>>, Error> {
        match value.get_ref() {
            DeValue::Array(items) if items.iter().all(|i| matches!(i.get_ref(), DeValue::Table(_))) => {
                Ok(items.iter().collect())
            }
            _ => {
                let what = format!("`{name}` is a list of tables");
                Err(self.source.wrong(self.header(value), &what, &format!("write `[[{name}]]`")))
            }
        }
    }

    fn text(&self, value: Spot<'_, '_>) -> Result<String, Error> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.source.wrong(value.span(), "not text", "text in quotes stands here")),
        }
    }

    fn texts(&self, value: Spot<'_, '_>) -> Result<Vec<String>, Error> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.text(item)).collect(),
            _ => Err(self.source.wrong(value.span(), "not a list", "a list of texts stands here: `[\"…\"]`")),
        }
    }

    fn truth(&self, value: Spot<'_, '_>) -> Result<bool, Error> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Ok(*truth),
            _ => Err(self.source.wrong(value.span(), "neither `true` nor `false`", "`true` or `false`")),
        }
    }

    fn number(&self, value: Spot<'_, '_>) -> Result<f64, Error> {
        let number =
            crate::snapshot::read::scalar(value.get_ref()).ok().filter(|v| !matches!(v, Value::Str(_)));
        let number = number.as_ref().and_then(super::requirement::number).filter(|n| n.is_finite());
        number.ok_or_else(|| self.source.wrong(value.span(), "not a number", "a number stands here"))
    }

    fn date(&self, value: Spot<'_, '_>) -> Result<Date, Error> {
        let date = match value.get_ref() {
            DeValue::Datetime(toml::value::Datetime { date: Some(date), time: None, .. }) => {
                let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
                match parts {
                    (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
                    _ => None,
                }
            }
            _ => None,
        };
        date.ok_or_else(|| {
            let label = "a date without quotes: `until = 2027-01-31`";
            self.source.wrong(value.span(), "not a date", label)
        })
    }

    /// The header of a table, or of the first of several: its first line.
    fn header(&self, value: Spot<'_, '_>) -> Range<usize> {
        let at = value.span();
        let text = self.source.text;
        let rest = text.get(at.start..).unwrap_or_default();
        at.start..at.start + rest.find('\n').unwrap_or(rest.len())
    }

    fn line_span(&self, line: usize) -> Range<usize> {
        let start: usize =
            self.source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.source.text.get(start..).unwrap_or_default();
        start..start + rest.find('\n').unwrap_or(rest.len())
    }
}

/// `5%`, `1 GiB`, `200 MB`, `3`.
fn tolerance(text: &str) -> Option<By> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return percent.trim().parse::<f64>().ok().map(|p| By::Part(p / 100.0));
    }
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..end].trim().parse().ok()?;
    let factor = match text[end..].trim() {
        "" | "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(By::Units(number * factor))
}

/// How many characters must be put in, left out or replaced to make one word of another (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = cost.min(before + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
