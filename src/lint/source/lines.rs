//! From a place in the text to line and column.

use rustpython_ruff_text_size::{TextRange, TextSize};

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The last column, inclusive; the end of the first line where it goes on over several.
    pub end_column: usize,
}

/// Where the lines of a text begin. A line ends as Python says: with `\n`, `\r\n` or `\r`.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(|i| !(bytes[*i] == b'\r' && bytes.get(i + 1) == Some(&b'\n')))
            .map(|i| i + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The number of a line, from 1.
    pub(super) fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).max(1)
    }

    /// Where a line begins; the end of the text behind the last.
    pub(super) fn start(&self, number: usize) -> usize {
        self.starts.get(number.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// A line without its end.
    pub(super) fn line(&self, number: usize) -> &'a str {
        let line = self.text.get(self.start(number)..self.start(number + 1)).unwrap_or_default();
        line.trim_end_matches(['\n', '\r'])
    }

    pub(super) fn place(&self, range: TextRange) -> Place {
        let at = |size: TextSize| usize::from(size);
        let line = self.number(at(range.start()));
        let start = self.start(line);
        let characters = |end: usize| self.text.get(start..end).map_or(0, |part| part.chars().count());
        let end_of_line = start + self.line(line).len();
        let column = characters(at(range.start())) + 1;
        Place { line, column, end_column: characters(at(range.end()).min(end_of_line)).max(column) }
    }
}
