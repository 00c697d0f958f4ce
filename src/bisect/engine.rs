//! The search, pure: which factors of B, put into A, turn A's result into B's.
//!
//! A *set* is the factors that have B's value; the empty set is A, the full set B. [`solve`] asks an [`Oracle`] for the
//! outcome of sets, in an order that the factors' weights give:
//!
//! 1. a weighted binary search over prefixes of the ranked factors: the shortest prefix that reaches the target ends in
//!    a factor that is needed; it is kept, and the search goes on in front of it until what is kept reaches the target
//!    (as QuickXplain, Junker 2004: `k (log2 n + 1)` sets for k needed factors where more factors never undo the result);
//! 2. what came out is checked: it reaches the target, and without any one of its members it does not;
//! 3. where the search was misled (a set that crashes, factors that undo each other), `ddmin` (Zeller and Hildebrandt
//!    2002, "Simplifying and isolating failure-inducing input") on the smallest set known to reach the target, sections
//!    first: at most `n^2 + 3n` sets for any outcomes;
//! 4. B without what was found must be A again. Where it is not, another set alone suffices or was masked, and the
//!    search goes on in the rest.

use std::collections::BTreeSet;

/// Factors by their index in the ranked list.
pub type Set = BTreeSet<usize>;

/// What came of a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A's result.
    A,
    /// B's result.
    B,
    /// A third result; equal numbers are equal results.
    Other(usize),
    /// No result: it crashed, took too long, or could not be set up. The reason.
    Unresolved(String),
}

impl Outcome {
    /// Whether it is a result, and another than A's.
    pub fn moved(&self) -> bool {
        matches!(self, Self::B | Self::Other(_))
    }
}

/// Answers what comes of sets. Answers must not change from one question to the next.
pub trait Oracle {
    /// Why no answer can be given at all.
    type Error;

    /// The outcomes of these sets, in their order; they may be found side by side.
    ///
    /// # Errors
    ///
    /// The search ends with it.
    fn ask(&mut self, sets: &[Set]) -> Result<Vec<Outcome>, Self::Error>;

    /// How many sets are worth asking about at once.
    fn width(&self) -> usize {
        1
    }
}

/// What is known of the factors before the search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prior {
    /// How likely each is, the most likely first; positive, of any sum.
    pub weights: Vec<f64>,
    /// The group (section) of each, for the first partition of `ddmin`.
    pub groups: Vec<String>,
}

impl Prior {
    /// Weights by rank alone: `1 / (rank + 1)`, so that the first few of a list are looked at first and the last of a
    /// wrongly ranked one costs little more than in a plain binary search.
    pub fn ranked(groups: Vec<String>) -> Self {
        let weights = (0..groups.len()).map(|rank| weight(rank, 1.0)).collect();
        Self { weights, groups }
    }
}

/// The weight of a factor of this rank, from 0, times what its standing is worth.
#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
pub fn weight(rank: usize, worth: f64) -> f64 {
    worth / (rank + 1) as f64
}

/// One round of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// A minimal set: put into A it gives `target`, and no part of it that lacks one member does.
    pub set: Vec<usize>,
    /// What it gives: B's result, or, where an earlier round masked it, what B gives without the earlier rounds' sets.
    pub target: Outcome,
    /// The sets in it that act on their own.
    pub causes: Vec<Vec<usize>>,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The rounds in order; the first one reaches B.
    pub rounds: Vec<Round>,
    /// What B gives without everything found: A, or why that is not known.
    pub without: Outcome,
}

/// Finds every minimal set that is needed to tell A from B. The full set must give [`Outcome::B`], the empty one
/// [`Outcome::A`].
///
/// # Errors
///
/// Those of the oracle.
pub fn solve<O: Oracle>(oracle: &mut O, prior: &Prior) -> Result<Solution, O::Error> {
    let mut rest: Vec<usize> = (0..prior.weights.len()).collect();
    let mut target = Outcome::B;
    let mut rounds = Vec::new();
    loop {
        let set = minimal(oracle, prior, &rest, &target)?;
        let causes = split(oracle, prior, &set)?;
        rest.retain(|f| !set.contains(f));
        rounds.push(Round { set, target, causes });
        if rest.is_empty() {
            return Ok(Solution { rounds, without: Outcome::A });
        }
        let without = one(oracle, rest.iter().copied().collect())?;
        if !without.moved() {
            return Ok(Solution { rounds, without });
        }
        target = without;
    }
}

