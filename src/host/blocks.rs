//! `/proc/cpuinfo` of a machine with many CPUs, made short: 224 blocks of 2 KB differ in a few lines.

/// The whole text of a short one: every block after the first takes the lines that it lacks from the first, and its
/// lines stand in the first one's order.
pub(super) fn expand(short: &str) -> String {
    let mut blocks = blocks(short);
    let first: Vec<&str> = blocks.next().unwrap_or_default();
    let mut out = first.iter().map(|line| format!("{line}\n")).collect::<String>() + "\n";
    for block in blocks {
        for line in &first {
            let own = block.iter().find(|own| key(own) == key(line));
            out.push_str(own.unwrap_or(line));
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

/// The short form of a text; `None` where it would not give back these very bytes.
pub(super) fn shrink(text: &str) -> Option<String> {
    let mut blocks = blocks(text);
    let first = blocks.next()?;
    let mut short: String = first.iter().map(|line| format!("{line}\n")).collect();
    for block in blocks {
        short.push('\n');
        for line in block.iter().filter(|line| !first.contains(line)) {
            short.push_str(line);
            short.push('\n');
        }
    }
    (expand(&short) == text && short.len() < text.len()).then_some(short)
}

/// Runs of lines between empty ones.
fn blocks(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split("\n\n").map(|block| block.lines().collect::<Vec<_>>()).filter(|block| !block.is_empty())
}

fn key(line: &str) -> &str {
    line.split(':').next().unwrap_or(line).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_gives_back_the_whole_one() {
        let whole = "processor\t: 0\nflags\t\t: fpu sse\ncore id\t\t: 0\n\nprocessor\t: 1\nflags\t\t: fpu sse\ncore id\t\t: 1\n\n";
        let short = "processor\t: 0\nflags\t\t: fpu sse\ncore id\t\t: 0\n\nprocessor\t: 1\ncore id\t\t: 1\n";
        assert_eq!(shrink(whole).as_deref(), Some(short));
        assert_eq!(expand(short), whole);
    }

    #[test]
    fn what_would_come_back_otherwise_is_not_made_short() {
        for text in ["", "a: 1\n\na: 2\nb: 3\n\n", "a: 1\nb: 2\n\nb: 2\n\n", "a: 1\n\na: 1\n"] {
            assert_eq!(shrink(text), None, "{text:?}");
        }
    }
}
