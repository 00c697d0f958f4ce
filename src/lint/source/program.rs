//! What is said of a whole program: a module that is started, and those of its own that it imports.
//!
//! Which functions of an imported module run is told by their names alone: one counts that is mentioned by what
//! counts. A seed counts wherever it stands. So a finding needs a draw that may run in a program without any seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Found;
use super::draws::{Draw, Generator, Generators};
use super::summary::{Entry, Import, Spot, Summary, Unit, name_hash};

/// Random numbers are drawn, and nothing seeds their generator.
pub(super) const UNSEEDED: &str = "program-unseeded";
/// scikit-learn draws without a state from a generator that nothing seeds.
pub(super) const SKLEARN: &str = "random-state-missing";
/// A program that trains on CUDA does not ask for deterministic algorithms.
pub(super) const NONDETERMINISTIC: &str = "deterministic-mode-missing";

/// The rules that are judged here.
pub(super) const RULES: [&str; 3] = [NONDETERMINISTIC, UNSEEDED, SKLEARN];

/// Programs of more modules are not judged: what one of them may do is not to be told by names.
const MOST: usize = 300;

/// A module and where it lies.
pub(super) struct Module<'m> {
    pub(super) path: &'m Path,
    pub(super) summary: &'m Summary,
}

/// The paths that an import may mean, the likeliest first. `roots` are the folders that absolute imports start from.
pub(super) fn candidates(import: &Import, from: &Path, roots: &[PathBuf]) -> Vec<Vec<PathBuf>> {
    let folder = from.parent().unwrap_or_else(|| Path::new(""));
    let bases: Vec<PathBuf> = if import.level > 0 {
        folder.ancestors().nth(import.level as usize - 1).map(Path::to_path_buf).into_iter().collect()
    } else {
        let near = folder.ancestors().take_while(|dir| roots.iter().any(|root| dir.starts_with(root)));
        let mut bases: Vec<PathBuf> = near.map(Path::to_path_buf).collect();
        if bases.is_empty() {
            bases.push(folder.to_path_buf());
        }
        bases.extend(roots.iter().flat_map(|root| [root.clone(), root.join("src")]));
        bases
    };
    bases
        .into_iter()
        .map(|base| {
            let mut out = Vec::new();
            let mut at = base;
            for part in import.module.split('.').filter(|p| !p.is_empty()) {
                out.push(at.join("__init__.py"));
                at.push(part);
            }
            if !import.module.is_empty() {
                out.remove(0);
                out.push(at.with_extension("py"));
            }
            out.push(at.join("__init__.py"));
            out.extend(import.names.iter().map(|name| at.join(name).with_extension("py")));
            out
        })
        .collect()
}

/// Which modules import which, found out where it is asked.
struct Graph<'m> {
    modules: &'m [Module<'m>],
    roots: &'m [PathBuf],
    index: HashMap<&'m OsStr, usize>,
    known: Vec<Option<Vec<usize>>>,
}

impl<'m> Graph<'m> {
    fn new(modules: &'m [Module<'m>], roots: &'m [PathBuf]) -> Self {
        let index = modules.iter().enumerate().map(|(i, m)| (m.path.as_os_str(), i)).collect();
        Self { modules, roots, index, known: vec![None; modules.len()] }
    }

    fn resolved(&self, import: &Import, from: &Path) -> Vec<usize> {
        let found = candidates(import, from, self.roots).into_iter().find_map(|paths| {
            let known: Vec<usize> =
                paths.iter().filter_map(|p| self.index.get(p.as_os_str()).copied()).collect();
            (!known.is_empty()).then_some(known)
        });
        found.unwrap_or_default()
    }

    /// The modules that a module imports, in order.
    fn of(&mut self, module: usize) -> &[usize] {
        if self.known[module].is_none() {
            let Module { path, summary } = &self.modules[module];
            let all: BTreeSet<usize> = summary.imports.iter().flat_map(|i| self.resolved(i, path)).collect();
            self.known[module] = Some(all.into_iter().collect());
        }
        self.known[module].as_deref().unwrap_or_default()
    }

    /// Those of these modules that any other one imports.
    fn imported(&self, wanted: &BTreeSet<usize>) -> BTreeSet<usize> {
        let stems: BTreeSet<&str> =
            wanted.iter().filter_map(|i| self.modules[*i].path.file_stem()?.to_str()).collect();
        let mut out = BTreeSet::new();
        if stems.is_empty() {
            return out;
        }
        for (i, Module { path, summary }) in self.modules.iter().enumerate() {
            for import in &summary.imports {
                let last = import.module.rsplit('.').next().unwrap_or_default();
                let named = stems.contains(last) || import.names.iter().any(|n| stems.contains(n.as_str()));
                if named {
                    out.extend(self.resolved(import, path).into_iter().filter(|t| *t != i));
                }
            }
        }
        out
    }
}

/// Judges every program among the modules: the module of each finding, and the finding.
pub(super) fn judge(modules: &[Module<'_>], roots: &[PathBuf]) -> Vec<(usize, Found)> {
    let starts = |entry| {
        let of_kind =
            modules.iter().enumerate().filter(move |(_, m)| m.summary.entry == entry && !is_test(m.path));
        of_kind.map(|(i, _)| i).collect::<BTreeSet<usize>>()
    };
    let mut graph = Graph::new(modules, roots);
    let scripts = starts(Entry::Script);
    let imported = graph.imported(&scripts);
    let mut out = BTreeMap::new();
    for start in starts(Entry::Main).into_iter().chain(scripts.difference(&imported).copied()) {
        program(start, modules, &mut graph, &mut out);
    }
    out.into_iter().map(|((module, _, _), found)| (module, found)).collect()
}

/// Modules that other programs start: tests, and what packages are installed by.
fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    super::is_test(path)
        || matches!(stem, "setup" | "noxfile" | "__init__" | "conf" | "fabfile" | "tasks" | "versioneer")
}

