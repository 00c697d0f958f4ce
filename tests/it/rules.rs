//! The rules as a body: every one well formed, its cases true, its facts real, each of its predicates needed.

use std::collections::{BTreeMap, BTreeSet};

use driftlock::explain::catalogue::{Catalogue, Compiled, cases};
use driftlock::explain::pattern::Pattern;
use driftlock::explain::rule::{Condition, Effect, On, Operator, Predicate, Rule};
use driftlock::explain::{case, predict, user};
use driftlock::facts::{self, Compare, Type};
use driftlock::lint;
use driftlock::snapshot::FactPath;

use crate::common::root;

/// All complaints at once: a rule's author mends them in one go.
fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn predicates_of(rule: &Rule) -> Vec<&Predicate> {
    let mut out = Vec::new();
    rule.when.iter().for_each(|c| user::predicates_of(c, &mut out));
    out
}

#[test]
fn well_formed() {
    let mut complaints = Vec::new();
    let rules = Catalogue::built_in();
    let mut names = BTreeMap::new();
    for Compiled { rule, .. } in &rules.rules {
        let mut wrong = |what: &str| complaints.push(format!("{}/{}: {what}", rule.topic, rule.id));
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !rule.id.chars().all(kebab) || rule.id.starts_with('-') || rule.id.ends_with('-') {
            wrong("the id is not kebab-case");
        }
        for name in rule.aliases.iter().chain([&rule.id]) {
            if names.insert(name.clone(), rule.id.clone()).is_some() {
                wrong(&format!("`{name}` names two rules"));
            }
        }
        for (what, text) in [("why", &rule.why), ("remedy", &rule.remedy), ("title", &rule.title)] {
            if text.trim().is_empty() {
                wrong(&format!("`{what}` is empty"));
            }
        }
        if rule.title.ends_with('.') || rule.title.len() > 90 {
            wrong("the title is one line of at most 90 characters without a full stop");
        }
        if rule.facts.is_empty() != (rule.on == On::Source) {
            wrong("`facts` is empty, or given for a rule on source");
        }
        if (rule.on == On::Source) != lint::source::is_check(&rule.id) {
            wrong("a rule on source has a check of its name in src/lint/source, and no other rule has");
        }
        if rule.since.split('.').count() != 3 {
            wrong("`since` is the version of driftlock that first had it");
        }
        if rule.sources.is_empty() {
            wrong("no source");
        }
        for source in &rule.sources {
            let date: Vec<&str> = source.read.split('-').collect();
            if date.len() != 3 || date.iter().any(|p| p.parse::<u32>().is_err()) {
                wrong("a source has no day of reading (YYYY-MM-DD)");
            }
            if source.title.is_empty()
                || !(source.url.starts_with("https://") || source.url.starts_with("docs/"))
            {
                wrong("a source needs a title and an https address (or a page of docs/)");
            }
        }
        for predicate in predicates_of(rule) {
            if let Operator::Matches(pattern) = &predicate.operator
                && let Err(e) = regex::Regex::new(pattern)
            {
                wrong(&format!("`{pattern}`: {e}"));
            }
        }
        if let Some(name) = &rule.predict
            && !predict::NAMES.contains(&name.as_str())
        {
            wrong(&format!("no prediction is called `{name}`"));
        }
    }
    complain(&complaints);
}

#[test]
fn every_fact_exists_and_its_operator_fits() {
    let mut complaints = Vec::new();
    let rules = Catalogue::built_in();
    for (Compiled { rule, .. }, cases) in rules.rules.iter().zip(cases()) {
        let mut named: BTreeSet<&str> = rule.facts.iter().map(String::as_str).collect();
        named.extend(rule.values.keys().map(String::as_str));
        named.extend(predicates_of(rule).iter().map(|p| p.fact.as_str()));
        let in_cases: BTreeSet<&String> = cases.iter().flat_map(|c| c.a.keys().chain(c.b.keys())).collect();
        for path in named.into_iter().chain(in_cases.into_iter().map(String::as_str)) {
            if !facts::may_be(path) {
                complaints.push(format!("{}/{}: no fact is called `{path}`", rule.topic, rule.id));
            }
        }
        for predicate in predicates_of(rule) {
            let Some(path) = Pattern::new(&predicate.fact).literal() else { continue };
            let Some(fact) = facts::find(&path) else { continue };
            let ordered =
                matches!(fact.compare, Compare::Version | Compare::Number) || fact.kind == Type::Any;
            let wants_order = matches!(
                predicate.operator,
                Operator::AtLeast(_) | Operator::Below(_) | Operator::Crosses(_) | Operator::ChangedBy(_)
            );
            if wants_order && !ordered && path.section() != "env" && fact.kind != Type::Int {
                complaints.push(format!(
                    "{}/{}: `{}` is neither a version nor a number",
                    rule.topic, rule.id, predicate.fact
                ));
            }
        }
    }
    complain(&complaints);
}

