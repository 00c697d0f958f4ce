//! The search against simulated outcomes: many seeded cases, every answer checked, every probe counted.

#![allow(clippy::print_stdout, reason = "figures for docs/benchmarks.md")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;

/// Counts distinct sets, as the cache of probes does.
struct Simulated<F> {
    truth: F,
    seen: BTreeMap<Set, Outcome>,
    width: usize,
}

impl<F: Fn(&Set) -> Outcome> Simulated<F> {
    fn new(truth: F) -> Self {
        Self { truth, seen: BTreeMap::new(), width: 1 }
    }

    /// The sets asked for without the two ends, which the ground has shown already.
    fn probes(&self, n: usize) -> usize {
        self.seen.keys().filter(|set| !set.is_empty() && set.len() < n).count()
    }
}

impl<F: Fn(&Set) -> Outcome> Oracle for Simulated<F> {
    type Error = Infallible;

    fn ask(&mut self, sets: &[Set]) -> Result<Vec<Outcome>, Infallible> {
        assert!(sets.len() <= self.width, "no more at once than was said");
        Ok(sets
            .iter()
            .map(|set| self.seen.entry(set.clone()).or_insert_with(|| (self.truth)(set)).clone())
            .collect())
    }

    fn width(&self) -> usize {
        self.width
    }
}

/// A small generator of reproducible numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn some(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..k {
            let j = i + self.below(n - i);
            all.swap(i, j);
        }
        let mut out = all[..k].to_vec();
        out.sort_unstable();
        out
    }
}

fn prior(n: usize) -> Prior {
    Prior::ranked((0..n).map(|f| format!("section{}", f % 4)).collect())
}

/// Each member of `true_set` moves the result by itself; B has them all.
fn additive(true_set: &[usize]) -> impl Fn(&Set) -> Outcome + use<> {
    let true_set = true_set.to_vec();
    move |set: &Set| {
        let hits: Vec<usize> = (0..true_set.len()).filter(|i| set.contains(&true_set[*i])).collect();
        match hits.len() {
            0 => Outcome::A,
            n if n == true_set.len() => Outcome::B,
            _ => Outcome::Other(hits.iter().map(|i| 1 << i).sum()),
        }
    }
}

/// The result moves only where all of them are there.
fn together(true_set: &[usize]) -> impl Fn(&Set) -> Outcome + use<> {
    let true_set = true_set.to_vec();
    move |set: &Set| if true_set.iter().all(|f| set.contains(f)) { Outcome::B } else { Outcome::A }
}

fn run<F: Fn(&Set) -> Outcome>(n: usize, truth: F) -> (Solution, usize) {
    let mut oracle = Simulated::new(truth);
    let Ok(solution) = solve(&mut oracle, &prior(n));
    (solution, oracle.probes(n))
}

/// ddmin's bound for n factors, and the checks from both sides.
fn bound(n: usize) -> usize {
    n * n + 3 * n
}

#[test]
fn one_factor_wherever_it_is() {
    for n in 1..=40 {
        for f in 0..n {
            let (solution, probes) = run(n, together(&[f]));
            assert_eq!(solution.rounds.len(), 1);
            assert_eq!(solution.rounds[0].causes, [vec![f]], "{f} of {n}");
            assert_eq!(solution.without, Outcome::A);
            assert!(probes <= bound(n), "{probes} for {f} of {n}");
        }
    }
}

/// The target of the project: a median of 6 or fewer for one true factor among 20. The explanation ranks the true
/// cause first in most pairs of the benchmark, and within the first three in nearly all (docs/benchmarks.md); here it is
/// worse: first in half of the cases, anywhere in a quarter.
#[test]
fn a_median_of_six_probes_or_fewer_for_one_of_twenty() {
    let mut random = Random(7);
    let (mut ranked, mut anywhere) = (Vec::new(), Vec::new());
    for _ in 0..2000 {
        let f = match random.below(4) {
            0 | 1 => 0,
            2 => random.below(3),
            _ => random.below(20),
        };
        ranked.push(run(20, together(&[f])).1);
        anywhere.push(run(20, together(&[random.below(20)])).1);
    }
    ranked.sort_unstable();
    anywhere.sort_unstable();
    let (half, most) = (ranked.len() / 2, ranked.len() * 95 / 100);
    assert!(ranked[half] <= 6, "median {}", ranked[half]);
    // Without any help of the ranking, too: what a binary search and the two checks cost.
    assert!(anywhere[half] <= 7, "median {}", anywhere[half]);
    assert!(anywhere[most] <= 10, "95 % {}", anywhere[most]);
    // How it stands: `cargo test --lib median_of_six -- --nocapture`.
    println!(
        "ranked: median {} 95 % {} most {}; anywhere: median {} 95 % {} most {}",
        ranked[half],
        ranked[most],
        ranked.last().unwrap(),
        anywhere[half],
        anywhere[most],
        anywhere.last().unwrap()
    );
}

#[test]
fn independent_causes_are_all_found() {
    let mut random = Random(11);
    for _ in 0..500 {
        let n = 2 + random.below(20);
        let k = 2 + random.below(3.min(n - 1));
        let set = random.some(n, k);
        let (solution, probes) = run(n, additive(&set));
        assert_eq!(solution.rounds.len(), 1);
        assert_eq!(solution.rounds[0].set, set);
        assert_eq!(solution.rounds[0].causes, set.iter().map(|f| vec![*f]).collect::<Vec<_>>());
        assert!(probes <= bound(n), "{probes} for {set:?} of {n}");
    }
}

