//! From a set of factors to everything that a probe sets, and its digest.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use super::engine::Set;
use super::factor::{Factor, Kind, Setting};
use super::factors::tree::Text;
use super::interpreters::{Local, Locals, Packages};
use super::venv::{self, Environment};
use crate::snapshot::{Value, digest::sha256};

/// What all mixtures have in common.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The command.
    pub argv: Vec<OsString>,
    /// Variables whose value counts: every one that a snapshot records.
    pub counted: BTreeSet<String>,
    /// Their values in this process.
    pub here: BTreeMap<String, String>,
    /// What they must be instead, on both sides; `None` takes one away.
    pub common: BTreeMap<String, Option<String>>,
    /// The text of the program.
    pub text: Text,
    /// The packages of both sides.
    pub packages: [Option<Packages>; 2],
    /// Environments that are here.
    pub locals: Locals,
}

/// Everything that a probe sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    /// Variables, labels of paths in their values; `None` is not set.
    pub env: BTreeMap<String, Option<String>>,
    /// The CPUs.
    pub cpus: Option<Vec<u32>>,
    /// The Python environment, where it is a factor.
    pub environment: Option<Environment>,
    /// The text of the program.
    pub text: Text,
    /// Values of configuration files.
    pub config: Vec<(Vec<PathBuf>, Vec<String>, Option<String>)>,
    /// The same values, typed.
    #[serde(skip)]
    pub values: Vec<(Vec<PathBuf>, Vec<String>, Option<Value>)>,
    /// The command, labels of paths in words that a snapshot gave.
    pub argv: Vec<String>,
    /// Words of it, by position, that hold labels.
    pub labelled: BTreeSet<usize>,
}

impl Recipe {
    /// Names this mixture in the cache.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        sha256(text.as_bytes()).trim_start_matches("sha256:").get(..32).unwrap_or_default().to_owned()
    }
}

impl Base {
    /// The recipe of a mixture.
    pub fn recipe(&self, factors: &[Factor], set: &Set) -> Recipe {
        let settings: Vec<&Setting> = factors
            .iter()
            .enumerate()
            .flat_map(|(i, factor)| &factor.settings[usize::from(set.contains(&i))])
            .collect();
        let mut env: BTreeMap<String, Option<String>> =
            self.counted.iter().map(|name| (name.clone(), self.here.get(name).cloned())).collect();
        env.extend(self.common.iter().map(|(name, value)| (name.clone(), value.clone())));
        let hard: BTreeSet<&String> = settings
            .iter()
            .filter_map(|s| match s {
                Setting::Variable { name, value: Some(_), soft: false } => Some(name),
                _ => None,
            })
            .collect();
        let mut recipe = Recipe {
            env: BTreeMap::new(),
            cpus: None,
            environment: None,
            text: self.text.clone(),
            config: Vec::new(),
            values: Vec::new(),
            argv: self.argv.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
            labelled: BTreeSet::new(),
        };
        let mut packages = self.packages[0].clone().unwrap_or_default();
        let mut python = None;
        for setting in settings {
            match setting {
                // A simulation sets what neither the user nor a side has set.
                Setting::Variable { name, value, soft: true } => {
                    let free = !hard.contains(name) && env.get(name).is_none_or(Option::is_none);
                    if free && value.is_some() {
                        env.insert(name.clone(), value.clone());
                    }
                }
                Setting::Variable { name, value, soft: false } => {
                    drop(env.insert(name.clone(), value.clone()))
                }
                Setting::Cpus(cpus) => recipe.cpus = Some(cpus.clone()),
                Setting::Package { name, version } => {
                    packages.remove(name);
                    let all = self.packages.iter().flatten();
                    let found = version.as_ref().and_then(|version| {
                        all.filter_map(|side| side.get(name)).find(|p| p.version == *version).cloned()
                    });
                    if let Some(package) = found {
                        packages.insert(name.clone(), package);
                    }
                }
                Setting::Python(side) => python = Some(*side),
                Setting::Commit(commit) => recipe.text.commit = Some(commit.clone()),
                Setting::Patch(patch) => recipe.text.patch.clone_from(patch),
                Setting::Config { files, key, value } => {
                    recipe.config.push((files.clone(), key.clone(), value.as_ref().map(ToString::to_string)));
                    recipe.values.push((files.clone(), key.clone(), value.clone()));
                }
                Setting::Words { at, count, words } => {
                    let end = (at + count).min(recipe.argv.len());
                    let start = (*at).min(end);
                    recipe.argv.splice(start..end, words.iter().cloned());
                    recipe.labelled.extend(start..start + words.len());
                }
            }
        }
        recipe.env = env;
        if factors.iter().any(|f| matches!(f.kind, Kind::Package | Kind::Python)) {
            recipe.environment = self
                .base(python)
                .map(|base| venv::choose(&self.locals, base, &self.whole(factors, base, packages)));
        }
        recipe
    }

