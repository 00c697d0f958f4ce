//! What is wrong with a policy, shown at its line.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::error::Error;

/// A file and its text, to point into.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// How the user named the file.
    pub path: &'t Path,
    /// Its text.
    pub text: &'t str,
}

impl Source<'_> {
    /// An error at a place of the file; `label` stands beside the place.
    pub fn wrong(&self, at: Range<usize>, what: &str, label: &str) -> Error {
        let name = self.path.display().to_string();
        let error = Error::input(format!("`{name}`, line {}: {what}", self.line(at.start)));
        error.excerpt(self.excerpt(&name, at, label))
    }

    /// The line, from 1, of a byte.
    pub fn line(&self, at: usize) -> usize {
        self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|b| **b == b'\n').count() + 1
    }

    /// The lines around the place, marked as compilers do.
    fn excerpt(&self, name: &str, at: Range<usize>, label: &str) -> String {
        let floor = |i: usize| (0..=i.min(self.text.len())).rev().find(|i| self.text.is_char_boundary(*i));
        let start = floor(at.start).unwrap_or(0);
        let end = floor(at.end.max(start)).unwrap_or(start);
        // A value may reach over many lines: its first one tells enough.
        let first_line = self.text[start..end].find('\n').map_or(end, |n| start + n);
        let mark = AnnotationKind::Primary.span(start..first_line.max(start)).label(label);
        let snippet = Snippet::source(self.text).path(name).annotation(mark);
        let report = [Level::ERROR.primary_title("").element(snippet)];
        let text = Renderer::plain().render(&report);
        // The title is ours.
        text.lines().skip(1).map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}
