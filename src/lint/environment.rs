//! Hazards of one environment, as findings.

use std::collections::BTreeSet;

use crate::explain::catalogue::Compiled;
use crate::explain::evaluate::View;
use crate::explain::pattern::Pattern;
use crate::explain::rule::{Condition, Confidence, Effect, On, Predicate, Rule};
use crate::explain::{Catalogue, Scope, settle, user};
use crate::gate::finding::{FactChange, Finding, Level, Location};
use crate::gate::lines::Lines;
use crate::render;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// A snapshot's file, to say where a fact stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// As the user named it.
    pub path: &'a std::path::Path,
    /// Its lines.
    pub lines: &'a Lines,
}

/// What the source says of the program, for the rules that ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The order of sets is used.
    pub iterates_sets: bool,
    /// Hashes of text are values.
    pub hashes: bool,
    /// `torch.use_deterministic_algorithms(True)` is called.
    pub deterministic: bool,
    /// `torch.backends.cudnn.benchmark = True`.
    pub benchmark: bool,
}

/// What the title of a note adds.
const SUPPOSED: &str = ", if the program does what the rule asks for";

/// Every hazard of a snapshot, the certain ones first. Those that hang on what a program does, where that is not known,
/// are notes.
pub fn findings(
    rules: &Catalogue,
    snapshot: &Snapshot,
    narrow: &[String],
    program: Option<Program>,
    place: Option<Place<'_>>,
) -> Vec<Finding> {
    let mut known = snapshot.clone();
    if let Some(program) = program {
        tell(&mut known, program);
    }
    let raised = settle::hazards(rules, &known, &known, narrow);
    let operations = {
        let scope = Scope::of_one(&known);
        if narrow.is_empty() { scope.operations } else { scope.narrowed(narrow).operations }
    };
    // A hazard of some operations, and nobody knows whether the program uses them. Of Python's own the source tells.
    let supposed = |rule: &Rule| {
        let told = program.is_some() && rule.scope.is_rare();
        operations.is_none() && !rule.scope.operations.is_empty() && !told
    };
    let mut out: Vec<Finding> = raised
        .iter()
        .map(|hazard| {
            let facts = facts(&hazard.rule, &hazard.facts, &known);
            let supposed = supposed(&hazard.rule);
            let note = supposed || hazard.rule.effect == Effect::None;
            let level = if note { Level::Allow } else { Level::Deny };
            let mut one = finding(&hazard.rule, level, hazard.confidence, facts, place);
            if supposed {
                one.title.push_str(SUPPOSED);
            }
            one
        })
        .collect();
    // That a program does not ask for deterministic mode decides no more than that.
    if program.is_some() {
        setting(&mut known, "torch.use_deterministic_algorithms", program.is_some_and(|p| p.deterministic));
    }
    let mut scope = Scope::of_one(&known);
    if !narrow.is_empty() {
        scope = scope.narrowed(narrow);
    }
    for rule in rules.rules.iter().filter(|r| possible(r, &known, &scope)) {
        let all = known.facts.keys().chain(known.private.keys()).chain(known.volatile.keys());
        let mut named: BTreeSet<FactPath> = all.filter(|p| rule.speaks_for(p)).cloned().collect();
        named.extend(rule.facts().iter().filter_map(Pattern::literal));
        let named: Vec<FactPath> = named.into_iter().collect();
        let facts = facts(&rule.rule, &named, &known);
        let mut one = finding(&rule.rule, Level::Allow, Confidence::Plausible, facts, place);
        one.title.push_str(SUPPOSED);
        out.push(one);
    }
    out
}

/// Puts what the source says into the snapshot, where no run has said it already.
fn tell(snapshot: &mut Snapshot, program: Program) {
    if snapshot.sections.contains("workload") {
        return;
    }
    let operations = [("python.set.iteration", program.iterates_sets), ("python.hash", program.hashes)];
    let operations: Vec<&str> = operations.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    snapshot.facts.insert(FactPath::new(["workload", "operations"]), Value::from(operations));
    setting(snapshot, "torch.backends.cudnn.benchmark", program.benchmark);
    if program.deterministic {
        setting(snapshot, "torch.use_deterministic_algorithms", true);
    }
}

