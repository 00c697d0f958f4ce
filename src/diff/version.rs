//! Versions of every kind that snapshots hold: PEP 440 first, else numbers and words between punctuation.

use std::cmp::Ordering;
use std::str::FromStr as _;

use pep440_rs::Version as Pep440;

use crate::explain::rule::Part;

/// Which of two versions is newer. PEP 440's order where both are such versions ("Version specifiers", packaging.python.org),
/// local parts counted; else their pieces in turn, numbers as numbers and before words.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (Pep440::from_str(a), Pep440::from_str(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => pieces(a).cmp(&pieces(b)),
    }
}

/// Whether a value can be ordered as a version at all: it begins with a number, a `v` before it apart.
pub fn is_version(text: &str) -> bool {
    text.strip_prefix('v').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit())
}

/// Like [`compare`], but for a threshold: a local part (`+cu130`) does not count, so that `2.11.0+cu130` is no more
/// than `2.11.0`.
pub fn compare_public(a: &str, threshold: &str) -> Ordering {
    compare(a.split('+').next().unwrap_or(a), threshold)
}

/// The most significant part in which two versions differ; `None` where they are equal.
pub fn step(a: &str, b: &str) -> Option<Part> {
    if compare(a, b) == Ordering::Equal {
        return None;
    }
    let numbers = |text: &str| -> Vec<u64> {
        let release = text.strip_prefix('v').unwrap_or(text);
        let release = release.split(['+', '-', ' ']).next().unwrap_or_default();
        release.split('.').map_while(leading_number).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    let at = |v: &[u64], i: usize| v.get(i).copied().unwrap_or(0);
    let first = (0..a.len().max(b.len())).find(|&i| at(&a, i) != at(&b, i));
    Some(match first {
        Some(0) => Part::Major,
        Some(1) => Part::Minor,
        Some(2) => Part::Patch,
        _ => Part::Build,
    })
}

fn leading_number(piece: &str) -> Option<u64> {
    let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
    piece[..end].parse().ok()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Word(String),
    Number(u128),
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| !p.is_empty()) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digit = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
            let (piece, tail) = rest.split_at(end);
            out.push(match piece.parse() {
                Ok(number) if digit => Piece::Number(number),
                _ => Piece::Word(piece.to_ascii_lowercase()),
            });
            rest = tail;
        }
    }
    // `1.0` and `1.0.0` are one version; a word behind (`1.0rc1`) comes before.
    while out.last() == Some(&Piece::Number(0)) && out.len() > 1 {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        for (small, big) in [
            ("2.9.1", "2.11.0"),
            ("2.11.0.dev20260101", "2.11.0"),
            ("2.11.0rc1", "2.11.0"),
            ("2.11.0", "2.11.0+cu130"),
            ("535.104.05", "550.54.15"),
            ("12.4", "12.10"),
            ("6.10.6-200.fc40.x86_64", "6.10.6-201.fc40.x86_64"),
            ("9.1.0.70", "9.19.0.56"),
        ] {
            assert_eq!(compare(small, big), Ordering::Less, "{small} {big}");
            assert_eq!(compare(big, small), Ordering::Greater, "{small} {big}");
        }
        assert_eq!(compare("1.0", "1.0.0"), Ordering::Equal);
        assert_eq!(compare_public("2.11.0+cu130", "2.11.0"), Ordering::Equal);
    }

    #[test]
    fn steps() {
        for (a, b, part) in [
            ("1.13.1", "2.0.0", Part::Major),
            ("2.9.1", "2.10.0", Part::Minor),
            ("2.9.0", "2.9.1", Part::Patch),
            ("2.9.0+cpu", "2.9.0+cu130", Part::Build),
            ("2.9.0rc1", "2.9.0", Part::Build),
            ("9.1.0.70", "9.1.0.71", Part::Build),
        ] {
            assert_eq!(step(a, b), Some(part), "{a} {b}");
        }
        assert_eq!(step("2.9", "2.9.0"), None);
    }
}
