//! `docs/concepts/what-to-expect.md`: what the engine says of the questions that people ask first, over pairs made from
//! recorded machines. Update with `SNAPSHOTS=overwrite cargo test --test it expect::`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use driftlock::explain::evaluate::value_of;
use driftlock::explain::pattern::Pattern;
use driftlock::explain::rule::{Confidence, Effect, Scalar};
use driftlock::explain::{Catalogue, Explanation, Outcome, explain};
use driftlock::host::recorded::Recorded;
use driftlock::probes::{Context, Options};
use driftlock::snapshot::{FactPath, Snapshot, Value};
use serde::Deserialize;

use crate::common::root;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    question: Vec<Question>,
}

/// See `questions.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    ask: String,
    device: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    env_a: BTreeMap<String, String>,
    #[serde(default)]
    env_b: BTreeMap<String, String>,
    take: Option<Take>,
    #[serde(default)]
    facts: toml::Table,
    #[serde(default)]
    a: toml::Table,
    #[serde(default)]
    b: toml::Table,
    guide: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Take {
    host: String,
    facts: Vec<String>,
}

const COLUMNS: [(&str, &str); 4] =
    [("torch", "PyTorch"), ("tensorflow", "TensorFlow"), ("jax", "JAX"), ("numpy", "NumPy")];

/// What the program is taken to do where a question does not say it: training, and some linear algebra.
const PROGRAM: [&str; 24] = [
    "torch.conv.forward",
    "torch.conv.backward",
    "torch.matmul.f32",
    "torch.reduce.full",
    "torch.softmax",
    "torch.norm-layer",
    "torch.elementwise.math",
    "torch.dropout",
    "torch.init",
    "torch.optim.sgd",
    "tensorflow.conv",
    "tensorflow.matmul",
    "tensorflow.reduce",
    "tensorflow.elementwise",
    "tensorflow.rng",
    "tensorflow.fit",
    "jax.conv",
    "jax.matmul",
    "jax.reduce",
    "jax.rng",
    "numpy.matmul",
    "numpy.linalg",
    "numpy.ufunc.math",
    "numpy.rng.generator.uniform",
];

/// Variables of the recorded machine that decide what a question sets itself.
const CLEARED: [&str; 5] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
];

fn replay(name: &str, env: &[&BTreeMap<String, String>]) -> Snapshot {
    let text = std::fs::read_to_string(root().join("fixtures/hosts").join(name).join("host.toml")).unwrap();
    let mut host = Recorded::parse(&text).unwrap();
    CLEARED.iter().for_each(|name| drop(host.env.remove(*name)));
    host.env.extend(env.iter().flat_map(|set| set.iter()).map(|(k, v)| (k.clone(), v.clone())));
    let options = Options { timeout: Duration::from_secs(120), ..Options::default() };
    driftlock::capture::run(&Arc::new(Context::new(Arc::new(host), options)), false).snapshot
}

/// Replaces the facts that fit by those of `from` that fit.
fn take(into: &mut Snapshot, from: &Snapshot, patterns: &[&str]) {
    let patterns: Vec<Pattern> = patterns.iter().map(|p| Pattern::new(p)).collect();
    let fits = |path: &FactPath| patterns.iter().any(|p| p.matches(path));
    into.unknown.retain(|path, _| !fits(path));
    into.unknown
        .extend(from.unknown.iter().filter(|(p, _)| fits(p)).map(|(p, why)| (p.clone(), why.clone())));
    for (facts, from) in [(&mut into.facts, &from.facts), (&mut into.private, &from.private)] {
        facts.retain(|path, _| !fits(path));
        facts.extend(from.iter().filter(|(path, _)| fits(path)).map(|(p, v)| (p.clone(), v.clone())));
    }
}

fn put(into: &mut Snapshot, facts: &toml::Table) {
    for (path, value) in facts {
        let path: FactPath = path.parse().unwrap();
        assert!(driftlock::facts::find(&path).is_some(), "no fact is called `{path}`");
        into.sections.insert(path.section().to_owned());
        into.unknown.remove(&path);
        into.facts.insert(path, value_of(&Scalar::from_toml(value).unwrap()));
    }
}

fn sides(question: &Question) -> (Snapshot, Snapshot) {
    let common = toml::Table::from_iter([("workload.operations".to_owned(), PROGRAM.to_vec().into())]);
    let side = |own: &BTreeMap<String, String>, other: Option<&Take>, facts: &toml::Table| {
        let mut out = replay("dgx-h100", &[&question.env, own]);
        for (host, section) in [("a100-mig", "jax"), ("t4-v100", "tensorflow")] {
            take(&mut out, &replay(host, &[]), &[&format!("{section}.**")]);
            out.sections.insert(section.to_owned());
        }
        if let Some(other) = other {
            let patterns: Vec<&str> = other.facts.iter().map(String::as_str).collect();
            take(&mut out, &replay(&other.host, &[&question.env, own]), &patterns);
        }
        [&common, &question.facts, facts].into_iter().for_each(|facts| put(&mut out, facts));
        out
    };
    let a = side(&question.env_a, None, &question.a);
    (a, side(&question.env_b, question.take.as_ref(), &question.b))
}

