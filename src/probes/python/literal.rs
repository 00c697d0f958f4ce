//! Python string literals, as `repr` writes them.

/// Reads the string literal at the start of `text`: its value and what follows.
pub(super) fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut value = String::new();
    let mut rest = text.get(1..)?.chars();
    loop {
        match rest.next()? {
            c if c == quote => return Some((value, rest.as_str())),
            '\\' => match rest.next()? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => value.push(hex(&mut rest, 2)?),
                'u' => value.push(hex(&mut rest, 4)?),
                'U' => value.push(hex(&mut rest, 8)?),
                c => value.push(c),
            },
            c => value.push(c),
        }
    }
}

/// The character of the next `digits` hexadecimal digits.
fn hex(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = rest.as_str().get(..digits)?;
    *rest = rest.as_str().get(digits..)?.chars();
    char::from_u32(u32::from_str_radix(text, 16).ok()?)
}

/// Adjacent string literals joined, as the compiler does and `pprint` writes long strings.
pub(super) fn joined(text: &str) -> Option<(String, &str)> {
    let (mut value, mut rest) = string(text.trim_start())?;
    while let Some((more, behind)) = string(rest.trim_start()) {
        value.push_str(&more);
        rest = behind;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(string(r"'a\'b\\' rest"), Some((r"a'b\".to_owned(), " rest")));
        assert_eq!(string(r#""it's \x41\n""#), Some(("it's A\n".to_owned(), "")));
        assert_eq!(string("'open"), None);
        assert_eq!(string("12"), None);
        assert_eq!(joined("\n 'a '\n   \"b\",\n"), Some(("a b".to_owned(), ",\n")));
    }
}
