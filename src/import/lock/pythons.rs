//! The versions of Python that a lock allows, and for which of them something holds.
//!
//! A lock says `requires-python = ">=3.9"`, not which Python was used. So markers are asked for every version at which
//! the answer can change; what holds for all of them holds, what holds for some cannot be decided.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::marker::{Marker, Target};

/// The newest minor release of Python 3 that is asked about.
const NEWEST: u64 = 16;

/// A set of versions: bit `i` is the `i`-th of [`Pythons`].
pub(in crate::import) type Set = u128;

/// For which versions something holds surely, and for which perhaps; the second holds the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::import) struct When {
    /// Surely.
    pub sure: Set,
    /// Surely or perhaps.
    pub maybe: Set,
}

impl When {
    /// For these versions.
    pub(in crate::import) fn of(set: Set) -> Self {
        Self { sure: set, maybe: set }
    }

    /// Both.
    pub(in crate::import) fn and(self, other: Self) -> Self {
        Self { sure: self.sure & other.sure, maybe: self.maybe & other.maybe }
    }

    /// One of them.
    pub(in crate::import) fn or(self, other: Self) -> Self {
        Self { sure: self.sure | other.sure, maybe: self.maybe | other.maybe }
    }

    /// The same, but nothing is sure.
    pub(in crate::import) fn perhaps(self) -> Self {
        Self { sure: 0, maybe: self.maybe }
    }
}

/// The versions of Python that are asked about, in order.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct Pythons {
    versions: Vec<Version>,
    memory: BTreeMap<String, When>,
    extras: Vec<String>,
    groups: Vec<String>,
}

impl Pythons {
    /// Those that `requires` allows (all where it is `None` or cannot be read), and at which one of `markers` can
    /// change.
    pub(in crate::import) fn new<'a>(
        requires: Option<&str>,
        markers: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut texts = Vec::new();
        for marker in markers {
            if let Some(marker) = Marker::parse(marker) {
                marker.versions(&mut texts);
            }
        }
        texts.extend(requires.unwrap_or_default().split([',', ' ', '|']).map(|clause| {
            clause.trim_matches(|c: char| "<>=!~^*.".contains(c) || c.is_whitespace()).to_owned()
        }));
        let mut versions: Vec<Version> =
            (0..=NEWEST).map(|minor| Version::new([3, minor, 0])).chain([Version::new([2, 7, 18])]).collect();
        texts.sort();
        texts.dedup();
        for text in texts {
            let Some(version) =
                Version::from_str(&text).ok().filter(|v| matches!(v.release().first(), Some(2 | 3)))
            else {
                continue;
            };
            let part = |i: usize| version.release().get(i).copied().unwrap_or(0);
            if part(1) > 99 || part(2) > 99 {
                continue;
            }
            let near = [part(2).saturating_sub(1), part(2), part(2) + 1];
            versions.extend(near.into_iter().map(|micro| Version::new([part(0), part(1), micro])));
        }
        let allowed = Allowed::parse(requires);
        versions.retain(|v| allowed.contains(v));
        versions.sort();
        versions.dedup();
        versions.truncate(Set::BITS as usize);
        if versions.is_empty() {
            // Nothing that exists fits; the markers are asked all the same.
            versions.push(Version::new([3, NEWEST, 0]));
        }
        Self { versions, ..Self::default() }
    }

    /// With these extras and dependency groups installed.
    pub(in crate::import) fn with(mut self, extras: Vec<String>, groups: Vec<String>) -> Self {
        (self.extras, self.groups) = (extras, groups);
        self
    }

    /// All of them.
    pub(in crate::import) fn all(&self) -> When {
        When::of(if self.versions.len() >= 128 { Set::MAX } else { (1 << self.versions.len()) - 1 })
    }

    /// For which of them a marker holds. What cannot be read may hold for all.
    pub(in crate::import) fn when(&mut self, marker: &str, extra: &dyn Fn(&str) -> bool) -> When {
        if let (false, Some(known)) = (marker.contains("extra"), self.memory.get(marker)) {
            return *known;
        }
        let mut when = When::default();
        match Marker::parse(marker) {
            None => when = self.all().perhaps(),
            Some(parsed) => {
                for (i, python) in self.versions.iter().enumerate() {
                    let target = Target { python, extra, extras: &self.extras, groups: &self.groups };
                    match parsed.holds(&target) {
                        Some(true) => when = when.or(When::of(1 << i)),
                        Some(false) => {}
                        None => when.maybe |= 1 << i,
                    }
                }
            }
        }
        if !marker.contains("extra") {
            self.memory.insert(marker.to_owned(), when);
        }
        when
    }

    /// [`Pythons::when`] without extras; a package without a marker is for all of them.
    pub(in crate::import) fn when_said(&mut self, marker: Option<&str>) -> When {
        match marker {
            Some(marker) => self.when(marker, &|_| false),
            None => self.all(),
        }
    }

    /// Which of them a `requires-python` allows.
    pub(in crate::import) fn allowed(&self, requires: Option<&str>) -> When {
        let allowed = Allowed::parse(requires);
        let set = self.versions.iter().enumerate().filter(|(_, v)| allowed.contains(v));
        When::of(set.fold(0, |set, (i, _)| set | 1 << i))
    }

    /// The versions in words: `3.8 to 3.10`, `3.11 and newer`.
    pub(in crate::import) fn words(&self, set: Set) -> String {
        let inside = |i: usize| set & (1 << i) != 0;
        let minor = |v: &Version| {
            format!("{}.{}", v.release().first().unwrap_or(&3), v.release().get(1).unwrap_or(&0))
        };
        let mut parts: Vec<String> = Vec::new();
        let mut i = 0;
        while i < self.versions.len() {
            if !inside(i) {
                i += 1;
                continue;
            }
            let start = i;
            while i + 1 < self.versions.len() && inside(i + 1) {
                i += 1;
            }
            let (first, last) = (minor(&self.versions[start]), minor(&self.versions[i]));
            parts.push(match (i + 1 == self.versions.len(), first == last) {
                (true, _) if start == 0 => "every version".into(),
                (true, _) => format!("{first} and newer"),
                (false, true) => first,
                (false, false) => format!("{first} to {last}"),
            });
            i += 1;
        }
        parts.dedup();
        parts.join(", ")
    }
}

