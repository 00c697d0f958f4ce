//! Makes a report of what a session did and found.

use super::{
    Acts, Basis, Cause, CommitReport, End, FactorReport, Ground, Outcome, Probe, Report, SCHEMA,
    UncontrolledReport, Verified,
};
use crate::bisect::cache::Seen;
use crate::bisect::compare;
use crate::bisect::engine::{Outcome as Engine, Set, Solution};
use crate::bisect::factor::{Factor, Kind, Uncontrolled};
use crate::bisect::factors::tree;
use crate::bisect::session::{Found, Narrowed, Session, few};
use crate::explain::report::{Link, Side, report as explained};
use crate::explain::{Explanation, Standing};
use crate::outputs::Outputs as Recorded;
use crate::outputs::compare::{Report as Outputs, sketches};
use crate::snapshot::FactPath;

/// What a report is made of.
pub struct Parts<'r> {
    /// The names of the sides.
    pub sides: [Side; 2],
    /// The command.
    pub command: Vec<String>,
    /// What is compared.
    pub basis: Basis,
    /// What is expected.
    pub explanation: &'r Explanation,
    /// The factors.
    pub factors: &'r [Factor],
    /// What cannot be set.
    pub uncontrolled: &'r [Uncontrolled],
    /// Remarks.
    pub notes: Vec<String>,
    /// What changed of the user's.
    pub touched: Vec<String>,
    /// The outputs that the snapshots hold.
    pub recorded: [Recorded; 2],
}

/// The report of a plan.
pub fn plan(parts: Parts<'_>) -> Report {
    let n = parts.factors.len();
    let summary = match n {
        0 => "nothing that differs can be set here".to_owned(),
        1 => "1 difference can be set".to_owned(),
        _ => format!("{n} differences can be set"),
    };
    base(parts, Outcome::Planned, summary)
}

fn base(parts: Parts<'_>, outcome: Outcome, summary: String) -> Report {
    let [a, b] = parts.sides;
    let rule = |f: &Factor| Some(parts.explanation.causes.get(f.finding?)?.rule.id.clone());
    let hazards = explained(parts.explanation, a.clone(), b.clone()).hazards;
    Report {
        schema: SCHEMA,
        a,
        b,
        command: parts.command,
        basis: parts.basis,
        outcome,
        summary,
        ground: None,
        factors: parts
            .factors
            .iter()
            .map(|f| FactorReport {
                id: f.id.clone(),
                kind: f.kind,
                facts: f.facts.iter().map(ToString::to_string).collect(),
                a: f.shown[0].clone(),
                b: f.shown[1].clone(),
                how: f.how.clone(),
                simulated: f.simulated,
                standing: f.standing,
                rule: rule(f),
            })
            .collect(),
        uncontrolled: parts
            .uncontrolled
            .iter()
            .map(|u| UncontrolledReport {
                fact: u.fact.to_string(),
                a: u.shown[0].clone(),
                b: u.shown[1].clone(),
                why: u.why.clone(),
                standing: u.standing,
            })
            .collect(),
        causes: Vec::new(),
        verified: None,
        suspects: Vec::new(),
        hazards,
        probes: Vec::new(),
        searched: 0,
        magnitude: None,
        touched: parts.touched,
        notes: parts.notes,
    }
}

/// The report of a bisection.
pub fn report(parts: Parts<'_>, session: &Session<'_>, found: &Found) -> Report {
    let recorded = parts.explanation.observed.as_ref().is_some_and(|o| !o.same);
    let left: Vec<String> = parts
        .uncontrolled
        .iter()
        .filter(|u| matches!(u.standing, Standing::Cause | Standing::Unclassified | Standing::Unknown))
        .map(|u| u.fact.to_string())
        .collect();
    let (outcome, summary, suspects) = match found {
        Found::Failed(side, why) => {
            (Outcome::Failed, format!("{} does not run here: {why}", ["A", "B"][*side]), Vec::new())
        }
        Found::Unstable => (Outcome::Unstable, unstable(session), Vec::new()),
        Found::Equal if recorded => {
            let summary = "A and B give the same here, and the recorded runs did not: nothing that can be set explains it";
            (Outcome::Unexplained, summary.to_owned(), left)
        }
        Found::Equal => {
            let summary = match (session.factors.len(), left.is_empty()) {
                (0, true) => "nothing that differs can be set here, and nothing that is left is known to matter".to_owned(),
                (0, false) => "nothing that differs can be set here".to_owned(),
                (_, true) => "nothing to bisect: A and B give the same here; every difference that can be set is harmless for this command, proved".to_owned(),
                (_, false) => "A and B give the same here: every difference that can be set is harmless for this command, proved; what cannot be set is left".to_owned(),
            };
            (Outcome::Equal, summary, left)
        }
        Found::Causes(solution, _) => {
            let outcome = if solution.without == Engine::A { Outcome::Proved } else { Outcome::Partial };
            (outcome, proof(session, solution), if outcome == Outcome::Proved { Vec::new() } else { left })
        }
    };
    let explanation = parts.explanation;
    let recorded_outputs = parts.recorded.clone();
    let mut report = base(parts, outcome, summary);
    report.suspects = suspects;
    report.ground = Some(ground(session, &recorded_outputs));
    report.probes = probes(session);
    let ends = report.probes.iter().take_while(|p| p.what == "A" || p.what == "B").count();
    report.searched = report.probes.len() - ends;
    if let Found::Causes(solution, narrowed) = found {
        let [a, b] = session.ends();
        report.magnitude = compare::magnitude(&a, &b);
        report.causes = causes(session, explanation, solution, narrowed.as_ref(), report.magnitude.as_ref());
        report.verified = solution.rounds.first().map(|round| Verified {
            set: session.names(&round.set.iter().copied().collect()),
            a_with: "B".to_owned(),
            b_without: outcome_word(&solution.without).0,
        });
    }
    if matches!(outcome, Outcome::Proved | Outcome::Equal) {
        report.hazards.clear();
    }
    report
}

