//! `.env` files as python-dotenv reads them: every value is text, `${NAME}` is kept as it stands.

use std::ops::Range;
use std::rc::Rc;

use super::node::{Node, ParseError};

/// Parses `.env` text. Of a name that is there twice, the last one counts; a name without `=` is null.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let bindings = bindings(text)?.into_iter();
    let table = bindings.map(|b| (b.name, Rc::new(b.value.map_or_else(Node::null, Node::text)))).collect();
    Ok(Node::Table(table))
}

/// The names of a `.env` text in their order, and the bytes of the lines of each.
///
/// # Errors
///
/// It is none.
pub(crate) fn lines(text: &str) -> Result<Vec<(String, Range<usize>)>, ParseError> {
    Ok(bindings(text)?.into_iter().map(|b| (b.name, b.lines)).collect())
}

struct Binding {
    name: String,
    value: Option<String>,
    lines: Range<usize>,
}

fn bindings(text: &str) -> Result<Vec<Binding>, ParseError> {
    let mut out = Vec::new();
    let mut reader = Reader { rest: text, line: 1 };
    while reader.skip_blank() {
        let (line, start) = (reader.line, text.len() - reader.rest.len());
        let (name, value) = reader.binding().ok_or_else(|| ParseError::new(line, "not `NAME=value`"))?;
        reader.take(usize::from(reader.rest.starts_with('\n')));
        out.push(Binding { name, value, lines: start..text.len() - reader.rest.len() });
    }
    Ok(out)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Takes what `part` accepts, at least nothing.
    fn take_while(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        self.take(self.rest.find(|c| !part(c)).unwrap_or(self.rest.len()))
    }

    fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_whitespace() && c != '\n');
    }

    /// Skips blank lines and comments; whether anything is left.
    fn skip_blank(&mut self) -> bool {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn binding(&mut self) -> Option<(String, Option<String>)> {
        if self.rest.strip_prefix("export").is_some_and(|r| r.starts_with([' ', '\t'])) {
            self.take("export".len());
            self.skip_spaces();
        }
        let name = match self.rest.starts_with('\'') {
            true => self.quoted('\'')?,
            false => self.take_while(|c| c != '=' && c != '#' && !c.is_whitespace()).to_owned(),
        };
        if name.is_empty() {
            return None;
        }
        self.skip_spaces();
        let mut value = None;
        if self.rest.starts_with('=') {
            self.take(1);
            self.skip_spaces();
            value = Some(match self.rest.chars().next() {
                Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
                _ => unquoted(self.take_while(|c| c != '\n')),
            });
        }
        self.skip_spaces();
        if self.rest.starts_with('#') {
            self.take_while(|c| c != '\n');
        }
        (self.rest.is_empty() || self.rest.starts_with('\n')).then_some((name, value))
    }

    /// A quoted text, which may go over several lines. Single quotes know two escapes, double quotes those of C.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.take(i + 1);
                return Some(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let (_, escaped) = chars.next()?;
            match (quote, escaped) {
                (_, '\\' | '\'') | ('"', '"') => out.push(escaped),
                ('"', 'n') => out.push('\n'),
                ('"', 't') => out.push('\t'),
                ('"', 'r') => out.push('\r'),
                _ => out.extend(['\\', escaped]),
            }
        }
        None
    }
}

/// An unquoted value ends at a `#` after white space, or with the line.
fn unquoted(line: &str) -> String {
    let comment = line.char_indices().find(|(i, c)| {
        *c == '#'
            && line.get(..*i).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    });
    line.get(..comment.map_or(line.len(), |(i, _)| i)).unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::probes::config::node::flatten;

    #[test]
    fn quotes_comments_and_export() {
        let text = "# c\nexport A=1 # one\nB = 'x \\' #' # c\nC=\"l1\nl2\\n\\\"\"\nD=a#b\nE\nF=\n";
        let flat = flatten(&parse(text).unwrap()).unwrap();
        let flat: Vec<String> =
            flat.iter().map(|(path, value)| format!("{} {value}", path.join("/"))).collect();
        let expected =
            ["A \"1\"", "B \"x ' #\"", "C \"l1\\nl2\\n\\\"\"", "D \"a#b\"", "E \"null\"", "F \"\""];
        assert_eq!(flat, expected);
        assert_eq!(parse("A=1\n\nB='x\n").unwrap_err().line, Some(3));
        assert_eq!(parse("A b\n").unwrap_err().line, Some(1));
    }
}
