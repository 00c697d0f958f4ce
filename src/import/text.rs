//! A dump as its program wrote it, out of what people paste: quotations, lists, HTML, terminal colours.

use std::borrow::Cow;

/// The lines of a pasted dump: without terminal escapes and control characters, HTML's escapes resolved, the marks
/// of a quotation (`> `) taken off where most lines bear them. Linear in the length of `text`.
pub fn clean(text: &str) -> String {
    let text = without_escapes(text);
    let text = if looks_like_html(&text) { unescaped(&text) } else { text };
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let quoted = lines().filter(|line| line.trim_start().starts_with('>')).count();
    // A few lines may be lost to the quotation: the end of a line that was broken.
    let depth = usize::from(quoted > 2 && quoted * 2 > lines().count());
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut line = line;
        if depth > 0 {
            while let Some(rest) = line.trim_start().strip_prefix('>') {
                line = rest.strip_prefix(' ').unwrap_or(rest);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `text` without ECMA-48 control sequences, byte order marks, zero-width and control characters; a carriage return
/// ends a line.
fn without_escapes(text: &str) -> Cow<'_, str> {
    let odd = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            // CSI: parameters up to a letter (ECMA-48, 5.4).
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.peek().is_some_and(|c| matches!(c, ' '..='?')) {
                    chars.next();
                }
                if chars.peek().is_some_and(|c| matches!(c, '@'..='~')) {
                    chars.next();
                }
            }
            // What is left of CSI where the escape character itself was lost in the paste: `\u{fffd}[4m`.
            c if odd(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn looks_like_html(text: &str) -> bool {
    ["&lt;", "&gt;", "&amp;", "&quot;", "&#", "&nbsp;", "<br"].iter().any(|mark| text.contains(mark))
}

/// HTML's escapes resolved once, and its line breaks made line feeds.
fn unescaped(text: &str) -> Cow<'_, str> {
    const ESCAPES: [(&str, &str); 10] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        ("<br>", "\n"),
        ("<br/>", "\n"),
        ("<br />", "\n"),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape)) {
            Some((escape, plain)) => {
                out.push_str(plain);
                rest = &rest[escape.len()..];
            }
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A line without the marks of a Markdown list, table or quotation before it, and without emphasis around it:
/// `- **OS**: Ubuntu` is `OS**: Ubuntu`.
pub fn unmarked(line: &str) -> &str {
    line.trim().trim_start_matches(['>', '*', '-', '|', '`', '•', ' ', '\t'])
}

/// Key and value of `KEY: VALUE`, whatever stands around the key in Markdown; a fullwidth colon counts.
pub fn pair(line: &str) -> Option<(&str, &str)> {
    let line = unmarked(line);
    let at = line.find([':', '：'])?;
    let colon = line[at..].chars().next().map_or(1, char::len_utf8);
    let key = line[..at].trim_end_matches(['*', '`', '_', ' ', '\t']);
    // Of `**OS:** Ubuntu` the value begins with what closes the emphasis.
    let value = line[at + colon..].trim();
    let value = value.strip_prefix("**").map_or(value, str::trim_start);
    (!key.is_empty()).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_paste_adds_is_gone() {
        assert_eq!(clean("> a: 1\r\n>\r\n> > b: 2\n> c\nd\n"), "a: 1\n\nb: 2\nc\nd\n");
        assert_eq!(clean("x > y\n> z\n\nw\nv"), "x > y\n> z\n\nw\nv\n");
        assert_eq!(clean("\u{1b}[4mGPU0\u{1b}[0m\0\u{feff} \u{1b}[1;31"), "GPU0\n");
        assert_eq!(clean("torch 1.0 &lt;pip&gt; &amp;lt; & <b>"), "torch 1.0 <pip> &lt; & <b>\n");
        assert_eq!(pair("- **OS**: Ubuntu: x"), Some(("OS", "Ubuntu: x")));
        assert_eq!(pair("* **OS:** Ubuntu"), Some(("OS", "Ubuntu")));
        assert_eq!(pair("架构：   x86_64"), Some(("架构", "x86_64")));
        assert_eq!(pair(": x"), None);
    }
}