fn one<O: Oracle>(oracle: &mut O, set: Set) -> Result<Outcome, O::Error> {
    let answers = oracle.ask(&[set])?;
    Ok(answers.into_iter().next().unwrap_or_else(|| Outcome::Unresolved("no answer".to_owned())))
}

/// A minimal subset of `over` that gives `target`; `over` itself must.
fn minimal<O: Oracle>(
    oracle: &mut O,
    prior: &Prior,
    over: &[usize],
    target: &Outcome,
) -> Result<Vec<usize>, O::Error> {
    let found = match prefixes(oracle, prior, over, target)? {
        Ok(kept) => kept,
        Err(smaller) => ddmin(oracle, prior, smaller, target)?,
    };
    thin(oracle, found, target)
}

/// Step 1 of the module. `Err` holds the smallest set seen that gives the target, where the search was misled.
fn prefixes<O: Oracle>(
    oracle: &mut O,
    prior: &Prior,
    over: &[usize],
    target: &Outcome,
) -> Result<Result<Vec<usize>, Vec<usize>>, O::Error> {
    let mut kept: Vec<usize> = Vec::new();
    let mut best = over.to_vec();
    let mut upper = over.len();
    let with = |kept: &[usize], n: usize| -> Set { kept.iter().chain(&over[..n]).copied().collect() };
    while upper > 0 {
        let (mut low, mut high) = (0, upper);
        while high - low > 1 {
            let cuts = cuts(prior, &over[low..high], oracle.width());
            let cuts: Vec<usize> = cuts.into_iter().map(|c| low + c).collect();
            let sets: Vec<Set> = cuts.iter().map(|n| with(&kept, *n)).collect();
            let answers = oracle.ask(&sets)?;
            for (cut, answer) in cuts.into_iter().zip(answers) {
                if answer == *target {
                    high = cut;
                    break;
                }
                low = cut;
            }
        }
        kept.push(over[high - 1]);
        upper = high - 1;
        let smaller = with(&kept, upper);
        if smaller.len() < best.len() {
            // Reached: `high` factors did, of which this is the last.
            best = smaller.into_iter().collect();
        }
        if one(oracle, kept.iter().copied().collect())? == *target {
            kept.sort_unstable();
            return Ok(Ok(kept));
        }
    }
    Ok(Err(best))
}

/// Where to cut a list of factors, so that the parts are about equally likely: up to `width` places, ascending, each
/// in `1..len`.
fn cuts(prior: &Prior, list: &[usize], width: usize) -> Vec<usize> {
    let weight = |f: &usize| prior.weights.get(*f).copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    let all: f64 = list.iter().map(weight).sum();
    let wanted = width.clamp(1, list.len() - 1);
    let mut out = Vec::new();
    for part in 1..=wanted {
        #[expect(clippy::cast_precision_loss, reason = "a few parts")]
        let goal = all * part as f64 / (wanted + 1) as f64;
        let mut sum = 0.0;
        let mut best = (f64::INFINITY, 1);
        for (n, f) in list.iter().enumerate().take(list.len() - 1) {
            sum += weight(f);
            let off = (sum - goal).abs();
            if off < best.0 {
                best = (off, n + 1);
            }
        }
        out.push(best.1);
    }
    out.dedup();
    out
}

/// Step 2: leaves out members without which the set gives the target all the same, the least likely first.
fn thin<O: Oracle>(oracle: &mut O, mut set: Vec<usize>, target: &Outcome) -> Result<Vec<usize>, O::Error> {
    let mut at = set.len();
    while at > 0 && set.len() > 1 {
        at -= 1;
        let without: Set = set.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, f)| *f).collect();
        if one(oracle, without)? == *target {
            set.remove(at);
            // What was needed beside it may not be needed now.
            at = set.len();
        }
    }
    Ok(set)
}

