//! What two runs really wrote, beside what their environments let one expect: four cases, each with its own sentence.

use super::settle::{Finding, Settled, Standing};
use super::verdict::{Outcome, Verdict};
use crate::outputs::Outputs;
use crate::outputs::compare::{self, Report};
use crate::snapshot::Snapshot;

/// The outputs of both runs, compared by their sketches; `None` where either snapshot holds none.
pub fn observe(a: &Snapshot, b: &Snapshot, read: impl Fn(&Snapshot) -> Outputs) -> Option<Report> {
    let has = |s: &Snapshot| s.sections.contains("outputs");
    (has(a) && has(b)).then(|| compare::sketches(&read(a), &read(b)))
}

/// Puts what was seen into what was expected.
///
/// Equal outputs prove that no difference mattered to these runs: causes become benign. Other outputs without a
/// cause say that something decides which no snapshot holds.
pub fn combine(report: &Report, verdict: &mut Verdict, causes: &mut Vec<Finding>, settled: &mut [Settled]) {
    if report.same {
        for change in settled.iter_mut().filter(|s| s.standing == Standing::Cause) {
            change.standing = Standing::Benign;
            change.why = Some("the outputs of both runs agree: harmless here, proved".to_owned());
        }
        verdict.summary = match (verdict.outcome, causes.len()) {
            (Outcome::Identical, _) => "the snapshots agree, and so do the outputs".to_owned(),
            (Outcome::Different, n) => {
                let what =
                    if n == 1 { "1 difference that can matter" } else { "the differences that can matter" };
                format!("the outputs agree bit by bit: {what} to other runs did not matter to these, proved")
            }
            (Outcome::Unstable, _) => {
                format!("the outputs agree this time, but {}", verdict.summary)
            }
            _ => "the outputs agree bit by bit: what differs did not matter to these runs, proved".to_owned(),
        };
        if verdict.outcome != Outcome::Unstable && verdict.outcome != Outcome::Identical {
            verdict.outcome = Outcome::Same;
        }
        verdict.level = None;
        verdict.unknown.clear();
        causes.clear();
        return;
    }
    let by = by_how_much(report);
    match verdict.outcome {
        Outcome::Identical | Outcome::Same => {
            verdict.outcome = Outcome::Unknown;
            verdict.summary = format!(
                "the outputs differ{by}, and no recorded fact explains it: something that was not recorded, \
                 a race, or faulty hardware; repeat one side to tell"
            );
        }
        Outcome::Different => {
            verdict.summary = format!("the outputs differ{by}; {}", verdict.summary);
            if let Some(level) = report.level {
                let line = format!("the outputs' magnitude speaks for {}: {}", level.as_str(), report.why);
                for cause in causes.iter_mut().filter(|c| c.rule.effect.word() == level.as_str()) {
                    cause.evidence.push(line.clone());
                }
            }
        }
        Outcome::Unstable | Outcome::Unknown => {
            verdict.summary = format!("the outputs differ{by}; {}", verdict.summary);
        }
    }
}

fn by_how_much(report: &Report) -> String {
    match report.relative {
        Some(relative) if relative > 0.0 => format!(" (relative {relative:.1e})"),
        _ => String::new(),
    }
}