fn unstable(session: &Session<'_>) -> String {
    let say = |side: usize, name: &str| {
        let n = session.ground.distinct(side);
        (n > 1).then(|| format!("{name} gave {n} results in {} runs", session.ground.runs[side].len()))
    };
    let parts: Vec<String> = [say(0, "A"), say(1, "B")].into_iter().flatten().collect();
    format!("{}: a run that does not repeat itself proves nothing", parts.join(", "))
}

fn proof(session: &Session<'_>, solution: &Solution) -> String {
    let causes: Vec<&Vec<usize>> = solution.rounds.iter().flat_map(|r| &r.causes).collect();
    let names = |cause: &[usize]| {
        let names = session.names(&cause.iter().copied().collect());
        if names.len() > 1 { format!("{} together", names.join(" with ")) } else { few(&names) }
    };
    let mut text = match causes.as_slice() {
        [one] if one.len() == 1 => format!("{} did it", names(one)),
        [one] => format!("{} did it", names(one)),
        many => {
            let list: Vec<String> = many.iter().map(|c| names(c)).collect();
            format!("{} causes: {}", many.len(), list.join("; "))
        }
    };
    text.push_str(match solution.without {
        Engine::A => ": A with it gives B's result, B without it gives A's",
        _ => ": A with it gives B's result; what B gives without it is not known",
    });
    if causes.len() > 1 || causes.iter().any(|c| c.len() > 1) {
        text = text.replace("A with it", "A with them").replace("without it", "without them");
    }
    text
}

fn ground(session: &Session<'_>, recorded: &[Recorded; 2]) -> Ground {
    let end = |side: usize| {
        let runs = &session.ground.runs[side];
        let distinct = session.ground.distinct(side);
        let mut ended: Vec<String> = runs.iter().map(|(_, words)| words.clone()).collect();
        ended.dedup();
        End {
            runs: runs.len(),
            distinct,
            as_recorded: as_recorded(&recorded[side], session.firsts[side].as_ref()),
            counts: (0..distinct).map(|class| runs.iter().filter(|(c, _)| *c == class).count()).collect(),
            ended,
        }
    };
    Ground { a: end(0), b: end(1), equal: session.ground.equal }
}

/// Whether a run wrote what the snapshot of its side recorded.
fn as_recorded(recorded: &Recorded, seen: Option<&Seen>) -> Option<bool> {
    let seen = seen.filter(|seen| !seen.outputs.files.is_empty())?;
    if recorded.files.is_empty() {
        return None;
    }
    // Of what the snapshot recorded, the part that is compared here.
    let asked = |name: &String| seen.outputs.files.iter().any(|f| f.name == *name);
    let files: Vec<_> = recorded.files.iter().filter(|f| asked(&f.name)).cloned().collect();
    if files.len() < seen.outputs.files.len() {
        return None;
    }
    let recorded = Recorded { files, faults: Vec::new() };
    Some(sketches(&recorded, &seen.outputs).same)
}

fn outcome_word(outcome: &Engine) -> (String, Option<String>) {
    match outcome {
        Engine::A => ("A".to_owned(), None),
        Engine::B => ("B".to_owned(), None),
        Engine::Other(n) => (format!("other {n}"), None),
        Engine::Unresolved(why) => ("?".to_owned(), Some(why.clone())),
    }
}

fn probes(session: &Session<'_>) -> Vec<Probe> {
    let rows = session.rows.iter().enumerate();
    rows.map(|(i, row)| {
        let (outcome, why) = outcome_word(&row.outcome);
        Probe {
            number: i + 1,
            what: row.what.clone(),
            from_b: session.names(&row.set),
            outcome,
            why,
            cached: row.cached,
        }
    })
    .collect()
}

