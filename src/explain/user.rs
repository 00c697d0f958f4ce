//! The user's own rules: the `[[rule]]` tables of a `driftlock.toml`, in the form of ours.

use std::collections::BTreeSet;
use std::path::Path;

use super::case;
use super::catalogue::Compiled;
use super::predict;
use super::rule::{self, Case, Condition, On, Operator, Predicate, Rule};
use crate::error::Error;
use crate::facts;
use crate::lint;

/// Reads the rules of the file `path`. Keys other than `rule` are not looked at.
///
/// # Errors
///
/// The file, the line and the rule, and what is wrong with it: what the form does not allow, a fact that does not
/// exist, a case that does not hold.
pub fn rules(path: &Path, text: &str) -> Result<Vec<(Rule, Vec<Case>)>, Error> {
    let fail = |at: Option<usize>, rule: Option<&str>, what: &str| {
        let line =
            at.map(|at| text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1);
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        let rule = rule.map(|id| format!("rule `{id}`: ")).unwrap_or_default();
        Error::input(format!("`{}`{line}: {rule}{what}", path.display()))
            .hint("docs/design/rules.md has the form of a rule; `driftlock facts` lists the facts")
    };
    let list = rule::parse_many(text).map_err(|e| fail(e.at, e.rule.as_deref(), &e.what))?;
    let mut ids = BTreeSet::new();
    for (at, rule, cases) in &list {
        if !ids.insert(&rule.id) {
            return Err(fail(Some(*at), Some(&rule.id), "another rule of this file has this id"));
        }
        if let Some(what) = complaint(rule, cases) {
            return Err(fail(Some(*at), Some(&rule.id), &what));
        }
    }
    Ok(list.into_iter().map(|(_, rule, cases)| (rule, cases)).collect())
}

/// What a rule that parses lacks, if anything.
fn complaint(rule: &Rule, cases: &[Case]) -> Option<String> {
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rule.id.is_empty() || !rule.id.chars().all(kebab) {
        return Some("an id is made of small letters, digits and `-`".to_owned());
    }
    for (key, text) in [("title", &rule.title), ("why", &rule.why), ("remedy", &rule.remedy)] {
        if text.trim().is_empty() {
            return Some(format!("`{key}` is empty"));
        }
    }
    if rule.on == On::Source {
        if !lint::source::is_check(&rule.id) {
            return Some(format!("lint has no check `{}`: rules on source can only reword ours", rule.id));
        }
    } else if rule.facts.is_empty() {
        return Some("`facts` is empty: it names what the rule speaks for".to_owned());
    }
    if let Some(source) = rule.sources.iter().find(|s| !is_address(&s.url)) {
        return Some(format!("`{}` is no address", source.url));
    }
    if let Some(name) = rule.predict.as_ref().filter(|n| !predict::NAMES.contains(&n.as_str())) {
        return Some(format!("no prediction is called `{name}`: {}", predict::NAMES.join(", ")));
    }
    let mut predicates = Vec::new();
    rule.when.iter().for_each(|c| predicates_of(c, &mut predicates));
    let named = rule.facts.iter().chain(rule.values.keys()).chain(predicates.iter().map(|p| &p.fact));
    if let Some(path) = named.into_iter().find(|p| !facts::may_be(p)) {
        return Some(format!("no fact is called `{path}`"));
    }
    for predicate in predicates {
        if let Operator::Matches(pattern) = &predicate.operator
            && let Err(e) = regex::Regex::new(pattern)
        {
            // The last line says what is wrong; those before it point at the place.
            let what = e.to_string();
            return Some(format!("`{pattern}`: {}", what.lines().last().unwrap_or_default()));
        }
    }
    let compiled = Compiled::new(rule.clone());
    let wrong = cases.iter().find(|c| !case::holds(&compiled, c))?;
    let expected = if wrong.hit { "hit" } else { "miss" };
    Some(format!("its case `{}` is no {expected}", wrong.name))
}

/// Whether text can stand as a link wherever links are printed.
fn is_address(url: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"'`\\()".contains(&b);
    !url.is_empty() && url.bytes().all(plain)
}

/// Every predicate of a condition, in order.
pub fn predicates_of<'r>(condition: &'r Condition, out: &mut Vec<&'r Predicate>) {
    match condition {
        Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| predicates_of(c, out)),
        Condition::Not(inner) => predicates_of(inner, out),
        Condition::Fact(predicate) => out.push(predicate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[policy]
anything = 1

[[rule]]
id = "our-tokenizer"
title = "Another tokenizer"
on = "diff"
effect = "code"
confidence = "documented"
facts = ["config.tokenizer"]
why = "Other tokens."
remedy = "Use the same."

[[rule.case]]
name = "other"
expect = "hit"
a = { "config.tokenizer" = "x" }
b = { "config.tokenizer" = "y" }
"#;

    fn said(text: &str) -> String {
        rules(Path::new("p/driftlock.toml"), text).err().map(|e| e.what).unwrap_or_default()
    }

    #[test]
    fn a_good_file_and_what_is_wrong_with_others() {
        let read = rules(Path::new("driftlock.toml"), GOOD).unwrap_or_default();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].0.topic.as_str(), read[0].1.len()), ("user", 1));
        assert!(rules(Path::new("x"), "").unwrap_or_default().is_empty());
        let of = |from: &str, to: &str| said(&GOOD.replacen(from, to, 1));
        for (from, to, expected) in [
            (
                "effect = \"code\"",
                "effect = \"loud\"",
                ", line 9: rule `our-tokenizer`: unknown variant `loud`",
            ),
            ("remedy = \"Use the same.\"", "", ", line 5: rule `our-tokenizer`: missing field `remedy`"),
            ("why =", "wyh =", "unknown field `wyh`"),
            ("our-tokenizer", "Our tokenizer", ", line 5: rule `Our tokenizer`: an id is made of"),
            ("\"config.tokenizer\"]", "\"confg.tokenizer\"]", "no fact is called `confg.tokenizer`"),
            ("expect = \"hit\"", "expect = \"miss\"", "its case `other` is no miss"),
            ("[[rule]]", "[rule]", "`[[rule]]`"),
            ("anything = 1", "anything = ", "line 3"),
            (
                "\n[[rule.case]]",
                "when = { fact = \"env.X\", matches = \"(\" }\n[[rule.case]]",
                "unclosed group",
            ),
            (
                "\n[[rule.case]]",
                "when = { fact = \"env.X\", near = 1 }\n[[rule.case]]",
                "`near` is no operator",
            ),
        ] {
            let said = of(from, to);
            assert!(said.contains(expected) && said.starts_with("`p/driftlock.toml`"), "{to}: {said}");
        }
        let twice = said(&format!("{GOOD}{}", &GOOD[GOOD.find("[[rule]]").unwrap_or(0)..]));
        assert!(twice.contains("line 20") && twice.contains("has this id"), "{twice}");
    }
}
