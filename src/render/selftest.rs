//! A self-test for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table;
use crate::selftest::catalogue::family;
use crate::selftest::emulate::Explained;
use crate::selftest::judge::Judgement;
use crate::selftest::result::SelfTest;
use crate::selftest::verdict::{ArmComparison, Comparison};
use crate::snapshot::value::shown;

/// The result and what it shows, in lines of `width` columns.
pub fn text(test: &SelfTest, judged: &Judgement, width: u16) -> String {
    let mut out = head(test);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut say = |name: &str, text: String| rows.push(vec![name.to_owned(), shown(&text).into_owned()]);
    say("controls", controls(judged));
    if judged.unstable.is_empty() {
        say("unstable", "none seen".to_owned());
    }
    for u in &judged.unstable {
        let when = match u.stable_when_deterministic {
            _ if u.arm.starts_with("deterministic") => "",
            Some(true) => "; stable in deterministic mode",
            Some(false) => "; unstable in deterministic mode too",
            None => "",
        };
        say(
            "unstable",
            format!("{}: {} results in {} runs ({}){when}", u.operation, u.distinct, u.runs, u.arm),
        );
    }
    if let Some(r) = &judged.repeated {
        let counts = format!("{} of {}", r.runs, r.runs);
        let bound = format!("another result is less likely than {} % a run", r.bound_percent);
        say("repeated", format!("{counts} runs equal in each of {} operations: {bound}", r.operations));
    }
    if test.arm("one-thread").is_some() {
        let what = "another result at one thread than as found";
        say("threads", counted(&judged.by_threads, "no operation depends on their number", what));
    }
    if test.arm("deterministic").is_some() {
        let mut line = counted(&judged.by_deterministic, "moves no stable result", "another stable result");
        let refused = names(judged, |r| r.arm == "deterministic" && r.kind == "nondeterministic");
        if !refused.is_empty() {
            let _infallible = write!(line, "; raises in {}", refused.join(", "));
        }
        say("deterministic", line);
    }
    for (arm, found) in &judged.precision {
        let parts: Vec<String> =
            found.iter().map(|(words, ids)| format!("{words} ({})", ids.len())).collect();
        say("precision", format!("f32 products in {arm}: {}", parts.join(", ")));
    }
    match judged.batch_invariant {
        Some(true) => say("batch", "a row of a product is the same alone and in a batch".to_owned()),
        Some(false) => say("batch", "a row of a product depends on the size of its batch".to_owned()),
        None => {}
    }
    let broken = names(judged, |r| r.kind != "nondeterministic" && r.kind != "unsupported");
    if !broken.is_empty() {
        say("errors", broken.join(", "));
    }
    let unsupported = names(judged, |r| r.kind == "unsupported");
    if !unsupported.is_empty() {
        say("not here", unsupported.join(", "));
    }
    for c in &judged.contradictions {
        say("news", format!("{}: {}, seen: {}", c.operation, c.expected, c.observed));
    }
    for fault in &judged.faults {
        say("not run", fault.clone());
    }
    for arm in test.arms.iter().filter(|arm| !arm.root.is_empty() && arm.fault.is_none()) {
        say("root", format!("{} {}", &arm.root[..16.min(arm.root.len())], arm.name));
    }
    out.push_str(&table::plain(&[], &rows, width));
    out
}

fn head(test: &SelfTest) -> String {
    let operations = test.arms.iter().map(|a| a.operations.len()).max().unwrap_or_default();
    let version = test.described("version").unwrap_or_default();
    let mut device = test.described("device_name").unwrap_or_else(|| test.device.clone());
    if let (true, Some(isa)) = (test.device == "cpu", test.described("cpu_capability")) {
        let _infallible = write!(device, " ({isa})");
    }
    let line = format!(
        "{} {version} on {device}, engine {}: {operations} operations in {} process{}, {:.1} s",
        test.library.module(),
        test.engine,
        test.arms.len(),
        if test.arms.len() == 1 { "" } else { "es" },
        test.seconds
    );
    format!("{}\n\n", shown(&line))
}

fn controls(judged: &Judgement) -> String {
    match (judged.controls, judged.controls_failed.as_slice()) {
        (0, _) => "none for this library".to_owned(),
        (n, []) => format!("{n} of {n} give their golden values"),
        (_, failed) => format!("WRONG, suspect the hardware first: {}", failed.join(", ")),
    }
}

fn names(judged: &Judgement, wanted: impl Fn(&crate::selftest::judge::RaisedAt) -> bool) -> Vec<String> {
    let mut ids: Vec<String> =
        judged.raised.iter().filter(|r| wanted(r)).map(|r| r.operation.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// `12 operations give WHAT: mm 4, conv 8`.
fn counted(ids: &[String], none: &str, what: &str) -> String {
    if ids.is_empty() {
        return none.to_owned();
    }
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ids {
        *families.entry(family(id)).or_default() += 1;
    }
    let parts: Vec<String> = families.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let (noun, verb) = if ids.len() == 1 { ("operation", "gives") } else { ("operations", "give") };
    format!("{} {noun} {verb} {what}: {}", ids.len(), parts.join(", "))
}

/// Two self-tests compared.
pub fn comparison(found: &Comparison, width: u16) -> String {
    let mut out = format!("\n{}\n", shown(&found.summary));
    for hint in &found.hints {
        let _infallible = writeln!(out, "  {}", shown(hint));
    }
    for arm in found.arms.iter().filter(|arm| !arm.operations.is_empty()) {
        let _infallible = writeln!(
            out,
            "\n{}: {} of {} operations differ",
            shown(&arm.arm),
            arm.operations.len(),
            arm.compared
        );
        out.push_str(&table::plain(&[], &differences(arm), width));
    }
    out
}

fn differences(arm: &ArmComparison) -> Vec<Vec<String>> {
    let row = |d: &crate::selftest::verdict::Difference| {
        let kind = match d.kind {
            crate::selftest::verdict::Kind::Raises => "raises",
            crate::selftest::verdict::Kind::Precision => "precision",
            crate::selftest::verdict::Kind::Order => "order",
            crate::selftest::verdict::Kind::Unsigned => "differs",
        };
        let size = d.octaves.map(|o| format!("{o:+} octaves")).unwrap_or_default();
        let more = d.why.clone().unwrap_or_else(|| d.outputs.join(" "));
        [d.operation.as_str(), kind, &size, &more].map(|cell| shown(cell).into_owned()).to_vec()
    };
    arm.operations.iter().map(row).collect()
}

/// What the emulation of other machines showed.
pub fn explained(found: &Explained, width: u16) -> String {
    let mut out = format!("\n{}\n", shown(&found.summary));
    let rows: Vec<Vec<String>> = found
        .tried
        .iter()
        .map(|t| {
            let share = format!("explains {} of {}", t.explained.len(), found.differ.len());
            vec![t.settings.join(" "), share, format!("moves {} that agree", t.broken.len())]
        })
        .collect();
    out.push_str(&table::plain(&[], &rows, width));
    out
}
