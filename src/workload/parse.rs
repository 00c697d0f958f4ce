//! Python text as a typed syntax tree. Nothing here knows what the tree is read for.

use rustpython_ruff_python_ast::ModModule;
use rustpython_ruff_python_ast::token::TokenKind;
use rustpython_ruff_python_parser::{Mode, ParseOptions, lexer, parse_unchecked};
use rustpython_ruff_text_size::TextSize;

/// Longest source that is parsed, in bytes; generated tables are longer, programs are not.
pub const LONGEST: usize = 4 << 20;

/// Deepest nesting that is parsed: parser, tree walks and the tree's own destruction recurse.
const DEEPEST: usize = 2000;

/// A parsed file.
#[derive(Debug)]
pub struct Source {
    /// The text it was parsed from.
    pub text: String,
    /// The tree; where the text has errors, what could be understood of it.
    pub tree: ModModule,
    /// The first syntax error, with its line.
    pub error: Option<(usize, String)>,
    /// Where each line begins.
    starts: Vec<u32>,
}

/// Why a text is not parsed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than [`LONGEST`].
    #[error("is longer than {} MiB", LONGEST >> 20)]
    Long,
    /// Nested beyond any program that a person wrote.
    #[error("is nested too deeply")]
    Deep,
}

/// Parses a module. Syntax of every version from 3.8 to 3.14 is accepted, whichever the interpreter has.
///
/// # Errors
///
/// Where the text is too long or nested too deeply to be walked safely. A syntax error is no error here: it is in
/// [`Source::error`].
pub fn parse(text: String) -> Result<Source, Refused> {
    if text.len() > LONGEST {
        return Err(Refused::Long);
    }
    if too_deep(&text) {
        return Err(Refused::Deep);
    }
    let starts: Vec<u32> = std::iter::once(0)
        .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| u32::try_from(i + 1).unwrap_or(u32::MAX)))
        .collect();
    let parsed = parse_unchecked(&text, ParseOptions::from(Mode::Module));
    let error = parsed.errors().first().map(|e| (line_in(&starts, e.location.start()), e.error.to_string()));
    let tree = match parsed.into_syntax() {
        rustpython_ruff_python_ast::Mod::Module(tree) => tree,
        rustpython_ruff_python_ast::Mod::Expression(_) => return Err(Refused::Deep),
    };
    Ok(Source { text, tree, error, starts })
}

impl Source {
    /// The line, from 1, of a position in the text.
    pub fn line(&self, at: TextSize) -> usize {
        line_in(&self.starts, at)
    }
}

fn line_in(starts: &[u32], at: TextSize) -> usize {
    starts.partition_point(|start| *start <= at.to_u32()).max(1)
}

/// Whether the tree of `text` could be deeper than [`DEEPEST`]: an upper bound by counting what nests, from the
/// tokens alone. A comma or a line end closes what was counted since the bracket that holds it.
fn too_deep(text: &str) -> bool {
    let mut lexer = lexer::lex(text, Mode::Module);
    let (mut nest, mut total, mut indent) = (vec![0usize], 0usize, 0usize);
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return false,
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                nest.push(1);
                total += 1;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                if nest.len() > 1 {
                    total -= nest.pop().unwrap_or(0);
                }
                // A call or a subscript of what stands before: `f()()()` nests to the left.
                *nest.last_mut().unwrap_or(&mut 0) += 1;
                total += 1;
            }
            TokenKind::Comma => total -= std::mem::take(nest.last_mut().unwrap_or(&mut 0)),
            TokenKind::Newline => {
                nest = vec![0];
                total = 0;
            }
            TokenKind::Indent => indent += 1,
            TokenKind::Dedent => indent = indent.saturating_sub(1),
            TokenKind::Name | TokenKind::Int | TokenKind::Float | TokenKind::String | TokenKind::Comment => {
                continue;
            }
            _ => {
                *nest.last_mut().unwrap_or(&mut 0) += 1;
                total += 1;
            }
        }
        if total + indent > DEEPEST {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_old_syntax() {
        for text in [
            "print('3.8'); (n := 3)\ndef f(a, /, b): return a\n",
            "match x:\n    case {'a': [1, *_]} | None: pass\n",
            "try:\n    pass\nexcept* ValueError: pass\n",
            "type X[T] = list[T]\ndef f[T: int = int](x: T): ...\n",
            "f'{a!r:>{w}} {f\"{b}\"}'\nt'{x}'\n",
            "try:\n    pass\nexcept A, B: pass\n",
            "async def f():\n    async for x in y: await z\n",
        ] {
            let source = parse(text.to_owned()).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(source.error, None, "{text}");
        }
    }

    #[test]
    fn an_error_keeps_the_rest() {
        let source = parse("a = 1\nb = (\nc = 2\n".to_owned()).unwrap();
        assert!(source.error.is_some());
        assert!(!source.tree.body.is_empty());
    }

    #[test]
    fn depth_is_bounded_and_data_is_not_depth() {
        for text in [
            "(".repeat(100_000),
            "-".repeat(100_000),
            "f".to_owned() + &"()".repeat(50_000),
            "x = 1".to_owned() + &" + 1".repeat(50_000),
        ] {
            assert!(matches!(parse(text), Err(Refused::Deep)));
        }
        let data = format!("x = [{}]\n", "-1.5, (2, 3),\n".repeat(20_000));
        assert_eq!(parse(data).map(|s| s.error).ok(), Some(None));
        let nest: String = (0..3000).map(|i| " ".repeat(i) + "if x:\n").collect();
        assert!(matches!(parse(nest), Err(Refused::Deep) | Err(Refused::Long)));
    }
}
