//! `--explain`: emulates other CPUs and thread counts here, and sees which of them gives the other machine's digests.
//! A cause that does is not plausible but proved.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::arms::{Arm, emulations};
use super::result::{ArmResult, SelfTest};

/// What the emulation shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// In a sentence.
    pub summary: String,
    /// Operations that differ between the machines as they are.
    pub differ: Vec<String>,
    /// The arms that were tried, the best first.
    pub tried: Vec<Tried>,
    /// Whether the best reproduces the other machine in every operation.
    pub proved: bool,
}

/// One arm that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Its name.
    pub arm: String,
    /// The variables that it sets, and the threads.
    pub settings: Vec<String>,
    /// Of the operations that differ, those that it makes equal.
    pub explained: Vec<String>,
    /// Operations that are equal and that it makes differ.
    pub broken: Vec<String>,
}

/// Against which arm of the other side an emulation is held: what differs at one thread is of the instruction set,
/// what only differs as found is of the number of threads.
pub fn question(own: &SelfTest, other: &SelfTest) -> Option<(&'static str, BTreeSet<String>)> {
    ["one-thread", "found"].into_iter().find_map(|name| {
        let differ = differing(own, own.arm(name)?, other, other.arm(name)?);
        (!differ.is_empty()).then_some((name, differ))
    })
}

/// The arms to try for this question.
pub fn candidates(asked: &str, cpus: u32) -> Vec<Arm> {
    let threads = |arm: &Arm| arm.env.is_empty();
    let mut arms: Vec<Arm> =
        emulations(cpus).into_iter().filter(|arm| threads(arm) == (asked == "found")).collect();
    if asked == "found" {
        arms.insert(0, Arm { name: "threads-1".to_owned(), threads: Some(1), runs: 1, ..Arm::default() });
    }
    arms
}

/// The arms of single variables put together where each explains something that the others do not.
pub fn combination(tried: &[Tried], arms: &[Arm]) -> Option<Arm> {
    let mut env = BTreeMap::new();
    let (mut names, mut covered) = (Vec::new(), BTreeSet::new());
    for one in tried {
        let arm = arms.iter().find(|a| a.name == one.arm)?;
        let new = one.explained.iter().any(|id| !covered.contains(id));
        if new && one.broken.is_empty() && arm.env.keys().all(|name| !env.contains_key(name)) {
            covered.extend(one.explained.iter().cloned());
            env.extend(arm.env.clone());
            names.push(arm.name.clone());
        }
    }
    (names.len() > 1).then(|| Arm { name: names.join("+"), env, threads: Some(1), runs: 1, ..Arm::default() })
}

/// Holds an arm that ran here against the other side.
pub fn held(
    asked: &str,
    own: &SelfTest,
    other: &SelfTest,
    arm: &ArmResult,
    differ: &BTreeSet<String>,
) -> Tried {
    let mut settings: Vec<String> = arm.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if asked == "found" {
        settings.extend(arm.threads.map(|n| format!("{n} threads")));
    }
    let still = other.arm(asked).map(|there| differing(own, arm, other, there)).unwrap_or_default();
    let ran = |id: &&String| arm.operations.get(*id).is_some_and(|m| m.raised.is_none());
    Tried {
        arm: arm.name.clone(),
        settings,
        explained: differ.iter().filter(ran).filter(|id| !still.contains(*id)).cloned().collect(),
        broken: still.difference(differ).cloned().collect(),
    }
}

/// Sums up.
pub fn explained(asked: &str, differ: &BTreeSet<String>, mut tried: Vec<Tried>) -> Explained {
    rank(&mut tried);
    let proved =
        tried.first().is_some_and(|best| best.explained.len() == differ.len() && best.broken.is_empty());
    let summary = match tried.first() {
        Some(best) if proved => {
            let same: Vec<&Tried> = tried
                .iter()
                .skip(1)
                .filter(|t| t.explained.len() == differ.len() && t.broken.is_empty())
                .collect();
            let also = match same.as_slice() {
                [] => String::new(),
                more => {
                    let names: Vec<String> = more.iter().map(|t| t.settings.join(" ")).collect();
                    format!(" (so does {})", names.join(", "))
                }
            };
            format!(
                "proved: with {} this machine gives the other's results in all {} operations that differ{also}",
                best.settings.join(" "),
                differ.len()
            )
        }
        Some(best) if !best.explained.is_empty() => format!(
            "in part: {} explains {} of the {} operations that differ{}",
            best.settings.join(" "),
            best.explained.len(),
            differ.len(),
            if best.broken.is_empty() {
                String::new()
            } else {
                format!(" and moves {} that agree", best.broken.len())
            }
        ),
        _ => format!(
            "no setting that can be emulated here explains any of the {} operations that differ{}",
            differ.len(),
            if asked == "found" { " at this number of threads" } else { "" }
        ),
    };
    Explained { summary, differ: differ.iter().cloned().collect(), tried, proved }
}

/// The best first: explains the most, breaks the least, by name.
pub fn rank(tried: &mut [Tried]) {
    tried.sort_by(|a, b| {
        let key = |t: &Tried| (usize::MAX - t.explained.len(), t.broken.len(), t.settings.len());
        key(a).cmp(&key(b)).then_with(|| a.arm.cmp(&b.arm))
    });
}

/// Operations that are stable on both sides and differ.
fn differing(a: &SelfTest, left: &ArmResult, b: &SelfTest, right: &ArmResult) -> BTreeSet<String> {
    let unstable: BTreeSet<&str> = a.arms.iter().chain(&b.arms).flat_map(|arm| unstable(a, b, arm)).collect();
    let pairs = left.operations.iter().filter_map(|(id, m)| Some((id, m, right.operations.get(id)?)));
    pairs
        .filter(|(id, m, n)| m.digest != n.digest && !unstable.contains(id.as_str()))
        .map(|(id, ..)| id.clone())
        .collect()
}

fn unstable<'a>(a: &'a SelfTest, b: &'a SelfTest, arm: &ArmResult) -> Vec<&'a str> {
    let mut ids = a.unstable_in(arm);
    ids.extend(b.unstable_in(arm));
    let known = |id: &&str| {
        super::catalogue::of(a.library).get(id).is_none_or(|o| o.cpu_race)
            || arm.operations.get(*id).is_some_and(|m| m.distinct > 1)
    };
    ids.retain(known);
    ids
}
