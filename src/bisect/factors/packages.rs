//! Python packages, in groups that must move together, and the interpreter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting};
use crate::bisect::interpreters::{Local, Package, Packages, packages};
use crate::bisect::venv;
use crate::probes::python::names::normalise;
use crate::snapshot::{FactPath, Looked};

/// Packages that are built for one another, by the beginnings of their names: what the vendor releases as one set. Known
/// without metadata; pins (`==`) of the packages that are here say the rest.
const FAMILIES: [(&str, &[&str]); 3] = [
    ("torch", &["torch", "torchvision", "torchaudio", "triton", "pytorch-triton", "nvidia-", "cuda-"]),
    ("jax", &["jax", "jaxlib", "jax-", "ml-dtypes"]),
    ("tensorflow", &["tensorflow", "keras", "tf-keras"]),
];

/// Which name stands for a group, where it is in it.
const HEADS: [&str; 6] = ["torch", "jax", "tensorflow", "numpy", "scipy", "scikit-learn"];

/// Factors of the packages that differ.
pub(super) fn factors(maker: &mut Maker<'_>) {
    let (Some(a), Some(b)) = (packages(maker.a), packages(maker.b)) else {
        return;
    };
    let differing: BTreeSet<&String> = a
        .keys()
        .chain(b.keys())
        .filter(|name| match (a.get(*name), b.get(*name)) {
            (Some(x), Some(y)) => !x.same(y),
            _ => true,
        })
        .collect();
    let interpreter = interpreter(maker);
    if differing.is_empty() && interpreter.is_empty() {
        return;
    }
    let series = |local: &Option<Local>| local.as_ref().and_then(|l| l.interpreter.layout.series.clone());
    let versions = maker.locals.sides.each_ref().map(series);
    if maker.locals.sides.iter().all(Option::is_none) && maker.locals.own.is_none() {
        unavailable(
            maker,
            &differing,
            &interpreter,
            "no Python environment is here to make one from; name the interpreter in COMMAND",
        );
        return;
    }
    if !interpreter.is_empty() && maker.locals.sides.iter().any(Option::is_none) {
        unavailable(maker, &BTreeSet::new(), &interpreter, "only one side's interpreter is here");
    }
    let python = !interpreter.is_empty() && maker.locals.sides.iter().all(Option::is_some);
    // Another minor version of Python takes every package along that has compiled code.
    let moves = python && versions[0] != versions[1];
    let bound = |name: &str| {
        let compiled = |p: Option<&Package>| {
            p.is_some_and(|p| p.tag.as_ref().is_none_or(|t| !t.split(' ').all(|t| t.ends_with("-none-any"))))
        };
        moves && (compiled(a.get(name)) || compiled(b.get(name)))
    };
    let installer = venv::installer(maker.host, maker.locals.own.as_ref());
    let mut usable = BTreeSet::new();
    for name in &differing {
        match obstacle(maker, name, [a.get(*name), b.get(*name)], installer.is_some()) {
            None => drop(usable.insert((*name).clone())),
            Some(why) => unavailable(maker, &BTreeSet::from([*name]), &[], &why),
        }
    }
    let mut groups = group(maker, &usable, &a, &b);
    if python {
        let mut with: Vec<String> = usable.iter().filter(|name| bound(name)).cloned().collect();
        groups.retain_mut(|g| {
            let takes = g.iter().any(|name| with.contains(name));
            if takes {
                with.append(g);
            }
            !takes
        });
        with.sort();
        with.dedup();
        add(maker, "python".to_owned(), Kind::Python, &with, [&a, &b], interpreter);
    }
    for names in groups {
        let head = HEADS.iter().find(|head| names.iter().any(|n| n == *head));
        let head = head.map_or_else(|| names.first().cloned().unwrap_or_default(), |head| (*head).to_owned());
        add(maker, format!("packages.{head}"), Kind::Package, &names, [&a, &b], Vec::new());
    }
}

/// The facts of the interpreter itself that differ.
fn interpreter(maker: &Maker<'_>) -> Vec<FactPath> {
    let version = |s: &crate::snapshot::Snapshot| match s.look(&FactPath::new(["python", "version"])) {
        Looked::Value(value) => Some(value.plain()),
        _ => None,
    };
    let (x, y) = (version(maker.a), version(maker.b));
    if x.is_none() || y.is_none() || x == y {
        return Vec::new();
    }
    let own = |path: &FactPath| {
        path.section() == "python"
            && !matches!(path.segments().get(1).map(String::as_str), Some("packages" | "conda" | "flags"))
    };
    maker.changes().map(|c| c.path.clone()).filter(own).collect()
}

fn unavailable(maker: &mut Maker<'_>, names: &BTreeSet<&String>, facts: &[FactPath], why: &str) {
    let of_names = |path: &FactPath| match path.segments() {
        [python, table, name, what] => {
            python == "python" && table == "packages" && names.contains(name) && what == "version"
        }
        _ => false,
    };
    let paths: Vec<FactPath> = maker.changes().map(|c| c.path.clone()).filter(of_names).collect();
    for path in paths.iter().chain(facts) {
        maker.uncontrolled(path, why);
    }
}

/// Why a package cannot be had in both versions.
fn obstacle(maker: &Maker<'_>, name: &str, sides: [Option<&Package>; 2], installer: bool) -> Option<String> {
    for package in sides.into_iter().flatten() {
        if maker.locals.source(name, package).is_some() {
            continue;
        }
        if package.editable || package.origin.is_some() {
            return Some(format!("{name} {} did not come from an index and is not here", package.version));
        }
        if package.record.is_some() && sides.into_iter().flatten().count() == 2 && same_version(sides) {
            return Some(format!("another build of {name} {}, which is not here", package.version));
        }
        if !installer {
            return Some(format!("{name} {} is not here, and neither uv nor pip is", package.version));
        }
    }
    None
}

