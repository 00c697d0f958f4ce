//! Calculations that add figures of the pair to a finding. One file each, named by a rule's `predict`.

mod cuda_rng;

use crate::snapshot::Snapshot;

/// The names that a rule's `predict` may give.
pub const NAMES: [&str; 1] = ["cuda-rng"];

/// A sentence with figures, where the snapshots hold what the calculation needs.
pub fn predict(name: &str, a: &Snapshot, b: &Snapshot) -> Option<String> {
    match name {
        "cuda-rng" => cuda_rng::predict(a, b),
        _ => None,
    }
}
