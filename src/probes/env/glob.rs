//! Patterns for names, as a shell has them.

/// Whether `name` matches `pattern` as a whole: `*` stands for any text, `?` for one character, `[ab-d]` for one of
/// these and `[!ab]` for one of the others. A bracket that is not closed stands for itself.
///
/// Takes time in proportion to the product of the two lengths at most.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the text after the last `*` does not fit: the `*` takes one more character.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => one_of(&pattern[p..], name[n]),
            Some(c) if *c == name[n] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The length of the bracket expression at the start of `pattern` where it takes `c`.
fn one_of(pattern: &[char], c: char) -> Option<usize> {
    let negated = pattern.get(1) == Some(&'!');
    let start = if negated { 2 } else { 1 };
    // A `]` right at the start is one of the characters.
    let end = pattern.iter().skip(start + 1).position(|c| *c == ']').map(|at| start + 1 + at);
    let Some(end) = end else {
        return (c == '[').then_some(1);
    };
    let set = &pattern[start..end];
    let mut found = false;
    let mut i = 0;
    while let Some(low) = set.get(i) {
        match (set.get(i + 1), set.get(i + 2)) {
            (Some('-'), Some(high)) => {
                found |= (*low..=*high).contains(&c);
                i += 3;
            }
            _ => {
                found |= *low == c;
                i += 1;
            }
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("A", "A"),
            ("*", ""),
            ("*", "x"),
            ("A*", "A"),
            ("A*C", "ABBC"),
            ("*_SEED", "MY_SEED"),
            ("A?C", "ABC"),
            ("[A-C]X", "BX"),
            ("[!A]X", "BX"),
            ("[]]", "]"),
            ("[", "["),
            ("a*b*c", "aXbYbZc"),
            ("**", "x"),
            ("é?", "éa"),
            ("NVIDIA_*_VERSION", "NVIDIA_PYTORCH_VERSION"),
            ("[a-]", "-"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("A", "AB"),
            ("A", ""),
            ("", "A"),
            ("A*C", "AB"),
            ("?", ""),
            ("[A-C]X", "DX"),
            ("[!A]X", "AX"),
            ("[A", "A"),
            ("a*b*c", "aXbYbZ"),
            ("[z-a]", "m"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)));
    }
}
