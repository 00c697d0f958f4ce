//! A snapshot in the making, out of a dump.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::private;
use crate::facts::{self, Class, Compare, FACTS};
use crate::probes::Sink;
use crate::redact::{Identities, env_value, secret};
use crate::snapshot::path::is_bare;
use crate::snapshot::{FactPath, Facts, Snapshot, Value};

/// How many facts a dump may give: a hundred times what any real one does. A text made to be read for hours is not.
const FACTS_LIMIT: usize = 100_000;
/// The longest text of a fact, in bytes.
const TEXT_LIMIT: usize = 64 << 10;

/// What a dump says, by our own names of facts.
///
/// A section that a dump speaks of is covered in part, as a rule: [`Draft::partial`] makes unknown what is neither set
/// nor declared absent with [`Draft::absent`].
#[derive(Clone, Debug, Default)]
pub struct Draft {
    facts: Facts,
    sections: BTreeSet<String>,
    absent: BTreeSet<FactPath>,
    unknown: BTreeMap<FactPath, String>,
    partial: BTreeMap<String, String>,
    /// Facts of the snapshot itself; every path begins with `meta`.
    pub meta: Facts,
}

impl Draft {
    /// An empty one; `format` is [`super::Format::name`].
    pub fn new(format: &str) -> Self {
        let mut draft = Self::default();
        draft.meta("imported_from", format);
        draft.meta("driftlock", env!("CARGO_PKG_VERSION"));
        draft
    }

    /// Says something of the snapshot itself: `meta.NAME`.
    pub fn meta(&mut self, name: &str, value: impl Into<Value>) {
        self.meta.insert(FactPath::new(["meta", name]), value.into());
    }

    /// Records a fact; `path` is whole, its segments parted by dots (none holds a dot itself). The first value that
    /// is given to a fact stays.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        self.set_at(path.split('.'), value);
    }

    /// [`Draft::set`] for segments that may hold any character.
    pub fn set_at<S: Into<String>>(
        &mut self,
        segments: impl IntoIterator<Item = S>,
        value: impl Into<Value>,
    ) {
        let path = FactPath::new(segments);
        self.sections.insert(path.section().to_owned());
        if self.facts.len() >= FACTS_LIMIT {
            let section = path.section().to_owned();
            self.unknown
                .entry(FactPath::new([section]))
                .or_insert_with(|| "the dump says too much".to_owned());
            return;
        }
        self.facts.entry(path).or_insert_with(|| value.into());
    }

    /// [`Draft::set`] where there is a value.
    pub fn set_opt(&mut self, path: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(path, value);
        }
    }

    /// Takes over what a probe said of a section. The roads by which a probe finds a fact are not those of a dump.
    pub fn take(&mut self, sink: &Sink) {
        let said = sink.snapshot(None);
        for (path, value) in said.facts {
            let road = path.segments().last().is_some_and(|name| name.ends_with("_found_by"));
            if !road || path.segments().last().is_some_and(|name| name == "sm_count_found_by") {
                self.set_at(path.segments().to_vec(), value);
            }
        }
        for (path, reason) in said.unknown {
            self.unknown.insert(path, reason);
        }
    }

    /// Whether the fact is set.
    pub fn has(&self, path: &str) -> bool {
        self.facts.contains_key(&FactPath::new(path.split('.')))
    }

    /// A fact that is set.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.facts.get(&FactPath::new(path.split('.')))
    }

    /// The dump says that this, and all below it, is not there.
    pub fn absent(&mut self, path: &str) {
        let path = FactPath::new(path.split('.'));
        self.sections.insert(path.section().to_owned());
        self.absent.insert(path);
    }

    /// The dump says that this, or a fact below it, could not be found out.
    pub fn unknown(&mut self, path: &str, reason: impl Into<String>) {
        let path = FactPath::new(path.split('.'));
        self.sections.insert(path.section().to_owned());
        self.unknown.insert(path, reason.into());
    }

    /// [`Draft::unknown`] for segments that may hold any character. The first reason stays.
    pub fn unknown_at<S: Into<String>>(&mut self, segments: impl IntoIterator<Item = S>, reason: &str) {
        let path = FactPath::new(segments);
        self.sections.insert(path.section().to_owned());
        if self.unknown.len() >= FACTS_LIMIT {
            let section = FactPath::new([path.section()]);
            self.unknown.entry(section).or_insert_with(|| "the dump says too much".to_owned());
            return;
        }
        self.unknown.entry(path).or_insert_with(|| reason.to_owned());
    }

    /// What the dump leaves open of this section is unknown, with this reason.
    pub fn partial(&mut self, section: &str, reason: impl Into<String>) {
        self.partial.insert(section.to_owned(), reason.into());
    }

    /// [`Draft::partial`] for every section that holds a fact and was not spoken of: "NAME does not say".
    pub fn rest_unknown(&mut self, program: &str) {
        for section in self.sections.clone() {
            self.partial.entry(section).or_insert_with(|| format!("{program} does not say"));
        }
    }

    /// The snapshot. Names of people and machines that `text`, the whole dump, tells by their place (home folders)
    /// are taken out of every value, as are secrets; private facts become digests.
    pub fn finish(self, text: &str) -> Snapshot {
        let identities = Identities::told_by(text);
        let mut snapshot = Snapshot { sections: self.sections, unknown: self.unknown, ..Snapshot::default() };
        for (section, reason) in &self.partial {
            snapshot.sections.insert(section.clone());
            for path in open(section, &self.absent).into_iter().filter(|path| !self.facts.contains_key(path))
            {
                snapshot.unknown.entry(path).or_insert_with(|| reason.clone());
            }
        }
        for (path, value) in self.facts.into_iter().chain(self.meta) {
            if is_long(&value) || path.segments().iter().any(|segment| segment.len() > TEXT_LIMIT) {
                snapshot
                    .unknown
                    .insert(FactPath::new([path.section()]), "the dump gives a text too long".to_owned());
                continue;
            }
            let fact = facts::find(&path);
            debug_assert!(fact.is_some(), "`{path}` is not declared in src/facts/{}.toml", path.section());
            let class = fact.map_or(Class::Identity, |f| f.class);
            let version = fact.is_some_and(|f| f.compare == Compare::Version);
            let name = if path.section() == "env" { path.segments().last().cloned() } else { None };
            let digest = fact.is_some_and(|f| f.compare == Compare::Digest);
            let value = match class {
                Class::Private => private(&path, value),
                _ if digest => value,
                _ => value.map_text(&|text| {
                    // A version may look like an address (four numbers) or a token (a long commit).
                    if version && text.len() <= 64 {
                        return text;
                    }
                    let text = match &name {
                        Some(name) => env_value(name, &text).text().to_owned(),
                        None => secret::text(&text).into_owned(),
                    };
                    identities.scrub(&text).into_owned()
                }),
            };
            let path = FactPath::new(path.segments().iter().map(|segment| match is_bare(segment) {
                true => segment.clone(),
                false => identities.scrub(segment).into_owned(),
            }));
            let facts = match class {
                _ if path.section() == "meta" && class != Class::Private => &mut snapshot.meta,
                Class::Private => &mut snapshot.private,
                Class::Volatile => &mut snapshot.volatile,
                Class::Result => &mut snapshot.results,
                Class::Identity | Class::Capacity => &mut snapshot.facts,
            };
            facts.insert(path, value);
        }
        for reason in snapshot.unknown.values_mut() {
            *reason = identities.scrub(reason).into_owned();
        }
        snapshot
    }
}

