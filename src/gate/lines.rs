//! Where in the file of a lock each fact stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::snapshot::FactPath;

/// The places of facts and tables in the text of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    facts: BTreeMap<FactPath, Range<usize>>,
    /// The first byte of each table, by its path.
    tables: BTreeMap<FactPath, usize>,
    /// The first byte of each line.
    starts: Vec<usize>,
    text: String,
}

/// A place: line and columns from 1, the last column inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The first column, in characters; `None` where only the line is known.
    pub columns: Option<(usize, usize)>,
}

impl Lines {
    /// Reads the places. Text that is no TOML (a dump of another program) has none.
    pub fn of(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        let mut out = Self { starts, text: text.to_owned(), ..Self::default() };
        let Ok(root) = DeTable::parse(text) else { return out };
        for (key, value) in root.get_ref() {
            let name: &str = key.get_ref();
            let mut at = match name {
                // Facts of these tables stand under the name of their section.
                "private" | "volatile" | "result" => Vec::new(),
                _ => vec![name.to_owned()],
            };
            if let DeValue::Table(table) = value.get_ref() {
                if !at.is_empty() {
                    out.tables.insert(FactPath::new(at.iter().cloned()), key.span().start);
                }
                out.below(&mut at, table);
            }
        }
        out
    }

    fn below(&mut self, at: &mut Vec<String>, table: &DeTable<'_>) {
        for (key, value) in table {
            at.push(key.get_ref().to_string());
            let path = FactPath::new(at.iter().cloned());
            match value.get_ref() {
                DeValue::Table(inner) => {
                    self.tables.entry(path).or_insert(key.span().start);
                    self.below(at, inner);
                }
                _ => drop(self.facts.entry(path).or_insert(key.span().start..value.span().end)),
            }
            at.pop();
        }
    }

    /// Where a fact stands; where it is not there, the innermost table that would hold it.
    pub fn find(&self, path: &FactPath) -> Option<Place> {
        if let Some(range) = self.facts.get(path) {
            let (line, start) = self.line(range.start);
            let end = self.text[range.clone()].find('\n').map_or(range.end, |n| range.start + n);
            let column = |to: usize| self.text[start..to].chars().count();
            return Some(Place { line, columns: Some((column(range.start) + 1, column(end).max(1))) });
        }
        let segments = path.segments();
        (1..segments.len()).rev().find_map(|n| {
            let above = FactPath::new(segments[..n].iter().cloned());
            self.tables.get(&above).map(|at| Place { line: self.line(*at).0, columns: None })
        })
    }

    /// The line of a byte, from 1, and the line's first byte.
    fn line(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        (line, self.starts.get(line.wrapping_sub(1)).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "format = 1\n\n[cuda.libraries.cudnn]\nversion = \"9.1\"\n\n[python.packages]\n\"tōrch.x\" = { version = \"2\", build = \"é\" }\n\n[private.gpu.0]\nuuid = \"x\"\n";

    #[test]
    fn places() {
        let lines = Lines::of(TEXT);
        let at = |path: &str| lines.find(&path.parse().unwrap());
        assert_eq!(at("cuda.libraries.cudnn.version"), Some(Place { line: 4, columns: Some((1, 15)) }));
        assert_eq!(at("python.packages.\"tōrch.x\".build"), Some(Place { line: 7, columns: Some((30, 40)) }));
        assert_eq!(at("gpu.0.uuid"), Some(Place { line: 10, columns: Some((1, 10)) }));
        assert_eq!(at("cuda.libraries.nccl.version"), Some(Place { line: 3, columns: None }));
        assert_eq!(at("env.X"), None);
        assert_eq!(Lines::of("no TOML [").find(&"env.X".parse().unwrap()), None);
    }
}
