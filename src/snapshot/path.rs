//! The dotted path that names a fact.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The name of one fact: `env.OMP_NUM_THREADS`, `gpu.0.name`, `data."train set.csv".digest`.
///
/// Segments are written bare where TOML allows a bare key and as a TOML basic string elsewhere, so a path can be
/// copied from a snapshot's header and key. Paths are ordered segment by segment, numbers by their value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FactPath(Vec<String>);

impl FactPath {
    /// A path of these segments.
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// The segments, first the section.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The first segment: the section.
    pub fn section(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// This path with one more segment.
    #[must_use]
    pub fn child(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// Whether `self` is `other` or lies above it.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.len() >= self.0.len() && other.0[..self.0.len()] == self.0[..]
    }
}

/// Whether TOML allows `key` unquoted: `[A-Za-z0-9_-]+` (TOML 1.0, "Keys").
pub fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl fmt::Display for FactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            if is_bare(segment) {
                f.write_str(segment)?;
            } else {
                super::value::write_str(f, segment)?;
            }
        }
        Ok(())
    }
}

/// A path that does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fact path")]
pub struct BadPath(String);

impl FromStr for FactPath {
    type Err = BadPath;

    /// Parses what [`fmt::Display`] writes; bare segments may hold any character but `.` and `"`.
    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = || BadPath(text.to_owned());
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let segment;
            if rest.starts_with('"') {
                let end = closing_quote(rest).ok_or_else(bad)?;
                let value: toml::Value = format!("v = {}", &rest[..=end])
                    .parse::<toml::Table>()
                    .ok()
                    .and_then(|mut t| t.remove("v"))
                    .ok_or_else(bad)?;
                segment = value.as_str().ok_or_else(bad)?.to_owned();
                rest = &rest[end + 1..];
            } else {
                let end = rest.find(['.', '"']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(bad());
                }
                segment = rest[..end].to_owned();
                rest = &rest[end..];
            }
            segments.push(segment);
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(Self(segments)),
                None => return Err(bad()),
            }
        }
    }
}

/// The index of the quote that closes the basic string at the start of `text`.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(i, c)| {
        let hit = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        hit.then_some(i)
    })
}

impl Ord for FactPath {
    fn cmp(&self, other: &Self) -> Ordering {
        for (a, b) in self.0.iter().zip(&other.0) {
            // Most are told apart by their first characters, and these stand before numbers are a question.
            if let (Some(x), Some(y)) = (a.as_bytes().first(), b.as_bytes().first())
                && x != y
                && !(x.is_ascii_digit() || y.is_ascii_digit())
            {
                return x.cmp(y);
            }
            let as_text = a.cmp(b);
            if as_text == Ordering::Equal {
                continue;
            }
            // Numbers stand before names: "10" < "1a" < "2" < "10" would be a circle otherwise.
            let order = match (number(a), number(b)) {
                (Some(x), Some(y)) => x.cmp(&y).then(as_text),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => as_text,
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        self.0.len().cmp(&other.0.len())
    }
}

impl PartialOrd for FactPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A segment's value where it is a plain decimal index.
fn number(segment: &str) -> Option<u64> {
    // Most are told by their first character.
    if !segment.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    segment.bytes().all(|b| b.is_ascii_digit()).then(|| segment.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_and_parse_agree() {
        for segments in
            [vec!["env", "A"], vec!["data", "a b/\"c\".csv", "digest"], vec!["gpu", "0", "na\u{7}me"]]
        {
            let path = FactPath::new(segments);
            assert_eq!(path.to_string().parse::<FactPath>().as_ref(), Ok(&path));
        }
        for bad in ["", ".", "a.", "a..b", "a\"b", "\"a"] {
            assert!(bad.parse::<FactPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn devices_are_in_numeric_order() {
        let mut paths =
            ["gpu.10.name", "gpu.2.name", "gpu.count", "cpu.model"].map(|p| p.parse::<FactPath>().ok());
        paths.sort();
        let shown: Vec<String> = paths.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(shown, ["cpu.model", "gpu.2.name", "gpu.10.name", "gpu.count"]);
    }

    #[test]
    fn the_order_is_total() {
        let segments = ["1a", "10", "2", "", "99999999999999999999", "#"];
        for (a, b, c) in
            segments.iter().flat_map(|a| segments.iter().map(move |b| (a, b))).flat_map(|(a, b)| {
                segments.iter().map(move |c| (FactPath::new([*a]), FactPath::new([*b]), FactPath::new([*c])))
            })
        {
            assert!(!(a < b && b < c) || a < c, "{a} < {b} < {c}");
        }
    }
}
