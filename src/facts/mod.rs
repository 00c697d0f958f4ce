//! The catalogue of facts: what each one is, how it compares and how it is found. The data is in `facts/*.toml`,
//! one file per section, compiled in by `build.rs`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

use crate::snapshot::FactPath;

include!(concat!(env!("OUT_DIR"), "/facts.rs"));

/// A section of the snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Its name: the top-level table.
    pub name: &'static str,
    /// A heading for people.
    pub title: &'static str,
    /// What it holds, in a sentence or two.
    pub doc: &'static str,
    /// Headers (with `*` for one segment) of tables whose sub-tables are written on one line each.
    pub inline: &'static [&'static str],
}

/// What kind of value a fact has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Text.
    String,
    /// A whole number; `unit` says of what.
    Int,
    /// A number with a fraction.
    Float,
    /// A truth value.
    Bool,
    /// A list of text.
    List,
    /// Any of TOML's scalar types or a list; only for configuration values.
    Any,
}

/// How two values of a fact compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// Equal or not.
    Exact,
    /// As versions (PEP 440 where the fact is of Python, dotted numbers elsewhere).
    Version,
    /// As sets: order and repetition mean nothing.
    Set,
    /// As lists: order means something (search paths).
    List,
    /// As numbers.
    Number,
    /// As text with line breaks.
    Text,
    /// As digests: equal or not, and nothing can be said of the distance.
    Digest,
}

/// What a fact counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Part of the fingerprint.
    Identity,
    /// The size of the machine; part of the fingerprint.
    Capacity,
    /// Changes by itself: never drift.
    Volatile,
    /// A name of a person, machine or device: kept as a keyed digest, or left out with `--anonymous`.
    Private,
    /// What a run produced: not part of the fingerprint, and compared on its own.
    Result,
}

/// Where a statement comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// What it is: a manual's section, a man page, a header.
    pub title: &'static str,
    /// Its address, where it has one.
    pub url: Option<&'static str>,
}

/// One fact, or one family of facts.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// The dotted path; `*` stands for one segment that the machine names (a device, a package, a variable), `**`
    /// at the end for one or more.
    pub path: &'static str,
    /// The kind of value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// How two values compare.
    pub compare: Compare,
    /// What it counts for.
    pub class: Class,
    /// The unit of a number: `bytes`, `MHz`, `W`, …
    pub unit: Option<&'static str>,
    /// The values it can take, where they are few.
    pub values: &'static [&'static str],
    /// What it means.
    pub doc: &'static str,
    /// The roads by which it is found, first tried first.
    pub found_by: &'static [&'static str],
    /// What it does not say.
    pub caveats: Option<&'static str>,
    /// The source of what `doc` says where that is not obvious.
    pub source: Option<Source>,
    /// The version of driftlock that first recorded it; a snapshot of an older one does not know it.
    pub since: &'static str,
}

/// The declaration of a fact: of those that match, the one with the fewest `*`.
pub fn find(path: &FactPath) -> Option<&'static Fact> {
    /// More answers than any real snapshot asks for are not kept.
    const KEPT: usize = 16_384;
    type Kept = HashMap<FactPath, Option<&'static Fact>>;
    thread_local! {
        static FOUND: RefCell<Kept> = RefCell::new(HashMap::new());
    }
    FOUND.with_borrow_mut(|found| {
        if let Some(fact) = found.get(path) {
            return *fact;
        }
        if found.len() >= KEPT {
            found.clear();
        }
        let fact = look_up(path);
        found.insert(path.clone(), fact);
        fact
    })
}

fn look_up(path: &FactPath) -> Option<&'static Fact> {
    /// The declarations by section and last word, which tell most of them apart.
    static ENDS: LazyLock<HashMap<(&str, &str), Vec<usize>>> = LazyLock::new(|| {
        let mut ends: HashMap<_, Vec<_>> = HashMap::new();
        for (i, fact) in FACTS.iter().enumerate() {
            let last = fact.path.rsplit('.').next().unwrap_or_default();
            ends.entry((section_of(fact), last)).or_default().push(i);
        }
        ends
    });
    let last = path.segments().last()?;
    [last.as_str(), "*", "**"]
        .into_iter()
        .filter_map(|last| ENDS.get(&(path.section(), last)))
        .flatten()
        .filter(|i| matches(FACTS[**i].path, path.segments()))
        .min_by_key(|i| (FACTS[**i].path.bytes().filter(|b| *b == b'*').count(), **i))
        .map(|i| &FACTS[*i])
}

/// Whether some declared fact can have a path that this pattern of a rule names: a word may hold `*` for any text,
/// and `{1}` for a name; `**` at the end is one or more words. Patterns with quoted words are taken on trust.
pub fn may_be(pattern: &str) -> bool {
    use crate::explain::pattern::glob;
    let pattern = pattern.replace("{1}", "*");
    let words: Vec<&str> = pattern.split('.').collect();
    let fits = |x: &str, y: &str| match (x.contains('*'), y.contains('*')) {
        (false, false) => x == y,
        (true, false) => glob(x, y),
        _ => true,
    };
    let overlap = |declared: &str| {
        let declared: Vec<&str> = declared.split('.').collect();
        let shared = words.iter().zip(&declared).position(|(x, y)| *x == "**" || *y == "**");
        let n = shared.unwrap_or(words.len().min(declared.len()));
        let same_length = words.len() == declared.len();
        words.iter().zip(&declared).take(n).all(|(x, y)| fits(x, y)) && (shared.is_some() || same_length)
    };
    pattern.contains('"') || FACTS.iter().any(|f| overlap(f.path))
}

fn section_of(fact: &Fact) -> &'static str {
    fact.path.split('.').next().unwrap_or_default()
}

/// Whether a section holds what a run produced and nothing else, so that it has no digest of its own.
pub fn is_result(section: &str) -> bool {
    let start = FACTS.partition_point(|f| section_of(f) < section);
    let mut facts = FACTS[start..].iter().take_while(|f| section_of(f) == section).peekable();
    facts.peek().is_some() && facts.all(|f| f.class == Class::Result)
}

/// Whether the tables below this header are written on one line each.
pub fn is_inline(header: &[&str]) -> bool {
    SECTIONS
        .iter()
        .filter(|s| Some(&s.name) == header.first())
        .flat_map(|s| s.inline)
        .any(|p| matches(p, header))
}

/// Whether a pattern names this path.
fn matches<S: AsRef<str>>(pattern: &str, segments: &[S]) -> bool {
    let mut segments = segments.iter().map(AsRef::as_ref);
    for part in pattern.split('.') {
        match (part, segments.next()) {
            ("**", Some(_)) => return true,
            (_, None) => return false,
            ("*", Some(_)) => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}