    /// The environment whose interpreter a mixture is made on.
    fn base(&self, python: Option<usize>) -> Option<&Local> {
        let [a, b] = &self.locals.sides;
        match python {
            Some(1) => b.as_ref(),
            Some(_) => a.as_ref(),
            None => a.as_ref().or(self.locals.own.as_ref()).or(b.as_ref()),
        }
    }

    /// The packages, where those that differ and are no factor are the ones of the environment at hand.
    fn whole(&self, factors: &[Factor], base: &Local, mut packages: Packages) -> Packages {
        let [Some(a), Some(b)] = &self.packages else { return packages };
        let controlled: BTreeSet<&String> = factors
            .iter()
            .flat_map(|f| f.settings.iter().flatten())
            .filter_map(|s| if let Setting::Package { name, .. } = s { Some(name) } else { None })
            .collect();
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names.into_iter().filter(|name| !controlled.contains(*name)) {
            let same = matches!((a.get(name), b.get(name)), (Some(x), Some(y)) if x.same(y));
            if same {
                continue;
            }
            match base.packages.get(name) {
                Some(package) => drop(packages.insert(name.clone(), package.clone())),
                None => drop(packages.remove(name)),
            }
        }
        packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Standing;

    fn variable(name: &str, a: Option<&str>, b: Option<&str>, soft: bool) -> Factor {
        let set = |value: Option<&str>| {
            vec![Setting::Variable { name: name.to_owned(), value: value.map(str::to_owned), soft }]
        };
        Factor {
            id: format!("env.{name}"),
            kind: Kind::Variable,
            facts: Vec::new(),
            shown: [String::new(), String::new()],
            how: String::new(),
            simulated: soft,
            standing: Standing::Cause,
            finding: None,
            settings: [set(a), set(b)],
        }
    }

    #[test]
    fn a_mixture_has_each_factor_of_one_side() {
        let base = Base {
            argv: vec!["x".into()],
            counted: BTreeSet::from(["X".to_owned(), "Y".to_owned()]),
            here: BTreeMap::from([("Y".to_owned(), "here".to_owned())]),
            ..Base::default()
        };
        let factors = [variable("X", Some("1"), Some("2"), false), variable("Z", None, Some("3"), false)];
        let env = |set: &[usize]| base.recipe(&factors, &set.iter().copied().collect()).env;
        assert_eq!(env(&[])["X"].as_deref(), Some("1"));
        assert_eq!(env(&[0])["X"].as_deref(), Some("2"));
        assert_eq!(env(&[0])["Z"], None);
        assert_eq!(env(&[1])["Y"].as_deref(), Some("here"));
        let digests: BTreeSet<String> = [&[][..], &[0], &[1], &[0, 1]]
            .map(|set| base.recipe(&factors, &set.iter().copied().collect()).digest())
            .into();
        assert_eq!(digests.len(), 4);
    }

    #[test]
    fn a_simulation_yields_to_what_is_set() {
        let base = Base::default();
        let soft = variable("V", None, Some("avx2"), true);
        let set = Set::from([0]);
        assert_eq!(base.recipe(std::slice::from_ref(&soft), &set).env["V"].as_deref(), Some("avx2"));
        let factors = [soft, variable("V", Some("default"), Some("default"), false)];
        assert_eq!(base.recipe(&factors, &set).env["V"].as_deref(), Some("default"));
    }
}