fn setting(snapshot: &mut Snapshot, name: &str, value: bool) {
    if !snapshot.sections.contains("workload") {
        let path = ["workload", "settings"].into_iter().chain(name.split('.'));
        snapshot.facts.insert(FactPath::new(path), Value::Bool(value));
    }
}

/// Whether a rule would be raised if the program did something that is not known: every other part of its condition is
/// decided, and at least one of them speaks for it.
fn possible(rule: &Compiled, side: &Snapshot, scope: &Scope) -> bool {
    if rule.rule.on != On::Snapshot || !scope.meets(&rule.rule.scope) || rule.rule.effect == Effect::None {
        return false;
    }
    let values = rule.values();
    let view = View { a: side, b: side, values: &values, fact: None, star: None };
    let Some(when @ Condition::All(parts)) = &rule.rule.when else { return false };
    let speaks =
        parts.iter().any(|part| !matches!(part, Condition::Not(_)) && view.holds(part) == Some(true));
    let open = parts.iter().filter(|part| view.holds(part).is_none());
    speaks && view.holds(when).is_none() && open.into_iter().all(is_of_program)
}

/// Whether a condition asks for nothing but what a program does.
fn is_of_program(condition: &Condition) -> bool {
    let mut predicates = Vec::new();
    user::predicates_of(condition, &mut predicates);
    predicates.iter().any(|p| p.fact.starts_with("workload."))
}

/// The facts of a finding with their values: the ones that the condition holds for, and variables that are missing.
fn facts(rule: &Rule, named: &[FactPath], snapshot: &Snapshot) -> Vec<FactChange> {
    let mut predicates = Vec::new();
    rule.when.iter().for_each(|when| affirmed(when, &mut predicates));
    named
        .iter()
        .filter(|path| path.section() != "workload" && counts(path, &predicates, snapshot))
        .filter_map(|path| {
            let found = match snapshot.look(path) {
                Looked::Value(value) => Some(render::value(path, value)),
                Looked::Absent if path.section() == "env" => None,
                Looked::Absent | Looked::Unknown(_) => return None,
            };
            Some(FactChange { fact: path.to_string(), expected: None, found })
        })
        .collect()
}

/// The predicates that a condition wants to hold.
fn affirmed<'r>(condition: &'r Condition, out: &mut Vec<&'r Predicate>) {
    match condition {
        Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| affirmed(c, out)),
        Condition::Not(_) => {}
        Condition::Fact(predicate) => out.push(predicate),
    }
}

/// Whether a fact is one of those that make the condition hold, where the condition speaks of it.
fn counts(path: &FactPath, predicates: &[&Predicate], snapshot: &Snapshot) -> bool {
    let mut about = predicates.iter().filter(|p| Pattern::new(&p.fact).matches(path)).peekable();
    if about.peek().is_none() {
        return true;
    }
    let view = View { a: snapshot, b: snapshot, values: &[], fact: None, star: None };
    about.any(|p| {
        let several = p.operator == crate::explain::rule::Operator::Several;
        let one = Predicate { fact: path.to_string(), ..(*p).clone() };
        // An absent variable is what a rule's own default speaks of.
        several
            || matches!(snapshot.look(path), Looked::Absent)
            || view.holds(&Condition::Fact(one)) == Some(true)
    })
}

/// A finding of a rule.
pub(super) fn finding(
    rule: &Rule,
    level: Level,
    confidence: Confidence,
    facts: Vec<FactChange>,
    place: Option<Place<'_>>,
) -> Finding {
    let location = place.and_then(|place| {
        let at = facts.iter().find_map(|fact| place.lines.find(&fact.fact.parse().ok()?))?;
        Some(Location {
            path: place.path.to_path_buf(),
            line: at.line,
            column: at.columns.map(|c| c.0),
            end_column: at.columns.map(|c| c.1),
        })
    });
    Finding { facts, location, ..Finding::of(rule, level, confidence) }
}
