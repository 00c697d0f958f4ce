//! `# driftlock: ignore[RULE] reason`.

use rustpython_ruff_python_ast::token::TokenKind;
use rustpython_ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use rustpython_ruff_text_size::{Ranged as _, TextRange, TextSize};

use super::lines::{Lines, Place};

/// A comment that takes a finding back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Where it stands.
    pub place: Place,
    /// The rules that it names; empty where it names none.
    pub rules: Vec<String>,
    /// Why, in the user's words; empty where nothing is said.
    pub reason: String,
    /// Whether it stands alone on its line: then it speaks for the next line of code.
    pub alone: bool,
    /// The line of code that it speaks for, besides its own.
    pub next: usize,
    /// Whether it took back anything.
    pub used: bool,
}

const MARK: &str = "driftlock:";

/// The comments of a module that was parsed before, in the order of lines.
pub(super) fn ignores(text: &str, lines: &Lines<'_>) -> Vec<Ignore> {
    // Few files have any, and only then it matters whether it stands in a comment or in a text.
    if memchr::memmem::find(text.as_bytes(), MARK.as_bytes()).is_none() {
        return Vec::new();
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let comments = parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment);
    comments.filter_map(|token| one(text, token.range(), lines)).collect()
}

fn one(text: &str, range: TextRange, lines: &Lines<'_>) -> Option<Ignore> {
    let comment = text.get(usize::from(range.start())..usize::from(range.end()))?;
    // Behind another comment, too: `# noqa  # driftlock: ignore[…] …`.
    let offset = comment.match_indices('#').map(|(i, _)| i).find(|i| {
        comment[i + 1..]
            .trim_start()
            .strip_prefix(MARK)
            .is_some_and(|rest| rest.trim_start().starts_with("ignore"))
    })?;
    let body = comment[offset + 1..].trim_start().strip_prefix(MARK)?.trim_start().strip_prefix("ignore")?;
    // `ignored`, `ignore-next` are other words.
    if !(body.is_empty() || body.starts_with(['[', ' ', '\t', ':', '#'])) {
        return None;
    }
    let body = body.trim_start();
    let (rules, reason) = match body.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((rules, reason)) => {
            let rules = rules.split(',').map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
            (rules.collect(), reason)
        }
        None => (Vec::new(), body),
    };
    // What another tool reads behind ours is no reason.
    let reason = reason.split(" #").next().unwrap_or_default();
    let reason = reason.trim_start_matches([':', '-', '–', '—', ' ', '\t']).trim();
    let offset = TextSize::try_from(offset).unwrap_or_default();
    let range = TextRange::new(range.start() + offset, range.end());
    let place = lines.place(range);
    let alone = lines.line(place.line).trim_start().starts_with('#');
    Some(Ignore {
        place,
        rules,
        reason: reason.to_owned(),
        alone,
        next: next_code(place.line, lines),
        used: false,
    })
}

/// The next line that is neither empty nor a comment.
fn next_code(line: usize, lines: &Lines<'_>) -> usize {
    const FARTHEST: usize = 20;
    (line + 1..line + FARTHEST)
        .find(|n| {
            let text = lines.line(*n).trim_start();
            !text.is_empty() && !text.starts_with('#')
        })
        .unwrap_or(line + 1)
}

impl Ignore {
    /// Whether it speaks for a finding of this rule on this line.
    pub fn speaks_for(&self, rule: &str, line: usize) -> bool {
        self.rules.iter().any(|r| r == rule) && (line == self.place.line || (self.alone && line == self.next))
    }
}