/// What a `requires-python` allows, alternatives of Poetry (`||`) included.
struct Allowed(Vec<VersionSpecifiers>);

impl Allowed {
    fn parse(requires: Option<&str>) -> Self {
        let text = requires.unwrap_or_default();
        let alternatives = text.split("||").map(|part| {
            let clauses: Option<Vec<String>> =
                part.split(',').map(str::trim).filter(|c| !c.is_empty() && *c != "*").map(clause).collect();
            clauses.and_then(|clauses| VersionSpecifiers::from_str(&clauses.join(",")).ok())
        });
        // One that cannot be read allows everything.
        Self(alternatives.collect::<Option<Vec<_>>>().unwrap_or_default())
    }

    fn contains(&self, version: &Version) -> bool {
        self.0.is_empty() || self.0.iter().any(|alternative| alternative.contains(version))
    }
}

/// Whether a version fits a constraint as `requires-python` is written; what cannot be read fits.
pub(in crate::import) fn fits(constraint: &str, version: &str) -> bool {
    Version::from_str(version).map_or(true, |version| Allowed::parse(Some(constraint)).contains(&version))
}

/// One clause, Poetry's carets and tildes as PEP 440 ("Dependency specification", python-poetry.org).
fn clause(text: &str) -> Option<String> {
    let numbers = |text: &str| -> Option<Vec<u64>> { text.split('.').map(|n| n.parse().ok()).collect() };
    if let Some(version) = text.strip_prefix('^') {
        let parts = numbers(version.trim())?;
        let at = parts.iter().position(|n| *n != 0).unwrap_or(parts.len().saturating_sub(1));
        let mut above: Vec<u64> = parts.get(..=at)?.to_vec();
        *above.last_mut()? = above.last()?.checked_add(1)?;
        let above: Vec<String> = above.iter().map(u64::to_string).collect();
        return Some(format!(">={},<{}", version.trim(), above.join(".")));
    }
    if let Some(version) = text.strip_prefix('~').filter(|v| !v.starts_with('=')) {
        let mut above = numbers(version.trim())?;
        above.truncate(2);
        *above.last_mut()? = above.last()?.checked_add(1)?;
        let above: Vec<String> = above.iter().map(u64::to_string).collect();
        return Some(format!(">={},<{}", version.trim(), above.join(".")));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(format!("=={text}"));
    }
    Some(text.split_whitespace().collect::<Vec<_>>().join(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_every_allowed_python_is_sure() {
        let mut pythons =
            Pythons::new(Some(">=3.9"), ["python_version < '3.11'", "python_full_version >= '3.12.4'"]);
        let all = pythons.all();
        let no = |_: &str| false;
        assert_eq!(pythons.when("sys_platform == 'linux'", &no), all);
        assert_eq!(pythons.when("python_version >= '3.8'", &no), all);
        assert_eq!(pythons.when("python_version < '3.8'", &no), When::default());
        let old = pythons.when("python_version < '3.11'", &no);
        assert_eq!(pythons.words(old.sure), "3.9 to 3.10");
        let new = pythons.when("python_full_version >= '3.12.4'", &no);
        assert_eq!(pythons.words(new.sure), "3.12 and newer");
        assert_ne!(new, pythons.when("python_version >= '3.12'", &no));
        assert_eq!(pythons.when("what is this", &no), all.perhaps());
        assert_eq!(pythons.words(all.sure), "every version");
    }

    #[test]
    fn requirements_of_poetry() {
        for (requires, yes, no) in [
            ("^3.8", "3.12.0", "3.7.0"),
            ("~3.10", "3.10.5", "3.11.0"),
            (">=2.7, !=3.0.*, !=3.1.*", "3.2.0", "3.1.2"),
            ("2.7 || >=3.6", "3.6.0", "3.5.0"),
            ("3.9.*", "3.9.2", "3.10.0"),
            (">=3.8,<4.0", "3.9.0", "4.0"),
        ] {
            let allowed = Allowed::parse(Some(requires));
            let version = |v: &str| Version::from_str(v).expect("a version");
            assert!(allowed.contains(&version(yes)), "{requires} {yes}");
            assert!(!allowed.contains(&version(no)), "{requires} {no}");
        }
        assert!(Allowed::parse(Some("*")).contains(&Version::new([2, 7])));
        assert!(Allowed::parse(Some("nonsense")).contains(&Version::new([2, 7])));
    }
}