fn same_version(sides: [Option<&Package>; 2]) -> bool {
    matches!(sides, [Some(x), Some(y)] if x.version == y.version)
}

/// The names in groups, each in order, the groups by their first name.
fn group(maker: &Maker<'_>, names: &BTreeSet<String>, a: &Packages, b: &Packages) -> Vec<Vec<String>> {
    let mut leader: BTreeMap<String, String> = names.iter().map(|n| (n.clone(), n.clone())).collect();
    let mut join = |x: &str, y: &str| {
        let (Some(from), Some(to)) = (leader.get(x).cloned(), leader.get(y).cloned()) else { return };
        let (from, to) = (from.clone().max(to.clone()), from.min(to));
        leader.values_mut().filter(|l| **l == from).for_each(|l| l.clone_from(&to));
    };
    for (head, members) in FAMILIES {
        if !names.contains(head) {
            continue;
        }
        let member = |n: &String| members.iter().any(|m| n == m || (m.ends_with('-') && n.starts_with(m)));
        names.iter().filter(|n| member(n)).for_each(|n| join(head, n));
    }
    for (side, local) in [a, b].into_iter().zip(&maker.locals.sides) {
        let Some(local) = local else { continue };
        for name in names.iter().filter(|n| side.contains_key(*n)) {
            for pinned in pins(maker, local, name) {
                join(name, &pinned);
            }
        }
    }
    let mut out: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (name, leader) in &leader {
        out.entry(leader).or_default().push(name.clone());
    }
    out.into_values().collect()
}

/// The packages that this one requires in one exact version ("Core metadata", Requires-Dist; PEP 508).
fn pins(maker: &Maker<'_>, local: &Local, name: &str) -> Vec<String> {
    let Some(found) = local.interpreter.distribution(maker.host, name) else { return Vec::new() };
    let Some(text) = maker.host.maybe(found.dist_info.join("METADATA")) else { return Vec::new() };
    let headers = text.split("\n\n").next().unwrap_or_default();
    headers.lines().filter_map(|line| line.strip_prefix("Requires-Dist:")).filter_map(pinned).collect()
}

/// The name of a requirement with an exact version, extras and markers of extras left out.
fn pinned(requirement: &str) -> Option<String> {
    let (what, marker) = requirement.split_once(';').unwrap_or((requirement, ""));
    if marker.contains("extra") || !what.contains("==") || what.contains(".*") {
        return None;
    }
    let end = what.trim().find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))?;
    Some(normalise(&what.trim()[..end]))
}

fn add(
    maker: &mut Maker<'_>,
    id: String,
    kind: Kind,
    names: &[String],
    sides: [&Packages; 2],
    mut facts: Vec<FactPath>,
) {
    let of_names = |path: &FactPath| match path.segments() {
        [python, table, name, ..] => python == "python" && table == "packages" && names.contains(name),
        _ => false,
    };
    facts.extend(maker.changes().map(|c| c.path.clone()).filter(of_names));
    // A finding on torch speaks for `torch.version`, one on NumPy for `numpy.version`.
    let sections: Vec<&str> = names.iter().map(|n| if n == "scikit-learn" { "sklearn" } else { n }).collect();
    let led: Vec<FactPath> = maker
        .changes()
        .map(|c| c.path.clone())
        .filter(|p| {
            sections.contains(&p.section())
                || (p.section() == "cuda"
                    && p.segments().get(1).is_some_and(|s| s == "libraries")
                    && names.iter().any(|n| n.starts_with("nvidia-")))
        })
        .collect();
    facts.extend(led);
    let python = kind == Kind::Python;
    let text = |side: usize| -> String {
        let version = python.then(|| {
            let version = maker.locals.sides[side].as_ref().and_then(|l| l.interpreter.version.clone());
            format!("Python {}", version.unwrap_or_else(|| "?".to_owned()))
        });
        // The one that gives the group its name comes first.
        let first = names.iter().filter(|name| id.ends_with(&format!(".{name}")));
        let others = names.iter().filter(|name| !id.ends_with(&format!(".{name}")));
        let list = first.chain(others).map(|name| match sides[side].get(name) {
            Some(package) => format!("{name} {}", package.version),
            None => format!("no {name}"),
        });
        let all: Vec<String> = version.into_iter().chain(list).collect();
        match all.len() {
            0..=3 => all.join(", "),
            n => format!("{} and {} more", all[0], n - 1),
        }
    };
    let shown = [text(0), text(1)];
    let settings = [0, 1].map(|side| {
        let mut list: Vec<Setting> = names
            .iter()
            .map(|name| Setting::Package {
                name: name.clone(),
                version: sides[side].get(name).map(|p| p.version.clone()),
            })
            .collect();
        if python {
            list.push(Setting::Python(side));
        }
        list
    });
    let (standing, finding) = standing(maker.explanation, &facts);
    maker.add(Factor {
        id,
        kind,
        facts,
        shown,
        how: "in an environment made for it".to_owned(),
        simulated: false,
        standing,
        finding,
        settings,
    });
}

#[cfg(test)]
mod tests {
    use super::pinned;

    #[test]
    fn requirements_that_pin() {
        for (text, name) in [
            (" nvidia-cublas-cu12==12.8.4.1; platform_system == \"Linux\"", Some("nvidia-cublas-cu12")),
            (" Triton==3.6.0", Some("triton")),
            (" foo (==1.0)", Some("foo")),
            (" sympy>=1.13.3", None),
            (" x==1.0; extra == \"y\"", None),
            (" z==1.*", None),
            (" z", None),
        ] {
            assert_eq!(pinned(text).as_deref(), name, "{text}");
        }
    }
}
