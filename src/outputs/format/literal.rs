//! The Python literals that a `.npy` header is written in; `ast.literal_eval` without Python.

use std::fmt;

/// A literal; a tuple is a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Str(String),
    /// A whole number.
    Int(i64),
    /// `True` or `False`.
    Bool(bool),
    /// A list or tuple.
    List(Vec<Literal>),
    /// A dictionary.
    Dict(Vec<(Literal, Literal)>),
}

/// Literals inside one another.
const DEPTH: usize = 32;

/// The literal that is all of `text`.
pub fn parse(text: &str) -> Option<Literal> {
    let mut rest = text;
    let literal = value(&mut rest, 0)?;
    rest.trim().is_empty().then_some(literal)
}

fn value(rest: &mut &str, depth: usize) -> Option<Literal> {
    *rest = rest.trim_start();
    let first = rest.chars().next()?;
    if depth > DEPTH {
        return None;
    }
    match first {
        '\'' | '"' => {
            let body = &rest[1..];
            let end = body.find(first)?;
            // numpy writes names with escapes only where they are not printable; such a header is refused.
            let text = body[..end].to_owned();
            *rest = &body[end + 1..];
            (!text.contains('\\')).then_some(Literal::Str(text))
        }
        '(' | '[' => {
            let close = if first == '(' { ')' } else { ']' };
            let mut items = Vec::new();
            sequence(rest, close, |rest| {
                items.push(value(rest, depth + 1)?);
                Some(())
            })?;
            Some(Literal::List(items))
        }
        '{' => {
            let mut items = Vec::new();
            sequence(rest, '}', |rest| {
                let key = value(rest, depth + 1)?;
                *rest = rest.trim_start().strip_prefix(':')?;
                items.push((key, value(rest, depth + 1)?));
                Some(())
            })?;
            Some(Literal::Dict(items))
        }
        _ => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
            let word = &rest[..end];
            *rest = &rest[end..];
            match word {
                "True" => Some(Literal::Bool(true)),
                "False" => Some(Literal::Bool(false)),
                // Python 2 wrote long numbers with an L.
                number => number.trim_end_matches('L').parse().ok().map(Literal::Int),
            }
        }
    }
}

/// Items up to `close`, with commas between them; the opening character comes first.
fn sequence(rest: &mut &str, close: char, mut item: impl FnMut(&mut &str) -> Option<()>) -> Option<()> {
    *rest = &rest[1..];
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(close) {
            *rest = after;
            return Some(());
        }
        item(rest)?;
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None if rest.starts_with(close) => {}
            None => return None,
        }
    }
}

impl fmt::Display for Literal {
    /// As Python's `str` writes it, a list of fields with tuples inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => write!(f, "'{text}'"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(truth) => f.write_str(if *truth { "True" } else { "False" }),
            Self::List(items) => list(f, items, true),
            Self::Dict(_) => f.write_str("{}"),
        }
    }
}

/// `[('a', '<f4'), ('b', '<i4', (2,))]`: lists of tuples of scalars or lists.
fn list(f: &mut fmt::Formatter<'_>, items: &[Literal], outer: bool) -> fmt::Result {
    f.write_str(if outer { "[" } else { "(" })?;
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        match item {
            Literal::List(inner) => {
                let fields = inner.first().is_some_and(|field| matches!(field, Literal::List(_)));
                list(f, inner, !outer && fields)?;
            }
            other => write!(f, "{other}")?,
        }
    }
    if !outer && items.len() == 1 {
        f.write_str(",")?;
    }
    f.write_str(if outer { "]" } else { ")" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_numpy() {
        let text =
            "{'descr': [('a', '<f4'), ('b', '<i4', (2,))], 'fortran_order': False, 'shape': (3, 4), } \n";
        let Some(Literal::Dict(items)) = parse(text) else { panic!("{text}") };
        assert_eq!(items[0].1.to_string(), "[('a', '<f4'), ('b', '<i4', (2,))]");
        assert_eq!(items[2].1, Literal::List(vec![Literal::Int(3), Literal::Int(4)]));
        for bad in ["", "{", "__import__('os')", "{'a': open('x')}", "(1,,2)", &"[".repeat(100_000)] {
            assert_eq!(parse(bad), None, "{bad:.40}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\](){}'\":, 0-9TrueFalse<fé\\\\-]{0,60}|.{0,40}") {
            let _any = parse(&text);
        }
    }
}