fn is_long(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.len() > TEXT_LIMIT,
        Value::List(items) => items.len() > TEXT_LIMIT || items.iter().any(is_long),
        _ => false,
    }
}

/// The paths that cover a section but for what is absent: the section where nothing is, else its facts and tables.
fn open(section: &str, absent: &BTreeSet<FactPath>) -> BTreeSet<FactPath> {
    let whole = FactPath::new([section]);
    let within: Vec<&FactPath> = absent.iter().filter(|path| path.section() == section).collect();
    if within.is_empty() {
        return [whole].into();
    }
    let mut out = BTreeSet::new();
    for fact in
        FACTS.iter().filter(|f| f.class != Class::Volatile && f.path.split('.').next() == Some(section))
    {
        let literal: Vec<&str> = fact.path.split('.').take_while(|part| !part.starts_with('*')).collect();
        let covers = |path: &FactPath| within.iter().any(|absent| path.covers(absent));
        // The shortest part of the path that covers nothing that is absent; none where it is absent itself.
        let mut parts = (1..=literal.len()).map(|n| FactPath::new(literal[..n].iter().copied()));
        match parts.find(|path| !covers(path)) {
            Some(path) if within.iter().any(|absent| absent.covers(&path)) => {}
            Some(path) => {
                out.insert(path);
            }
            // A family with names of its own right here (`env.*`): what is absent cannot be told from what was not
            // looked for, and counts as unknown.
            None if fact.path.contains('*') => {
                let family = FactPath::new(literal);
                if !within.iter().any(|absent| absent.covers(&family)) {
                    out.insert(family);
                }
            }
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Looked;

    fn path(text: &str) -> FactPath {
        text.parse().expect("a path")
    }

    #[test]
    fn found_absent_and_unknown() {
        let mut draft = Draft::new("test");
        draft.set("torch.version", "1.0");
        draft.absent("torch.hip");
        draft.set("python.version", "3.7.1");
        draft.rest_unknown("the dump");
        let snapshot = draft.finish("");
        assert_eq!(snapshot.look(&path("torch.version")), Looked::Value(&"1.0".into()));
        assert_eq!(snapshot.look(&path("torch.hip")), Looked::Absent);
        assert_eq!(snapshot.look(&path("torch.cuda")), Looked::Unknown("the dump does not say"));
        assert_eq!(snapshot.look(&path("torch.libraries.x.path")), Looked::Unknown("the dump does not say"));
        assert_eq!(
            snapshot.look(&path("python.packages.numpy.version")),
            Looked::Unknown("the dump does not say")
        );
        assert_eq!(snapshot.look(&path("gpu.count")), Looked::Unknown("the section was not captured"));
        assert_eq!(snapshot.look(&path("meta.imported_from")), Looked::Value(&"test".into()));
    }

    #[test]
    fn names_and_secrets_do_not_pass() {
        let mut draft = Draft::new("test");
        draft.set("env.LD_LIBRARY_PATH", vec!["/home/zwiebelfisch/lib", "/scratch/zwiebelfisch/x"]);
        draft.set("env.HF_TOKEN", "hf_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h");
        draft.set("gpu.0.uuid", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
        let text = crate::snapshot::write::to_string(&draft.finish("x /home/zwiebelfisch/lib y"));
        assert!(!text.contains("zwiebel") && !text.contains("hf_") && !text.contains("8932"), "{text}");
    }
}
