//! Makes two snapshots speak of the same things by the same paths: devices are matched by identity and kind, not by
//! index, and a package that was renamed is one package.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{FactPath, Facts, Snapshot, Value};

/// `b` with its facts renamed so that they match those of `a`.
pub fn align<'b>(a: &Snapshot, b: &'b Snapshot) -> Cow<'b, Snapshot> {
    let mut b = Cow::Borrowed(b);
    let gpus = match_gpus(a, &b);
    if gpus.iter().any(|(from, to)| from != to) {
        rename(b.to_mut(), |path| match path.segments() {
            [section, index, rest @ ..] if section == "gpu" => {
                let to = gpus.get(index)?;
                Some(FactPath::new([section, to].into_iter().chain(rest)))
            }
            _ => None,
        });
        topology(b.to_mut(), &gpus);
    }
    let packages = renamed_packages(a, &b);
    if !packages.is_empty() {
        rename(b.to_mut(), |path| match path.segments() {
            [python, table, name, rest @ ..] if python == "python" && table == "packages" => {
                let to = packages.get(name)?;
                Some(FactPath::new([python, table, to].into_iter().chain(rest)))
            }
            _ => None,
        });
    }
    b
}

fn rename(snapshot: &mut Snapshot, to: impl Fn(&FactPath) -> Option<FactPath>) {
    for facts in [&mut snapshot.facts, &mut snapshot.private, &mut snapshot.volatile] {
        *facts = std::mem::take(facts).into_iter().map(|(path, v)| (to(&path).unwrap_or(path), v)).collect();
    }
    snapshot.unknown = std::mem::take(&mut snapshot.unknown)
        .into_iter()
        .map(|(path, why)| (to(&path).unwrap_or(path), why))
        .collect();
}

/// `gpu.*.topology` has an entry for each device, in the order of devices: the new order.
fn topology(b: &mut Snapshot, gpus: &BTreeMap<String, String>) {
    let number = |index: &str| index.parse::<usize>().ok();
    let moves: Vec<(usize, usize)> =
        gpus.iter().filter_map(|(from, to)| Some((number(from)?, number(to)?))).collect();
    for (path, value) in &mut b.facts {
        let is_topology = path.section() == "gpu" && path.segments().last().is_some_and(|s| s == "topology");
        let Value::List(items) = value else { continue };
        if is_topology && moves.iter().all(|(from, to)| *from.max(to) < items.len()) {
            let old = items.clone();
            moves.iter().for_each(|(from, to)| items[*to] = old[*from].clone());
        }
    }
}

/// The indices of GPUs in a snapshot.
fn indices(snapshot: &Snapshot) -> BTreeSet<String> {
    let index = |path: &FactPath| {
        let index = path.segments().get(1)?;
        (path.section() == "gpu" && index.bytes().all(|b| b.is_ascii_digit())).then(|| index.clone())
    };
    snapshot.facts.keys().chain(snapshot.private.keys()).filter_map(index).collect()
}

fn fact<'a>(facts: &'a Facts, index: &str, name: &str) -> Option<&'a Value> {
    facts.get(&FactPath::new(["gpu", index, name]))
}

/// Index in `b` to index in `a`: the same device by its UUID first, then one of the same kind, the lower index
/// first; what is left keeps an index that is free.
fn match_gpus(a: &Snapshot, b: &Snapshot) -> BTreeMap<String, String> {
    let by_number = |set: BTreeSet<String>| {
        let mut list: Vec<String> = set.into_iter().collect();
        list.sort_by_key(|i| i.parse::<u64>().unwrap_or(u64::MAX));
        list
    };
    let (mut left, mut right) = (by_number(indices(a)), by_number(indices(b)));
    let mut map = BTreeMap::new();
    let kind = |s: &Snapshot, i: &str| -> Vec<Option<Value>> {
        ["vendor", "name", "compute_capability", "memory_total", "sm_count", "mig_mode"]
            .iter()
            .map(|n| fact(&s.facts, i, n).cloned())
            .collect()
    };
    type Alike<'f> = &'f dyn Fn(&str, &str) -> bool;
    let same_uuid = |x: &str, y: &str| match (fact(&a.private, x, "uuid"), fact(&b.private, y, "uuid")) {
        (Some(x), Some(y)) => x == y,
        _ => false,
    };
    // Same index and kind before another index of that kind, so that nothing moves without need.
    let same_place = |x: &str, y: &str| x == y && kind(a, x) == kind(b, y);
    let same_kind = |x: &str, y: &str| kind(a, x) == kind(b, y);
    let same_index = |x: &str, y: &str| x == y;
    let passes: [Alike<'_>; 4] = [&same_uuid, &same_place, &same_kind, &same_index];
    for alike in passes {
        right.retain(|y| match left.iter().position(|x| alike(x, y)) {
            Some(at) => {
                map.insert(y.clone(), left.remove(at));
                false
            }
            None => true,
        });
    }
    // A device without a partner keeps its index unless that is taken.
    let mut taken: BTreeSet<String> = map.values().cloned().chain(left).collect();
    for y in right {
        let free = std::iter::once(y.clone())
            .chain((0..).map(|n: u64| n.to_string()))
            .find(|n| !taken.contains(n))
            .unwrap_or_else(|| y.clone());
        taken.insert(free.clone());
        map.insert(y, free);
    }
    map
}

/// Name in `b` to the name of the same package in `a`, for packages that only one side has under its name.
fn renamed_packages(a: &Snapshot, b: &Snapshot) -> BTreeMap<String, String> {
    let names = |s: &Snapshot| -> BTreeSet<String> {
        let name = |path: &FactPath| match path.segments() {
            [python, table, name, ..] if python == "python" && table == "packages" => Some(name.clone()),
            _ => None,
        };
        s.facts.keys().filter_map(name).collect()
    };
    let (in_a, in_b) = (names(a), names(b));
    let mut only_a: BTreeMap<String, &String> = in_a.difference(&in_b).map(|n| (stem(n), n)).collect();
    in_b.difference(&in_a).filter_map(|n| Some((n.clone(), only_a.remove(&stem(n))?.clone()))).collect()
}

/// The name of a package without what its publisher puts behind it for a variant: NVIDIA's wheels lost their
/// `-cu12` with CUDA 13 (`nvidia-cublas-cu12`, `nvidia-cublas`), others name the CUDA release or the device.
fn stem(name: &str) -> String {
    let name = name.replace("-cuda12", "-cuda").replace("-cuda13", "-cuda").replace("-cuda11", "-cuda");
    for suffix in
        ["-cu11", "-cu12", "-cu13", "-cpu", "-gpu", "-headless", "-intel", "-rocm", "-cuda12x", "-cuda11x"]
    {
        if let Some(stem) = name.strip_suffix(suffix) {
            return stem.to_owned();
        }
    }
    name
}
