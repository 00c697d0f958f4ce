//! Patterns over fact paths: `*` is a segment or a part of one, `**` at the end one or more segments.

use std::ops::Bound;

use crate::snapshot::{FactPath, Facts};

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<String>,
    /// Which of them hold a `*`.
    stars: Vec<bool>,
    /// Whether `**` stands at the end.
    deep: bool,
}

impl Pattern {
    /// Parses a pattern as a rule writes it; quoted segments as in a path.
    pub fn new(text: &str) -> Self {
        let plain = || text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let mut segments = if text.contains('"') {
            text.parse::<FactPath>().map_or_else(|_| plain(), |path| path.segments().to_vec())
        } else {
            plain()
        };
        let deep = segments.last().is_some_and(|s| s == "**");
        if deep {
            segments.pop();
        }
        let stars = segments.iter().map(|s| s.contains('*')).collect();
        Self { segments, stars, deep }
    }

    /// The one path that this pattern names, if it has no wildcard.
    pub fn literal(&self) -> Option<FactPath> {
        (!self.deep && !self.segments.iter().any(|s| s.contains('*')))
            .then(|| FactPath::new(self.segments.iter().cloned()))
    }

    /// The section, where the pattern names one.
    pub fn section(&self) -> Option<&str> {
        self.segments.first().map(String::as_str).filter(|s| !s.contains('*'))
    }

    /// The paths that the pattern may name: those of its section, or all where it leaves the section open.
    pub fn within<'f>(&self, facts: &'f Facts) -> impl Iterator<Item = &'f FactPath> + use<'f> {
        let section = self.section().map(|s| FactPath::new([s]));
        let from = section.clone().map_or(Bound::Unbounded, Bound::Included);
        let keys = facts.range((from, Bound::Unbounded)).map(|(path, _)| path);
        keys.take_while(move |path| section.as_ref().is_none_or(|s| s.section() == path.section()))
    }

    /// Whether the pattern names this path.
    pub fn matches(&self, path: &FactPath) -> bool {
        let segments = path.segments();
        let length = self.segments.len();
        let fits = if self.deep { segments.len() > length } else { segments.len() == length };
        // From the end: what tells facts apart stands there, and what they share at the front.
        fits && self.fit(segments.iter().take(length)).rev().all(|fits| fits)
    }

    /// Whether each segment fits the pattern's of the same place.
    fn fit<'s>(
        &'s self,
        texts: impl DoubleEndedIterator<Item = &'s String> + ExactSizeIterator + 's,
    ) -> impl DoubleEndedIterator<Item = bool> + 's {
        let patterns = self.segments.iter().zip(&self.stars).take(texts.len());
        patterns
            .zip(texts)
            .map(|((pattern, star), text)| if *star { glob(pattern, text) } else { pattern == text })
    }

    /// The first segment of this path that stands where the pattern has a `*`; `None` where the pattern does not
    /// name the path, or has none before its end.
    pub fn first_star<'p>(&self, path: &'p FactPath) -> Option<&'p str> {
        let at = self.segments.iter().position(|s| s.contains('*'))?;
        self.matches(path).then(|| path.segments().get(at).map(String::as_str))?
    }

    /// How many segments the pattern spells out before its first wildcard.
    pub fn spelled_out(&self) -> usize {
        self.segments.iter().take_while(|s| !s.contains('*')).count()
    }

    /// Whether the pattern may name this path or something below it.
    pub fn reaches_into(&self, path: &FactPath) -> bool {
        let segments = path.segments();
        let n = self.segments.len().min(segments.len());
        (self.deep || self.segments.len() >= segments.len())
            && self.fit(segments[..n].iter()).all(|fits| fits)
    }
}

/// Whether `text` fits `pattern`, where `*` stands for any text. Linear in the length for one `*`, and bounded by
/// the product of the lengths otherwise.
pub fn glob(pattern: &str, text: &str) -> bool {
    if !pattern.as_bytes().contains(&b'*') {
        return pattern == text;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for middle in parts {
        match rest.find(middle) {
            Some(at) => rest = &rest[at + middle.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, hit) in [
            ("env.OMP_NUM_THREADS", "env.OMP_NUM_THREADS", true),
            ("env.OMP_*", "env.OMP_NUM_THREADS", true),
            ("env.*_LEVEL", "env.OMP_NUM_THREADS", false),
            ("gpu.*.name", "gpu.0.name", true),
            ("gpu.*.name", "gpu.0.mig.0.name", false),
            ("torch.**", "torch.libraries.libc10.path", true),
            ("torch.**", "torch", false),
            ("python.packages.nvidia-*.**", "python.packages.nvidia-cublas-cu12.version", true),
            ("a.x*y*z", "a.xxyyzz", true),
            ("a.x*y*z", "a.xz", false),
            ("data.\"a.b\".digest", "data.\"a.b\".digest", true),
        ] {
            let path: FactPath = path.parse().unwrap();
            assert_eq!(Pattern::new(pattern).matches(&path), hit, "{pattern} {path}");
        }
        assert!(Pattern::new("gpu.*.name").reaches_into(&FactPath::new(["gpu"])));
        assert!(!Pattern::new("gpu.count").reaches_into(&FactPath::new(["gpu", "0"])));
    }
}
