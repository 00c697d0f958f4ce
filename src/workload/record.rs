//! What the analysis has found so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::value::{ARGUMENTS, CLOCK, LOCAL_TIME, SOURCES, Taint};

/// A plain value of a fact.
pub(super) type Plain = crate::snapshot::Value;

/// Everything found. Sets only grow, so that a path that is analysed twice counts once.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) operations: BTreeSet<String>,
    pub(super) imports: BTreeSet<String>,
    pub(super) incomplete: BTreeSet<String>,
    pub(super) reads: BTreeSet<String>,
    pub(super) sets_env: BTreeMap<String, Option<String>>,
    pub(super) seeds: BTreeMap<String, BTreeSet<String>>,
    pub(super) settings: BTreeMap<String, Plain>,
    pub(super) listings: BTreeSet<PathBuf>,
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) workers: BTreeSet<i64>,
    /// Differentiation happens.
    pub(super) backward: bool,
    /// A matrix product by a layer with a bias, whose gradient is a sum over the batch.
    pub(super) bias: bool,
    /// Every argument that the program reads: its name, its value.
    pub(super) arguments: Vec<(String, Option<Plain>)>,
    /// The arguments whose value is used for more than naming an output.
    pub(super) counted: Taint,
    /// How often something was found, whether or not it was known already.
    pub(super) effects: u64,
}

impl Record {
    pub(super) fn operation(&mut self, family: &str) {
        self.effects += 1;
        if !self.operations.contains(family) {
            self.operations.insert(family.to_owned());
        }
    }

    /// A value made from the surroundings is used for what counts.
    pub(super) fn used(&mut self, taint: Taint) {
        self.consumed(taint);
        self.effects += u64::from(taint != 0);
    }

    /// The same, by an output: what is used counts, but the output itself is no effect on anything else.
    pub(super) fn consumed(&mut self, taint: Taint) {
        for (bit, family, _) in SOURCES {
            if taint & bit != 0 && !self.operations.contains(*family) {
                self.operations.insert((*family).to_owned());
            }
        }
        self.counted |= taint >> ARGUMENTS << ARGUMENTS;
    }

    /// A value is printed.
    pub(super) fn printed(&mut self, taint: Taint) {
        // A given time in the local zone is a result; the present one stands in logs.
        if taint & LOCAL_TIME != 0 && taint & CLOCK == 0 {
            self.operations.insert("python.time.local".to_owned());
        }
        for (bit, family, counts) in SOURCES {
            if taint & bit != 0 && *counts {
                self.operations.insert((*family).to_owned());
            }
        }
    }

    pub(super) fn read(&mut self, fact: impl Into<String>) {
        self.reads.insert(fact.into());
    }

    pub(super) fn seed(&mut self, generator: &str, value: String) {
        self.effects += 1;
        self.seeds.entry(generator.to_owned()).or_default().insert(value);
    }

    /// The bit of an argument, made known here: `None` for its value where that is not plain.
    pub(super) fn argument(&mut self, name: &str, value: Option<Plain>) -> Taint {
        let index = match self.arguments.iter().position(|(n, _)| n == name) {
            Some(index) => index,
            None => {
                self.arguments.push((name.to_owned(), value));
                self.arguments.len() - 1
            }
        };
        // The bits end somewhere: the arguments beyond share the last one.
        1 << (ARGUMENTS as usize + index).min(63)
    }

    /// Whether the argument at `index` counts.
    pub(super) fn counts(&self, index: usize) -> bool {
        self.counted & (1 << (ARGUMENTS as usize + index).min(63)) != 0
    }
}