type Out = BTreeMap<(usize, super::Place, &'static str), Found>;

fn program(start: usize, modules: &[Module<'_>], graph: &mut Graph<'_>, out: &mut Out) {
    let Some(members) = members(start, graph) else { return };
    let counted = counted(start, &members, modules);
    let defined: BTreeSet<&str> = members
        .iter()
        .flat_map(|m| &modules[*m].summary.units)
        .filter_map(|unit| unit.name.as_deref())
        .collect();
    let mut seeds = Generators::default();
    let mut deterministic = false;
    for summary in members.iter().map(|m| modules[*m].summary) {
        seeds = seeds.join(summary.seeds);
        // A function of this program that is named so is judged by what it does.
        if summary.seeds_by_name.iter().any(|name| !defined.contains(name.as_str())) {
            seeds = Generators::EVERY;
        }
        deterministic |= summary.deterministic;
    }
    let trains = counted.iter().any(|(_, unit)| unit.backward.is_some() || unit.fits);
    let mut say = |rule: &'static str, module: usize, spot: &Spot, what: String| {
        let found = Found { rule, place: spot.0, what };
        out.entry((module, spot.0, rule)).or_insert(found);
    };
    for generator in Generator::ALL.into_iter().filter(|g| !seeds.has(*g)) {
        if let Some((module, spot)) = first_draw(&counted, generator, trains) {
            let (name, seed) = generator.words();
            say(UNSEEDED, module, spot, format!("{} draws from {name}, without `{seed}`", spot.1));
        }
    }
    if !seeds.has(Generator::NumPy) {
        for (module, unit) in &counted {
            for spot in &unit.sklearn {
                say(SKLEARN, *module, spot, format!("{}(…) without random_state", spot.1));
            }
        }
    }
    let torch = members.iter().any(|m| modules[*m].summary.torch);
    if torch && !deterministic {
        let on_gpu = counted.iter().any(|(_, unit)| unit.cuda);
        let backward =
            counted.iter().find_map(|(m, unit)| unit.backward.as_ref().filter(|_| on_gpu).map(|s| (*m, s)));
        let trainer = counted.iter().find_map(|(m, unit)| unit.trainer.as_ref().map(|s| (*m, s)));
        if let Some((module, spot)) = backward.or(trainer) {
            say(NONDETERMINISTIC, module, spot, format!("{}() trains on CUDA", spot.1));
        }
    }
}

/// The modules of the program, the first one first; `None` where they are too many.
fn members(start: usize, graph: &mut Graph<'_>) -> Option<Vec<usize>> {
    let mut out = vec![start];
    let mut seen = BTreeSet::from([start]);
    let mut next = 0;
    while let Some(module) = out.get(next).copied() {
        next += 1;
        out.extend(graph.of(module).iter().copied().filter(|m| seen.insert(*m)));
        if out.len() > MOST {
            return None;
        }
    }
    Some(out)
}

/// The functions and classes that may run, each with its module.
fn counted<'m>(start: usize, members: &[usize], modules: &'m [Module<'_>]) -> Vec<(usize, &'m Unit)> {
    let units: Vec<(usize, &Unit)> =
        members.iter().flat_map(|m| modules[*m].summary.units.iter().map(|u| (*m, u))).collect();
    let mut chosen = vec![false; units.len()];
    let mut by_name: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (i, (_, unit)) in units.iter().enumerate() {
        if let Some(name) = &unit.name {
            by_name.entry(name_hash(name)).or_default().push(i);
        }
    }
    let mut open: Vec<usize> = Vec::new();
    for (i, (module, unit)) in units.iter().enumerate() {
        if unit.name.is_none()
            || (*module == start && modules[start].summary.entry == Entry::Main && unit.mentions.is_empty())
        {
            chosen[i] = true;
            open.push(i);
        }
    }
    while let Some(i) = open.pop() {
        for name in &units[i].1.mentions {
            for j in by_name.get(name).into_iter().flatten().copied() {
                if !chosen[j] {
                    chosen[j] = true;
                    open.push(j);
                }
            }
        }
    }
    units.into_iter().zip(chosen).filter(|(_, c)| *c).map(|(u, _)| u).collect()
}

/// The first draw of a generator: in the module that is started, else in the others in the order of imports.
fn first_draw<'m>(
    counted: &[(usize, &'m Unit)],
    generator: Generator,
    trains: bool,
) -> Option<(usize, &'m Spot)> {
    let start = counted.first()?.0;
    let mut all: Vec<(bool, usize, &Draw, &Spot)> = counted
        .iter()
        .flat_map(|(m, unit)| unit.draws.iter().map(move |(d, s)| (*m != start, *m, d, s)))
        .filter(|(_, _, draw, _)| draw.generator == generator && (trains || !draw.only_in_training))
        .collect();
    all.sort_by_key(|(other, module, draw, spot)| (*other, *module, draw.only_in_training, spot.0));
    all.first().map(|(_, module, _, spot)| (*module, *spot))
}