#[test]
fn cases_hold() {
    let mut complaints = Vec::new();
    let rules = Catalogue::built_in();
    for (rule, cases) in rules.rules.iter().zip(cases()) {
        let mut wrong = |what: &str| complaints.push(format!("{}/{}: {what}", rule.rule.topic, rule.rule.id));
        if !cases.iter().any(|c| c.hit) || !cases.iter().any(|c| !c.hit) {
            wrong("needs at least one hit and one miss");
        }
        for case in &cases {
            if !case::holds(rule, case) {
                let expected = if case.hit { "hit" } else { "miss" };
                wrong(&format!("case `{}` is no {expected}", case.name));
            }
        }
    }
    complain(&complaints);
}

/// The condition with one predicate left out, for each of them.
fn mutants(condition: &Condition) -> Vec<Option<Condition>> {
    let of_list = |list: &[Condition], make: fn(Vec<Condition>) -> Condition| {
        let mut out = Vec::new();
        for (i, inner) in list.iter().enumerate() {
            for mutant in mutants(inner) {
                let mut list = list.to_vec();
                match mutant {
                    Some(mutant) => list[i] = mutant,
                    None => drop(list.remove(i)),
                }
                out.push((!list.is_empty()).then(|| make(list)));
            }
        }
        out
    };
    match condition {
        Condition::Fact(_) => vec![None],
        Condition::All(list) => of_list(list, Condition::All),
        Condition::Any(list) => of_list(list, Condition::Any),
        Condition::Not(inner) => {
            mutants(inner).into_iter().map(|m| m.map(|m| Condition::Not(Box::new(m)))).collect()
        }
    }
}

#[test]
fn every_predicate_is_needed_by_a_case() {
    let mut complaints = Vec::new();
    let rules = Catalogue::built_in();
    for (compiled, cases) in rules.rules.iter().zip(cases()) {
        let Some(when) = &compiled.rule.when else { continue };
        for (i, mutant) in mutants(when).into_iter().enumerate() {
            let rule = Compiled::new(Rule { when: mutant, ..compiled.rule.clone() });
            // A hazard without a condition is never raised, as it should be; that is no proof.
            if cases.iter().all(|c| case::holds(&rule, c)) {
                complaints.push(format!(
                    "{}/{}: without its predicate {} every case still holds",
                    compiled.rule.topic,
                    compiled.rule.id,
                    i + 1
                ));
            }
        }
    }
    complain(&complaints);
}

#[test]
fn every_check_has_a_rule_with_a_hit_and_two_near_misses() {
    let rules = Catalogue::built_in();
    for check in lint::source::all_checks() {
        let at = rules
            .rules
            .iter()
            .position(|r| r.rule.id == check)
            .unwrap_or_else(|| panic!("no rule `{check}`"));
        let cases = &cases()[at];
        let hits = cases.iter().filter(|c| c.hit).count();
        assert!(hits >= 1 && cases.len() - hits >= 2, "{check}: {hits} of {} cases hit", cases.len());
    }
}

#[test]
fn enough_of_them() {
    let rules = Catalogue::built_in();
    let none = rules.rules.iter().filter(|r| r.rule.effect == Effect::None).count();
    assert!(rules.rules.len() >= 120, "{} rules", rules.rules.len());
    assert!(none >= 15, "{none} rules of effect none");
}

/// A page for each topic, the index, and nothing else. Update with
/// `SNAPSHOTS=overwrite cargo test --test it the_reference_is_current`.
#[test]
fn the_reference_is_current() {
    let folder = super::common::root().join("docs/reference/rules");
    let pages = driftlock::render::rules_reference::pages();
    for (name, text) in &pages {
        snapbox::assert_data_eq!(text, snapbox::Data::read_from(&folder.join(name), None).raw());
    }
    let entries = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let old: Vec<String> = entries.filter(|name| !pages.iter().any(|(page, _)| page == name)).collect();
    assert!(old.is_empty(), "remove {old:?}: no topic is called so");
}

/// The indexes by which rules and declarations are found give what going through all of them gives.
#[test]
fn every_rule_and_declaration_that_speaks_for_a_fact_is_found() {
    let (rules, declared) = (Catalogue::built_in(), driftlock::facts::FACTS);
    let patterns: Vec<Pattern> = declared.iter().map(|f| Pattern::new(f.path)).collect();
    let mut paths: BTreeSet<FactPath> = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("fixtures/hosts")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path().join("snapshot.lock")).unwrap();
        let s = driftlock::snapshot::read::from_str(&text).unwrap().snapshot;
        paths.extend(
            [s.facts, s.private, s.volatile, s.results, s.meta].into_iter().flat_map(BTreeMap::into_keys),
        );
    }
    for odd in
        ["env", "env.\"OMP_a.b\"", "data.\"x.y\".digest", "python.packages.\"*\".version", "nothing.at.all"]
    {
        paths.insert(odd.parse().unwrap());
    }
    assert!(paths.len() > 1000, "{}", paths.len());
    for path in &paths {
        let all = rules.rules.iter().enumerate().filter(|(_, rule)| rule.speaks_for(path));
        assert_eq!(rules.speakers(path), all.map(|(i, _)| i).collect::<Vec<_>>(), "{path}");
        let stars = |i: &usize| declared[*i].path.matches('*').count();
        let fitting = (0..declared.len()).filter(|i| patterns[*i].matches(path));
        let closest = fitting.min_by_key(stars).map(|i| declared[i].path);
        assert_eq!(driftlock::facts::find(path).map(|f| f.path), closest, "{path}");
    }
}
