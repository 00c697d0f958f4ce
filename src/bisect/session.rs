//! One bisection from the ground to the verified answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache::{Fault, Seen};
use super::compare;
use super::engine::{self, Oracle, Outcome, Prior, Set, Solution};
use super::factor::{Factor, Kind};
use super::factors;
use super::factors::tree;
use super::mixture::{Base, Recipe};
use super::prober::{Probed, Prober, Task};
use super::start::End;

/// How results are compared and how long a probe may take.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Runs of each end.
    pub repeat: u32,
    /// `--compare`.
    pub tolerance: Option<f64>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
}

/// Where a mixture that is no end gets no limit from the user: so many times what the slowest end took, and this.
const TIMES: u32 = 10;
const AT_LEAST: Duration = Duration::from_secs(60);

/// One row of the table of probes.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is.
    pub what: String,
    /// The factors that have B's value; the ends have none and all.
    pub set: Set,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it was known from an earlier bisection.
    pub cached: bool,
}

/// The ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ground {
    /// The runs of A, then of B; in each pair, the class that a run belongs to, from 0, and how it ended.
    pub runs: [Vec<(usize, String)>; 2],
    /// Whether A and B gave the same.
    pub equal: bool,
    /// The last words of an end that failed.
    pub said: [String; 2],
}

impl Ground {
    /// Whether all runs of a side gave the same.
    pub fn stable(&self, side: usize) -> bool {
        self.runs[side].iter().all(|(class, _)| *class == 0)
    }

    /// Results that the runs of a side gave.
    pub fn distinct(&self, side: usize) -> usize {
        self.runs[side].iter().map(|(class, _)| class + 1).max().unwrap_or(0)
    }
}

/// A range of commits narrowed to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// The commits of which the first one that moves the result is one; one commit, unless others could not be run.
    pub commits: Vec<String>,
    /// How many lie between A's and B's.
    pub among: usize,
    /// The probes that it took.
    pub probes: usize,
    /// Whether B's commit is the older one: then the commit is the last that gives A's result.
    pub reversed: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// An end did not run well: which, and why.
    Failed(usize, String),
    /// An end does not repeat itself.
    Unstable,
    /// The ends give the same.
    Equal,
    /// The causes.
    Causes(Solution, Option<Narrowed>),
}

/// Everything that a bisection learns.
pub struct Session<'s> {
    /// Runs mixtures.
    pub prober: &'s Prober<'s>,
    /// What mixtures have in common.
    pub base: &'s Base,
    /// The factors, ranked.
    pub factors: &'s [Factor],
    /// How.
    pub rules: Rules,
    /// The commits of both sides, where they are a factor.
    pub range: Option<[String; 2]>,
    /// The ends.
    pub ground: Ground,
    /// The table.
    pub rows: Vec<Row>,
    /// The first run of each end.
    pub firsts: [Option<Seen>; 2],
    /// The ends' results, and a third result each.
    classes: Vec<(Seen, PathBuf)>,
    known: BTreeMap<Set, Outcome>,
    slowest: Duration,
}

impl<'s> Session<'s> {
    /// A bisection of these factors.
    pub fn new(
        prober: &'s Prober<'s>,
        base: &'s Base,
        factors: &'s [Factor],
        rules: Rules,
        range: Option<[String; 2]>,
    ) -> Self {
        Self {
            prober,
            base,
            factors,
            rules,
            range,
            ground: Ground::default(),
            rows: Vec::new(),
            firsts: [None, None],
            classes: Vec::new(),
            known: BTreeMap::new(),
            slowest: Duration::ZERO,
        }
    }

    /// All factors.
    fn all(&self) -> Set {
        (0..self.factors.len()).collect()
    }

    /// The folder that the outputs of a run are kept in.
    fn kept(&self, recipe: &Recipe, n: u32) -> PathBuf {
        self.prober.cache.kept(&recipe.digest(), n)
    }

    /// The folders with the outputs of the two ends.
    pub fn ends(&self) -> [PathBuf; 2] {
        [Set::new(), self.all()].map(|set| self.kept(&self.base.recipe(self.factors, &set), 0))
    }

    /// Runs the whole bisection.
    ///
    /// # Errors
    ///
    /// A signal, or an error of the machine.
    pub fn run(&mut self) -> Result<Found, Fault> {
        let search = self.factors.len().max(1).ilog2() + 4;
        self.prober.progress.expect(2 * self.rules.repeat + search);
        if let Some(found) = self.prove_ground()? {
            return Ok(found);
        }
        self.prober.progress.expect(search);
        let groups =
            self.factors.iter().map(|f| f.id.split('.').next().unwrap_or_default().to_owned()).collect();
        let weights =
            self.factors.iter().enumerate().map(|(i, f)| engine::weight(i, factors::worth(f))).collect();
        let prior = Prior { weights, groups };
        let solution = engine::solve(self, &prior)?;
        let narrowed = self.narrow(&solution)?;
        Ok(Found::Causes(solution, narrowed))
    }

