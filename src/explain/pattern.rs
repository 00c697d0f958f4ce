//! Patterns over fact paths: `*` is a segment or a part of one, `**` at the end one or more segments.

use crate::snapshot::{FactPath, Facts};

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    /// Whether `**` stands at the end.
    deep: bool,
}

/// A segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    text: String,
    /// Where its first `*` stands.
    star: Option<usize>,
}

impl Segment {
    fn new(text: String) -> Self {
        Self { star: text.find('*'), text }
    }

    fn fits(&self, text: &str) -> bool {
        match self.star {
            None => self.text == text,
            // Most texts are told apart by how they begin.
            Some(at) => {
                let begins = text.as_bytes().starts_with(&self.text.as_bytes()[..at]);
                begins && (self.text.len() == 1 || glob(&self.text, text))
            }
        }
    }
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
        Self { segments: segments.into_iter().map(Segment::new).collect(), deep }
    }

    /// The one path that this pattern names, if it has no wildcard.
    pub fn literal(&self) -> Option<FactPath> {
        (!self.deep && self.spelled_out() == self.segments.len()).then(|| self.above())
    }

    /// The section, where the pattern names one.
    pub fn section(&self) -> Option<&str> {
        self.segments.first().filter(|s| s.star.is_none()).map(|s| s.text.as_str())
    }

    /// The path that the pattern spells out before its first wildcard: whatever it names is this, or lies below.
    pub fn above(&self) -> FactPath {
        FactPath::new(self.segments.iter().take_while(|s| s.star.is_none()).map(|s| s.text.clone()))
    }

    /// The paths that the pattern may name: what lies below the part that it spells out.
    pub fn within<'f>(&self, facts: &'f Facts) -> impl Iterator<Item = &'f FactPath> + use<'f> {
        let above = self.above();
        let keys = facts.range(above.clone()..).map(|(path, _)| path);
        keys.take_while(move |path| above.covers(path))
    }

    /// Whether the pattern names this path.
    pub fn matches(&self, path: &FactPath) -> bool {
        let segments = path.segments();
        let length = self.segments.len();
        let fits = if self.deep { segments.len() > length } else { segments.len() == length };
        // From the end: what tells facts apart stands there, and what they share at the front.
        fits && self.segments.iter().zip(segments).rev().all(|(pattern, text)| pattern.fits(text))
    }

    /// The first segment of this path that stands where the pattern has a `*`; `None` where the pattern does not
    /// name the path, or has none before its end.
    pub fn first_star<'p>(&self, path: &'p FactPath) -> Option<&'p str> {
        let at = self.segments.iter().position(|s| s.star.is_some())?;
        self.matches(path).then(|| path.segments().get(at).map(String::as_str))?
    }

    /// How many segments the pattern spells out before its first wildcard.
    pub fn spelled_out(&self) -> usize {
        self.segments.iter().take_while(|s| s.star.is_none()).count()
    }

    /// Whether the pattern may name this path or something below it.
    pub fn reaches_into(&self, path: &FactPath) -> bool {
        let segments = path.segments();
        (self.deep || self.segments.len() >= segments.len())
            && self.segments.iter().zip(segments).all(|(pattern, text)| pattern.fits(text))
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