/// Step 3.
fn ddmin<O: Oracle>(
    oracle: &mut O,
    prior: &Prior,
    mut set: Vec<usize>,
    target: &Outcome,
) -> Result<Vec<usize>, O::Error> {
    let mut parts = by_group(prior, &set);
    if parts.len() < 2 {
        parts = even(&set, 2);
    }
    while set.len() > 1 {
        if let Some(hit) = first(oracle, &parts, target)? {
            set.clone_from(&parts[hit]);
            parts = even(&set, 2);
            continue;
        }
        let without = |i: usize| -> Vec<usize> {
            let mut rest: Vec<usize> = parts
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .flat_map(|(_, part)| part.clone())
                .collect();
            rest.sort_unstable();
            rest
        };
        let complements: Vec<Vec<usize>> = (0..parts.len()).map(without).collect();
        // With two parts each is the other's complement.
        let hit = if parts.len() > 2 { first(oracle, &complements, target)? } else { None };
        if let Some(hit) = hit {
            set.clone_from(&complements[hit]);
            parts.remove(hit);
            continue;
        }
        if parts.len() >= set.len() {
            break;
        }
        parts = even(&set, (2 * parts.len()).min(set.len()));
    }
    Ok(set)
}

/// The index of the first set that gives the target.
fn first<O: Oracle>(
    oracle: &mut O,
    sets: &[Vec<usize>],
    target: &Outcome,
) -> Result<Option<usize>, O::Error> {
    let width = oracle.width().max(1);
    for (i, chunk) in sets.chunks(width).enumerate() {
        let asked: Vec<Set> = chunk.iter().map(|set| set.iter().copied().collect()).collect();
        if let Some(hit) = oracle.ask(&asked)?.iter().position(|answer| answer == target) {
            return Ok(Some(i * width + hit));
        }
    }
    Ok(None)
}

/// The set parted by section, the section of the likeliest factor first.
fn by_group(prior: &Prior, set: &[usize]) -> Vec<Vec<usize>> {
    let mut parts: Vec<(&str, Vec<usize>)> = Vec::new();
    for f in set {
        let group = prior.groups.get(*f).map_or("", String::as_str);
        match parts.iter_mut().find(|(name, _)| *name == group) {
            Some((_, part)) => part.push(*f),
            None => parts.push((group, vec![*f])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

fn even(set: &[usize], n: usize) -> Vec<Vec<usize>> {
    let n = n.clamp(1, set.len().max(1));
    (0..n)
        .map(|i| set[i * set.len() / n..(i + 1) * set.len() / n].to_vec())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The parts of a minimal set that act on their own: members that alone move A's result are causes of their own;
/// what moves it only together is one cause.
fn split<O: Oracle>(oracle: &mut O, prior: &Prior, set: &[usize]) -> Result<Vec<Vec<usize>>, O::Error> {
    if set.len() < 2 {
        return Ok(vec![set.to_vec()]);
    }
    let alone: Vec<Set> = set.iter().map(|f| Set::from([*f])).collect();
    let mut answers = Vec::new();
    for chunk in alone.chunks(oracle.width().max(1)) {
        answers.extend(oracle.ask(chunk)?);
    }
    let (moves, still): (Vec<_>, Vec<_>) = set.iter().copied().zip(answers).partition(|(_, o)| o.moved());
    let mut causes: Vec<Vec<usize>> = moves.iter().map(|(f, _)| vec![*f]).collect();
    let mut still: Vec<usize> = still.into_iter().map(|(f, _)| f).collect();
    // Groups that move A's result together.
    while still.len() > 1 {
        let together = one(oracle, still.iter().copied().collect())?;
        if !together.moved() {
            break;
        }
        let group = minimal(oracle, prior, &still, &together)?;
        still.retain(|f| !group.contains(f));
        causes.push(group);
    }
    // What moves nothing without another cause belongs to that one.
    for f in still {
        let mut with = None;
        for (at, cause) in causes.iter().enumerate() {
            let base: Set = cause.iter().copied().collect();
            let mut both = base.clone();
            both.insert(f);
            if one(oracle, base)? != one(oracle, both)? {
                with = Some(at);
                break;
            }
        }
        match with.and_then(|at| causes.get_mut(at)) {
            Some(cause) => cause.push(f),
            // With no single one of them: all of it is one interaction.
            None => return Ok(vec![set.to_vec()]),
        }
    }
    for cause in &mut causes {
        cause.sort_unstable();
    }
    causes.sort();
    Ok(causes)
}

#[cfg(test)]
mod tests;