    /// A and B in turn, each as often as asked; `None` where both are stable and differ.
    fn prove_ground(&mut self) -> Result<Option<Found>, Fault> {
        let recipes = [Set::new(), self.all()].map(|set| self.base.recipe(self.factors, &set));
        let one = recipes[0] == recipes[1];
        let mut tasks = Vec::new();
        for n in 0..self.rules.repeat.max(1) {
            for (side, recipe) in recipes.iter().enumerate() {
                // Without any factor the ends are one mixture, of which B's runs are further ones.
                let n = if one && side == 1 { n + self.rules.repeat.max(1) } else { n };
                let name = format!("{} ({} of {})", ["A", "B"][side], n + 1, self.rules.repeat.max(1));
                tasks.push((
                    side,
                    Task { recipe: recipe.clone(), n, keep: true, limit: self.rules.timeout, name },
                ));
            }
        }
        let list: Vec<Task> = tasks.iter().map(|(_, task)| task.clone()).collect();
        let probed = self.prober.run(&list)?;
        let mut seen: [Vec<(Seen, PathBuf)>; 2] = [Vec::new(), Vec::new()];
        for ((side, task), probed) in tasks.iter().zip(probed) {
            let set = if *side == 0 { Set::new() } else { self.all() };
            let outcome = if *side == 0 { Outcome::A } else { Outcome::B };
            let what = ["A", "B"][*side].to_owned();
            match probed.seen {
                Ok(run) => {
                    self.slowest = self.slowest.max(Duration::from_millis(run.milliseconds));
                    let folder = self.kept(&task.recipe, task.n);
                    let row = Row { what, set, outcome, cached: probed.cached };
                    self.rows.push(row);
                    let words = run.end.words();
                    if let Some(failed) = unusable(&run) {
                        let said =
                            if run.said.is_empty() { String::new() } else { format!(" ({})", run.said) };
                        return Ok(Some(Found::Failed(*side, format!("{failed}{said}"))));
                    }
                    self.ground.said[*side].clone_from(&run.said);
                    let class = seen[*side]
                        .iter()
                        .position(|(other, at)| {
                            compare::same(other, &run, self.rules.tolerance, [at.as_path(), folder.as_path()])
                        })
                        .and_then(|i| self.ground.runs[*side].get(i).map(|(class, _)| *class));
                    let class = class.unwrap_or_else(|| self.ground.distinct(*side));
                    self.ground.runs[*side].push((class, words));
                    seen[*side].push((run, folder));
                }
                Err(why) => {
                    let outcome = Outcome::Unresolved(why.clone());
                    self.rows.push(Row { what, set, outcome, cached: false });
                    return Ok(Some(Found::Failed(*side, why)));
                }
            }
        }
        let [Some(a), Some(b)] = [0, 1].map(|side: usize| seen[side].first().cloned()) else {
            return Ok(Some(Found::Failed(0, "no run".to_owned())));
        };
        self.firsts = [Some(a.0.clone()), Some(b.0.clone())];
        self.ground.equal = compare::same(&a.0, &b.0, self.rules.tolerance, [&a.1, &b.1]);
        if !self.ground.stable(0) || !self.ground.stable(1) {
            return Ok(Some(Found::Unstable));
        }
        if self.ground.equal {
            if a.0.end != End::Code(0) {
                let why = format!("both sides fail in the same way: {} ({})", a.0.end.words(), a.0.said);
                return Ok(Some(Found::Failed(0, why)));
            }
            return Ok(Some(Found::Equal));
        }
        self.classes = vec![a, b];
        self.known.insert(Set::new(), Outcome::A);
        self.known.insert(self.all(), Outcome::B);
        Ok(None)
    }

    fn limit(&self) -> Option<Duration> {
        Some(self.rules.timeout.unwrap_or_else(|| (self.slowest * TIMES).max(AT_LEAST)))
    }

    /// A task for a mixture in the search.
    fn search(&self, recipe: Recipe, name: String) -> Task {
        Task { recipe, n: 0, keep: self.rules.tolerance.is_some(), limit: self.limit(), name }
    }

    /// What a run is: one of the ends, a third result, or none.
    fn classify(&mut self, probed: &Probed, folder: &Path) -> Outcome {
        let seen = match &probed.seen {
            Ok(seen) => seen,
            Err(why) => return Outcome::Unresolved(why.clone()),
        };
        let at = self
            .classes
            .iter()
            .position(|(class, at)| compare::same(class, seen, self.rules.tolerance, [at, folder]));
        match at {
            Some(0) => Outcome::A,
            Some(1) => Outcome::B,
            Some(n) => Outcome::Other(n - 1),
            None if !compare::whole(seen) => {
                let missing = seen.missing.first().map(|m| format!("wrote no `{m}`"));
                let why =
                    if seen.end == End::Code(0) { missing.unwrap_or_default() } else { seen.end.words() };
                let said = if seen.said.is_empty() { String::new() } else { format!(" ({})", seen.said) };
                Outcome::Unresolved(format!("{why}{said}"))
            }
            None => {
                self.classes.push((seen.clone(), folder.to_path_buf()));
                Outcome::Other(self.classes.len() - 2)
            }
        }
    }