#[test]
fn what_acts_only_together_is_one_cause() {
    let mut random = Random(13);
    for _ in 0..500 {
        let n = 2 + random.below(20);
        let k = 2 + random.below(3.min(n - 1));
        let set = random.some(n, k);
        let (solution, probes) = run(n, together(&set));
        assert_eq!(solution.rounds.len(), 1);
        assert_eq!(solution.rounds[0].causes, std::slice::from_ref(&set));
        assert!(probes <= bound(n), "{probes} for {set:?} of {n}");
    }
}

#[test]
fn two_that_suffice_each_are_both_found() {
    let either = |set: &Set| if set.contains(&3) || set.contains(&8) { Outcome::B } else { Outcome::A };
    let (solution, _) = run(12, either);
    let sets: Vec<_> = solution.rounds.iter().map(|round| round.set.clone()).collect();
    assert_eq!(sets, [vec![3], vec![8]]);
    assert_eq!(solution.without, Outcome::A);
}

/// OPENBLAS_NUM_THREADS wins over OMP_NUM_THREADS: B's result needs the first alone, and without it the second moves it.
#[test]
fn what_another_masks_is_found_too() {
    let masks = |set: &Set| match (set.contains(&2), set.contains(&5)) {
        (true, _) => Outcome::B,
        (_, true) => Outcome::Other(1),
        _ => Outcome::A,
    };
    let (solution, _) = run(9, masks);
    let sets: Vec<_> =
        solution.rounds.iter().map(|round| (round.set.clone(), round.target.clone())).collect();
    assert_eq!(sets, [(vec![2], Outcome::B), (vec![5], Outcome::Other(1))]);
}

#[test]
fn a_pair_and_a_single_one() {
    let both = |set: &Set| match (set.contains(&1) && set.contains(&6), set.contains(&4)) {
        (true, true) => Outcome::B,
        (true, false) => Outcome::Other(1),
        (false, true) => Outcome::Other(2),
        _ => Outcome::A,
    };
    let (solution, _) = run(10, both);
    assert_eq!(solution.rounds.len(), 1);
    assert_eq!(solution.rounds[0].causes, [vec![1, 6], vec![4]]);
}

/// One that does nothing alone and changes what another does.
#[test]
fn what_acts_only_with_another_belongs_to_it() {
    let with = |set: &Set| match (set.contains(&1), set.contains(&6)) {
        (true, true) => Outcome::B,
        (true, false) => Outcome::Other(1),
        _ => Outcome::A,
    };
    assert_eq!(run(10, with).0.rounds[0].causes, [vec![1, 6]]);
}

/// Crashes at random, and the answer is right all the same: it reaches B, nothing of it can be left out, and within
/// ddmin's bound.
#[test]
fn crashes_in_mixtures() {
    let mut random = Random(17);
    for case in 0..500_u64 {
        let n = 3 + random.below(12);
        let k = 1 + random.below(2);
        let set = random.some(n, k);
        let truth = additive(&set);
        // A quarter of the mixtures crash; the ends and the true set do not.
        let crashes = |s: &Set| {
            let mut hash =
                Random(s.iter().fold(case + 1, |h, f| h.wrapping_mul(1_000_003) ^ (*f as u64 + 7)) | 1);
            let whole = s.is_empty() || s.len() == n || s.iter().copied().collect::<Vec<_>>() == set;
            !whole && hash.below(4) == 0
        };
        let outcome = |s: &Set| if crashes(s) { Outcome::Unresolved("crash".to_owned()) } else { truth(s) };
        let (solution, probes) = run(n, outcome);
        let found: Set = solution.rounds[0].set.iter().copied().collect();
        assert_eq!(outcome(&found), Outcome::B);
        for f in &found {
            let mut less = found.clone();
            less.remove(f);
            assert_ne!(outcome(&less), Outcome::B, "{found:?} is not minimal");
        }
        assert!(probes <= bound(n) + k, "{probes} for {set:?} of {n}");
    }
}

/// Outcomes without any sense to them: the answer is minimal and the bound holds.
#[test]
fn any_outcomes_at_all() {
    for seed in 1..300_u64 {
        let n = 2 + (seed % 9) as usize;
        let truth = |s: &Set| {
            if s.is_empty() {
                return Outcome::A;
            }
            if s.len() == n {
                return Outcome::B;
            }
            let mut hash =
                Random(s.iter().fold(seed, |h, f| h.wrapping_mul(6_364_136_223) ^ (*f as u64 + 3)) | 1);
            match hash.below(5) {
                0 => Outcome::B,
                1 => Outcome::Other(1),
                2 => Outcome::Unresolved(String::new()),
                _ => Outcome::A,
            }
        };
        let mut oracle = Simulated::new(truth);
        let Ok(set) = minimal(&mut oracle, &prior(n), &(0..n).collect::<Vec<_>>(), &Outcome::B);
        let set: Set = set.into_iter().collect();
        assert_eq!(truth(&set), Outcome::B);
        for f in &set {
            let mut less = set.clone();
            less.remove(f);
            assert_ne!(truth(&less), Outcome::B);
        }
        assert!(oracle.probes(n) <= bound(n), "{} of {n}", oracle.probes(n));
    }
}

#[test]
fn side_by_side_gives_the_same() {
    for width in [2, 4] {
        for f in 0..20 {
            let mut oracle = Simulated { width, ..Simulated::new(together(&[f])) };
            let Ok(solution) = solve(&mut oracle, &prior(20));
            assert_eq!(solution.rounds[0].causes, [vec![f]]);
        }
    }
}