/// The snapshot of a program that does only what is of this framework.
fn of(snapshot: &Snapshot, framework: &str) -> Snapshot {
    let mut out = snapshot.clone();
    if let Some(Value::List(items)) = out.facts.get_mut(&FactPath::new(["workload", "operations"])) {
        items.retain(|i| i.plain().split('.').next() == Some(framework));
    }
    out
}

/// The answer in words, and what it rests on.
fn answer(found: &Explanation) -> (&'static str, String) {
    let link = |topic: &str, id: &str| format!("[`{id}`](../reference/rules/{topic}.md#{id})");
    let first = found.causes.first();
    let sure = |c: &driftlock::explain::Finding| c.confidence != Confidence::Plausible && !c.undecided;
    let lost = found.hazards.iter().find(|h| matches!(h.rule.effect, Effect::Code | Effect::Stream));
    match (found.verdict.outcome, first, lost, found.hazards.first()) {
        (Outcome::Different, Some(cause), ..) => {
            let best = found.causes.iter().find(|c| sure(c)).unwrap_or(cause);
            let word = if sure(best) { "no" } else { "perhaps not" };
            let figures = best.evidence.iter().take(usize::from(best.rule.predict.is_some()));
            let figures: String = figures.map(|line| format!("; {line}")).collect();
            let why =
                format!("{} ({}{figures})", link(&best.rule.topic, &best.rule.id), best.rule.effect.word());
            (word, why)
        }
        (Outcome::Identical | Outcome::Same, _, Some(hazard), _) => {
            ("no", format!("{} ({})", link(&hazard.rule.topic, &hazard.rule.id), hazard.rule.effect.word()))
        }
        (Outcome::Identical | Outcome::Same, _, None, Some(_)) => {
            let links: Vec<String> = found.hazards.iter().map(|h| link(&h.rule.topic, &h.rule.id)).collect();
            ("yes, but", links.join(" "))
        }
        (Outcome::Identical | Outcome::Same, _, None, None) => ("yes", String::new()),
        (Outcome::Unstable, _, _, Some(hazard)) => ("no", link(&hazard.rule.topic, &hazard.rule.id)),
        _ => ("not known", found.verdict.summary.clone()),
    }
}

#[test]
fn the_page_is_what_the_engine_says_and_the_guide_agrees() {
    let text = std::fs::read_to_string(root().join("tests/it/expect/questions.toml")).unwrap();
    let file: File = toml::from_str(&text).unwrap();
    let rules = Catalogue::built_in();
    let heads: Vec<&str> = COLUMNS.iter().map(|(_, title)| *title).collect();
    let prose = |name: &str| std::fs::read_to_string(root().join("tests/it/expect").join(name)).unwrap();
    let mut page = prose("prose.md");
    let _infallible = writeln!(page, "| | {} |\n| --- | --- | --- | --- | --- |", heads.join(" | "));
    let mut complaints = Vec::new();
    for question in &file.question {
        let (a, b) = sides(question);
        let mut cells = vec![question.ask.clone()];
        for (column, _) in COLUMNS {
            let Some(known) = question.guide.get(column) else {
                cells.push(String::new());
                continue;
            };
            let devices: &[&str] = match question.device.as_str() {
                "both" => &["cpu", "cuda"],
                other => &[other],
            };
            let scope: Vec<String> = [column].iter().chain(devices).map(|s| (*s).to_owned()).collect();
            let (a, b) = (of(&a, column), of(&b, column));
            let found = explain(&a, &b, &rules, &scope, None);
            let (word, why) = answer(&found);
            if word != known {
                let causes: Vec<&str> = found.causes.iter().map(|c| c.rule.id.as_str()).collect();
                let hazards: Vec<&str> = found.hazards.iter().map(|c| c.rule.id.as_str()).collect();
                complaints.push(format!(
                    "{}, {column}: known is `{known}`, the engine says `{word}` ({}): {} causes {causes:?}, hazards {hazards:?}",
                    question.ask, found.verdict.outcome.word(), found.verdict.summary
                ));
            }
            cells.push(if why.is_empty() { format!("**{word}**") } else { format!("**{word}**: {why}") });
        }
        let _infallible = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push_str(&prose("after.md"));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    let file = root().join("docs/concepts/what-to-expect.md");
    snapbox::assert_data_eq!(page, snapbox::Data::read_from(&file, None).raw());
}
