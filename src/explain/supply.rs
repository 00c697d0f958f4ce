//! What a list of packages says of a framework where nothing else does: `pip freeze` against `pip freeze`.

use std::borrow::Cow;

use super::scope::FRAMEWORKS;
use crate::snapshot::{FactPath, Looked, Snapshot};

/// Both sides with the version of each framework, from their packages, where neither side has looked at the framework
/// itself. Only where neither has: a distribution's version and what the library says of itself can differ by the
/// local part (`2.11.0`, `2.11.0+cu130`), which would be no difference of the two sides.
pub fn versions<'s>(a: &'s Snapshot, b: Cow<'s, Snapshot>) -> (Cow<'s, Snapshot>, Cow<'s, Snapshot>) {
    let (mut a, mut b) = (Cow::Borrowed(a), b);
    for (name, fact) in FRAMEWORKS {
        let path: FactPath = FactPath::new(fact.split('.'));
        let unseen = |s: &Snapshot| matches!(s.look(&path), Looked::Unknown(_));
        if !unseen(&a) || !unseen(&b) {
            continue;
        }
        for side in [&mut a, &mut b] {
            let listed = distributions(name).iter().find_map(|d| side.facts.get(&package(d)).cloned());
            if let Some(version) = listed {
                side.to_mut().facts.insert(path.clone(), version);
            }
        }
    }
    (a, b)
}

/// Whether the packages are listed and this framework is not among them.
pub fn is_left_out(snapshot: &Snapshot, framework: &str) -> bool {
    let packages = FactPath::new(["python", "packages"]);
    let listed = snapshot.facts.keys().any(|p| packages.covers(p));
    listed && !distributions(framework).iter().any(|d| snapshot.facts.contains_key(&package(d)))
}

fn package(distribution: &str) -> FactPath {
    FactPath::new(["python", "packages", distribution, "version"])
}

/// The names under which a framework is published (normalised as PEP 503 has it).
fn distributions(framework: &str) -> &'static [&'static str] {
    match framework {
        "torch" => &["torch", "pytorch", "torch-cpu"],
        "tensorflow" => &["tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tf-nightly"],
        "jax" => &["jax"],
        "numpy" => &["numpy"],
        "scipy" => &["scipy"],
        "sklearn" => &["scikit-learn"],
        _ => &[],
    }
}
