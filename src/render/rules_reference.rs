//! `docs/reference/rules/`: a page for each topic, and an index.

use std::fmt::Write as _;

use crate::explain::Catalogue;
use crate::explain::catalogue::cases;
use crate::explain::rule::{Case, Condition, Effect, Is, On, Operator, Predicate, Rule, Scalar, Side};

/// File names and texts, the index first.
pub fn pages() -> Vec<(String, String)> {
    let (rules, cases) = (Catalogue::built_in(), cases());
    let all: Vec<(&Rule, &Vec<Case>)> = rules.rules.iter().map(|r| &r.rule).zip(&cases).collect();
    let mut topics: Vec<&str> = all.iter().map(|(r, _)| r.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let mut out = vec![("README.md".to_owned(), index(&all, &topics))];
    for topic in topics {
        let of_topic: Vec<_> = all.iter().filter(|(r, _)| r.topic == topic).copied().collect();
        let mut page =
            format!("# Rules: {topic}\n\n[All topics](README.md) · generated from `src/rules/{topic}/`\n");
        for (rule, cases) in of_topic {
            one(&mut page, rule, cases);
        }
        out.push((format!("{topic}.md"), page));
    }
    out
}

fn index(all: &[(&Rule, &Vec<Case>)], topics: &[&str]) -> String {
    let none = all.iter().filter(|(r, _)| r.effect == Effect::None).count();
    let hazards = all.iter().filter(|(r, _)| r.on == On::Snapshot).count();
    let source = all.iter().filter(|(r, _)| r.on == On::Source).count();
    let mut out = format!(
        "# Rules\n\nWhat driftlock knows: {} rules, {} of them of differences that do not matter, {hazards} of hazards \
         that one snapshot shows, {source} of hazards in a program's source. `driftlock explain RULE` prints one, `driftlock rules` lists them, \
         [the form of a rule](../../design/rules.md) says how to write your own. These pages are generated from \
         `src/rules/`; do not edit them.\n",
        all.len(),
        none
    );
    for topic in topics {
        let _infallible = writeln!(out, "\n## [{topic}]({topic}.md)\n");
        for (rule, _) in all.iter().filter(|(r, _)| r.topic == *topic) {
            let (effect, confidence) = (rule.effect.word(), rule.confidence.word());
            let _infallible =
                writeln!(out, "- [`{0}`]({topic}.md#{0}): {1} ({effect}, {confidence})", rule.id, rule.title);
        }
    }
    out
}

fn one(out: &mut String, rule: &Rule, cases: &[Case]) {
    let on = match rule.on {
        On::Diff => "a difference of two snapshots",
        On::Snapshot if rule.unstable => "a hazard of one snapshot, by which a run does not repeat itself",
        On::Snapshot => "a hazard of one snapshot",
        On::Source if rule.unstable => "a program's source, by which a run does not repeat itself",
        On::Source => "a program's source",
    };
    let (effect, confidence) = (rule.effect.word(), rule.confidence.word());
    let _infallible = writeln!(
        out,
        "\n## {}\n\n**{}.** Judges {on}. Effect: {effect}, {confidence}. Since {}.\n\n{}\n\n| | |\n| --- | --- |",
        rule.id, rule.title, rule.since, rule.why
    );
    let mut row = |name: &str, text: &str| {
        let _infallible = writeln!(out, "| {name} | {} |", text.replace('|', "\\|"));
    };
    let code = |list: &[String]| list.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(" ");
    rule.magnitude.iter().for_each(|text| row("how much", text));
    row("remedy", &rule.remedy);
    rule.wrong_when.iter().for_each(|text| row("when it is wrong", text));
    rule.harmless.iter().for_each(|text| row("harmless", text));
    if !rule.facts.is_empty() {
        row("facts", &code(&rule.facts));
    }
    rule.when.iter().for_each(|when| row("raised when", &condition(when)));
    for (fact, values) in &rule.values {
        let same = values.same.iter().map(|set| set.iter().map(scalar).collect::<Vec<_>>().join(" = "));
        let absent = values.absent.iter().map(|v| format!("absent = {}", scalar(v)));
        row("the same", &format!("`{fact}`: {}", absent.chain(same).collect::<Vec<_>>().join("; ")));
    }
    let scope = [
        ("frameworks", &rule.scope.frameworks),
        ("libraries", &rule.scope.libraries),
        ("devices", &rule.scope.devices),
        ("operations", &rule.scope.operations),
    ];
    for (name, list) in scope.into_iter().filter(|(_, list)| !list.is_empty()) {
        row(name, &code(list));
    }
    let links: Vec<String> = rule.sources.iter().map(|s| link(&s.title, &s.url, &s.read)).collect();
    row("sources", &links.join("<br>"));
    for (name, hit) in [("raised", true), ("not raised", false)] {
        let of_kind: Vec<&str> = cases.iter().filter(|c| c.hit == hit).map(|c| c.name.as_str()).collect();
        row(name, &of_kind.join("<br>"));
    }
}

/// Pages of this repository are linked from where the reference stands.
fn link(title: &str, url: &str, read: &str) -> String {
    let url = match url.strip_prefix("docs/") {
        Some(rest) => format!("../../{rest}"),
        None => url.replace('(', "%28").replace(')', "%29"),
    };
    format!("[{title}]({url}), read {read}")
}

fn condition(condition: &Condition) -> String {
    let join = |list: &[Condition], word: &str| {
        let part = |c: &Condition| match c {
            Condition::All(inner) | Condition::Any(inner) if inner.len() > 1 => {
                format!("({})", self::condition(c))
            }
            _ => self::condition(c),
        };
        list.iter().map(part).collect::<Vec<_>>().join(word)
    };
    match condition {
        Condition::All(list) => join(list, " and "),
        Condition::Any(list) => join(list, " or "),
        Condition::Not(inner) => format!("not ({})", self::condition(inner)),
        Condition::Fact(of) => predicate(of),
    }
}

fn predicate(of: &Predicate) -> String {
    let list = |items: &[Scalar]| items.iter().map(scalar).collect::<Vec<_>>().join(", ");
    let says = match &of.operator {
        Operator::Is(Is::Present) => "is there".to_owned(),
        Operator::Is(Is::Absent) => "is absent".to_owned(),
        Operator::Is(Is::Unknown) => "is unknown".to_owned(),
        Operator::Equals(value) => format!("is {}", scalar(value)),
        Operator::OneOf(items) => format!("is one of {}", list(items)),
        Operator::AtLeast(value) => format!("is at least {}", scalar(value)),
        Operator::Below(value) => format!("is below {}", scalar(value)),
        Operator::Matches(pattern) => format!("matches `{pattern}`"),
        Operator::Contains(value) => format!("holds {}", scalar(value)),
        Operator::Several => "has several values".to_owned(),
        Operator::Above { fact, unit: 1 } => format!("is above `{fact}`"),
        Operator::Above { fact, unit } => format!("is above `{fact}` / {unit}, rounded up"),
        Operator::Changed(true) => "differs".to_owned(),
        Operator::Changed(false) => "does not differ".to_owned(),
        Operator::ChangedBy(part) => {
            format!("differs in its {part:?} version or a more significant one").to_lowercase()
        }
        Operator::Crosses(value) => format!("crosses {}", scalar(value)),
    };
    let side = match (of.side, &of.operator) {
        (_, Operator::Changed(_) | Operator::ChangedBy(_) | Operator::Crosses(_)) => "",
        (Side::Either, _) => "",
        (Side::Both, _) => " on both sides",
        (Side::A, _) => " on A",
        (Side::B, _) => " on B",
    };
    format!("`{}` {says}{side}", of.fact)
}

fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::List(items) => items.iter().map(scalar).collect::<Vec<_>>().join(", "),
        Scalar::Str(text) if text.is_empty() => "the empty text".to_owned(),
        other => format!("`{}`", other.plain()),
    }
}