fn causes(
    session: &Session<'_>,
    explanation: &Explanation,
    solution: &Solution,
    narrowed: Option<&Narrowed>,
    magnitude: Option<&Outputs>,
) -> Vec<Cause> {
    let mut out = Vec::new();
    for (at, round) in solution.rounds.iter().enumerate() {
        for cause in &round.causes {
            let acts = match (&round.target, at, cause.len()) {
                (_, 0, 1) => Acts::Alone,
                (_, 0, _) => Acts::Interaction,
                (Engine::B, _, _) => Acts::AlsoSuffices,
                _ => Acts::Masked,
            };
            let members: Vec<&Factor> = cause.iter().filter_map(|i| session.factors.get(*i)).collect();
            let commit = narrowed.filter(|_| members.iter().any(|f| f.kind == Kind::Commit));
            out.push(finding(session, explanation, &members, cause, acts, commit, magnitude, out.len() + 1));
        }
    }
    out
}

/// Whether a finding on these facts explains a factor. Of packages that move together only the one that gives the
/// factor its name: which of them did it is not known.
fn speaks(factor: &Factor, facts: &[FactPath]) -> bool {
    let head = factor.id.strip_prefix("packages.");
    let own = |path: &FactPath| match (factor.kind, path.segments()) {
        (Kind::Python, [section, table, ..]) => section == "python" && table != "packages",
        (Kind::Package, [python, packages, name, ..]) if python == "python" && packages == "packages" => {
            Some(name.as_str()) == head
        }
        (Kind::Package, [section, ..]) => {
            Some(section.as_str()) == head || (section == "sklearn" && head == Some("scikit-learn"))
        }
        _ => true,
    };
    facts.iter().any(|path| factor.facts.contains(path) && own(path))
}

#[expect(clippy::too_many_arguments, reason = "the sum of everything before it")]
fn finding(
    session: &Session<'_>,
    explanation: &Explanation,
    members: &[&Factor],
    cause: &[usize],
    acts: Acts,
    narrowed: Option<&Narrowed>,
    magnitude: Option<&Outputs>,
    rank: usize,
) -> Cause {
    let found = explanation.causes.iter().find(|c| members.iter().any(|f| speaks(f, &c.facts)));
    let rule = found.map(|f| &f.rule);
    let set: Set = cause.iter().copied().collect();
    let mut evidence = Vec::new();
    let n = session.factors.len();
    for (i, row) in session.rows.iter().enumerate() {
        if row.set.is_empty() || row.set.len() == n || row.what.starts_with("commit") {
            continue;
        }
        let with = row.set == set;
        let without = row.set.is_disjoint(&set) && row.set.len() + set.len() == n;
        // Of an interaction, what each gives alone.
        let member = row.set.len() == 1 && row.set.is_subset(&set);
        if with || without || member {
            let (gives, why) = outcome_word(&row.outcome);
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            evidence.push(format!("probe {}: {} gives {gives}{why}", i + 1, row.what));
        }
    }
    let change = members.iter().map(|f| format!("{}: {} → {}", f.id, f.shown[0], f.shown[1]));
    evidence.extend(change);
    let commit = narrowed.map(|n| CommitReport {
        commits: n.commits.clone(),
        summary: n.commits.first().and_then(|c| tree::summary(&session.prober.project.root, c)),
        among: n.among,
        probes: n.probes,
    });
    let own = |f: &&Factor| match f.kind {
        Kind::Commit => "compare the commits, or check out the same one".to_owned(),
        Kind::Patch => "commit the change, or take it back".to_owned(),
        Kind::Argument | Kind::Config => format!("give both sides the same `{}`", f.id),
        Kind::CodePath => {
            "run both on CPUs with the same instruction sets, or set the variable named above on both"
                .to_owned()
        }
        Kind::Threads => "give both the same CPUs, or the same number of threads".to_owned(),
        Kind::Package | Kind::Python => format!("install the same versions on both sides: {}", f.shown[0]),
        Kind::Variable => {
            format!("set `{}` to the same value on both sides", f.id.trim_start_matches("env."))
        }
    };
    let remedy =
        rule.map_or_else(|| members.iter().map(own).collect::<Vec<_>>().join("; "), |r| r.remedy.clone());
    let names: Vec<String> = members.iter().map(|f| f.id.clone()).collect();
    Cause {
        rank,
        factors: names.clone(),
        acts,
        facts: members.iter().flat_map(|f| &f.facts).map(ToString::to_string).collect(),
        rule: rule.map(|r| r.id.clone()),
        title: rule.map_or_else(|| format!("{} differs", names.join(" and ")), |r| r.title.clone()),
        effect: rule.map(|r| r.effect.word().to_owned()),
        confidence: "proved",
        simulated: members.iter().any(|f| f.simulated),
        why: rule.map(|r| r.why.clone()),
        magnitude: magnitude.map(compare::words),
        remedy,
        evidence,
        sources: rule.map_or_else(Vec::new, |r| r.sources.iter().map(Link::from).collect()),
        commit,
    }
}
