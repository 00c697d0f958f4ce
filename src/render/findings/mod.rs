//! Findings of `check` and `lint` in each output format. Renderers take findings and give text; they decide nothing.

pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;

use clap::ValueEnum;
use serde_json::{Map, Value as Json};

use crate::error::Error;
use crate::gate::finding::{FactChange, Finding, Level};
use crate::gate::report::Counts;

/// The forms of a report of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// `driftlock/check/1` or `driftlock/lint/1`
    Json,
    /// Annotations of GitHub Actions, and a summary of the step where `GITHUB_STEP_SUMMARY` names its file
    Github,
    /// A report of GitLab's code quality
    Gitlab,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit's XML
    Junit,
    /// A block to paste into an issue
    Markdown,
}

/// What a report says beside its findings.
#[derive(Clone, Debug)]
pub struct Run {
    /// The subcommand: `check` or `lint`.
    pub command: &'static str,
    /// In a sentence, what to make of it; [`Counts::sentence`] counts the findings.
    pub summary: String,
    /// What was looked at, by name: `lock`, `driftlock.lock`.
    pub about: Vec<(&'static str, String)>,
    /// The file to show a finding at that has no place of its own: formats of others want one.
    pub fallback: String,
    /// The keys that only this command's JSON has.
    pub details: Map<String, Json>,
    /// Whether findings that are allowed are listed, and not only counted.
    pub all: bool,
    /// Columns of the terminal.
    pub width: u16,
}

/// The whole text of a report, in the order of `findings` with the gravest first.
///
/// # Errors
///
/// Ours alone: a form that cannot be written.
pub fn render(findings: &[Finding], run: &Run, format: Format) -> Result<String, Error> {
    let mut sorted = findings.to_vec();
    sorted.sort_by_key(|f| f.level);
    let counts = Counts::of(&sorted);
    if format == Format::Json {
        return json::text(&sorted, run, counts);
    }
    sorted.retain(|f| run.all || f.level != Level::Allow);
    Ok(match format {
        Format::Human => human::text(&sorted, run, counts),
        Format::Json | Format::Gitlab => gitlab::text(&sorted, run),
        Format::Github => github::text(&sorted, run),
        Format::Sarif => sarif::text(&sorted, run),
        Format::Junit => junit::text(&sorted, run)?,
        Format::Markdown => markdown::text(&sorted, run, counts),
    })
}

/// A fact with its values on one line: `torch.version: 2.10.0 → 2.11.0`, `git.dirty = yes`.
pub(crate) fn fact(fact: &FactChange) -> String {
    let found = fact.found.as_deref().unwrap_or("absent");
    match &fact.expected {
        Some(expected) => format!("{}: {expected} → {found}", fact.fact),
        None => format!("{} = {found}", fact.fact),
    }
}

/// So many facts of a finding are written out in a message.
const FACTS: usize = 6;

/// The facts to write out of a finding, and how many are left: where a version tells it, not what follows from it.
pub(crate) fn told(finding: &Finding) -> (Vec<&FactChange>, usize) {
    let last = |f: &FactChange| f.fact.rsplit('.').next().unwrap_or_default().to_owned();
    let follows = ["path", "build_id", "build_ids", "files", "record", "git_commit", "metadata_version"];
    let versions = finding.facts.iter().any(|f| last(f) == "version");
    let told = finding.facts.iter().filter(|f| !versions || !follows.contains(&last(f).as_str()));
    let told: Vec<&FactChange> = told.take(FACTS).collect();
    let left = finding.facts.len() - told.len();
    (told, left)
}

/// Everything that a finding says, as lines of plain text; the first is the title.
pub(crate) fn message(finding: &Finding) -> String {
    let mut lines = vec![finding.title.clone()];
    let (told, left) = told(finding);
    lines.extend(told.into_iter().map(fact));
    lines.extend(more(left));
    lines.extend(finding.why.iter().map(|why| format!("Why: {why}")));
    lines.extend(finding.magnitude.iter().map(|much| format!("How much: {much}")));
    lines.extend(finding.remedy.iter().map(|remedy| format!("Remedy: {remedy}")));
    let tag = match finding.effect {
        Some(effect) => format!("Rule: {} ({})", finding.rule, effect.word()),
        None => format!("Rule: {}", finding.rule),
    };
    lines.push(match &finding.page {
        Some(page) => format!("{tag} {page}"),
        None => tag,
    });
    lines.iter().map(|line| crate::snapshot::value::shown(line)).collect::<Vec<_>>().join("\n")
}

/// `and 3 more facts`, where there are some.
pub(crate) fn more(left: usize) -> Option<String> {
    match left {
        0 => None,
        1 => Some("and 1 more fact".to_owned()),
        n => Some(format!("and {n} more facts")),
    }
}

/// The path and line to show a finding at in the formats that want one.
pub(crate) fn place(finding: &Finding, run: &Run) -> (String, usize) {
    match &finding.location {
        Some(location) => (crate::gate::report::path(location), location.line.max(1)),
        None => (run.fallback.clone(), 1),
    }
}