    /// Names of the factors of a set.
    pub fn names(&self, set: &Set) -> Vec<String> {
        set.iter().filter_map(|i| self.factors.get(*i)).map(|f| f.id.clone()).collect()
    }

    fn describe(&self, set: &Set) -> String {
        let half = self.factors.len() / 2;
        if set.len() > half {
            let without: Set = self.all().difference(set).copied().collect();
            return format!("B without {}", few(&self.names(&without)));
        }
        format!("A with {}", few(&self.names(set)))
    }

    /// Where the commit is (part of) a cause: the first commit of the range that moves the result.
    fn narrow(&mut self, solution: &Solution) -> Result<Option<Narrowed>, Fault> {
        let Some([from, to]) = self.range.clone() else { return Ok(None) };
        let commit = self.factors.iter().position(|f| f.kind == Kind::Commit);
        let causes = solution.rounds.iter().flat_map(|round| &round.causes);
        let cause = causes.into_iter().find(|cause| commit.is_some_and(|c| cause.contains(&c)));
        let (Some(commit), Some(cause)) = (commit, cause) else { return Ok(None) };
        let Some((list, reversed)) = tree::path_between(&self.prober.project.root, &from, &to) else {
            return Ok(None);
        };
        let context: Set = cause.iter().copied().filter(|f| *f != commit).collect();
        let before = self.ask_one(context.clone())?;
        // `list` runs from the older to the newer end, without the older: its last one is the newer end.
        let (mut low, mut high) = (0, list.len());
        let mut probes = 0;
        let mut dead = vec![false; list.len() + 1];
        // Invariant: the commit before list[low] gives the older end's result, list[high - 1] another.
        while high - low > 1 {
            let mid = low + (high - low) / 2;
            // The nearest one that was not found to give nothing.
            let mut order: Vec<usize> = (low + 1..high).filter(|i| !dead[*i]).collect();
            order.sort_by_key(|i| i.abs_diff(mid));
            let Some(at) = order.first().copied() else { break };
            let mut recipe = self.base.recipe(self.factors, &context);
            recipe.text.commit = Some(list[at - 1].clone());
            probes += 1;
            let name = format!("commit {} ({at} of {})", short(&list[at - 1]), list.len());
            let folder = self.kept(&recipe, 0);
            let task = self.search(recipe, name.clone());
            let probed = self.prober.run(&[task])?;
            let Some(probed) = probed.into_iter().next() else { break };
            let outcome = self.classify(&probed, &folder);
            self.rows.push(Row {
                what: name,
                set: context.clone(),
                outcome: outcome.clone(),
                cached: probed.cached,
            });
            match outcome {
                Outcome::Unresolved(_) => dead[at] = true,
                // The older end is A's commit, or with `reversed` B's.
                outcome if (outcome == before) != reversed => low = at,
                _ => high = at,
            }
        }
        Ok(Some(Narrowed { commits: list[low..high].to_vec(), among: list.len(), probes, reversed }))
    }

    fn ask_one(&mut self, set: Set) -> Result<Outcome, Fault> {
        Ok(self.ask(&[set])?.into_iter().next().unwrap_or(Outcome::A))
    }
}

/// Why an end cannot stand for its side.
fn unusable(seen: &Seen) -> Option<String> {
    match &seen.end {
        End::TimedOut(_) | End::NotStarted(_) => Some(seen.end.words()),
        End::Code(0) if !seen.missing.is_empty() => {
            Some(format!("it ended well and wrote no `{}`", seen.missing.join("`, `")))
        }
        End::Code(126 | 127) => Some(seen.end.words()),
        _ => None,
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// The first names, and how many more.
pub fn few(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".to_owned(),
        1..=3 => names.join(", "),
        n => format!("{} and {} more", names[..2].join(", "), n - 2),
    }
}

impl Oracle for Session<'_> {
    type Error = Fault;

    fn ask(&mut self, sets: &[Set]) -> Result<Vec<Outcome>, Fault> {
        let mut new: Vec<Set> = sets.iter().filter(|set| !self.known.contains_key(*set)).cloned().collect();
        new.sort();
        new.dedup();
        let tasks: Vec<Task> = new
            .iter()
            .map(|set| self.search(self.base.recipe(self.factors, set), self.describe(set)))
            .collect();
        let probed = self.prober.run(&tasks)?;
        for ((set, task), probed) in new.into_iter().zip(&tasks).zip(&probed) {
            let folder = self.kept(&task.recipe, 0);
            let outcome = self.classify(probed, &folder);
            let what = self.describe(&set);
            self.rows.push(Row { what, set: set.clone(), outcome: outcome.clone(), cached: probed.cached });
            self.known.insert(set, outcome);
        }
        Ok(sets
            .iter()
            .map(|set| {
                self.known.get(set).cloned().unwrap_or_else(|| Outcome::Unresolved("not run".to_owned()))
            })
            .collect())
    }

    fn width(&self) -> usize {
        self.prober.options.jobs.max(1)
    }
}
