//! From which tensor size seeded CUDA random numbers differ between two GPUs.
//!
//! ATen gives each thread of a grid its own Philox subsequence, and sizes the grid by the device:
//! `calc_execution_policy` in aten/src/ATen/native/cuda/DistributionTemplates.h (PyTorch 2.11): blocks of 256 threads,
//! `grid = min(sm_count * (max_threads_per_sm / 256), ceil(numel / 256))`. While the tensor is no larger than the
//! smaller device's grid, both devices run the same grid, and the numbers agree.

use crate::snapshot::{FactPath, Looked, Snapshot};

/// ATen's `block_size_bound`.
const BLOCK: i64 = 256;

/// Threads of the largest grid that ATen starts for a random kernel on the snapshot's first GPU.
fn wave(snapshot: &Snapshot) -> Option<i64> {
    let fact = |name: &str| match snapshot.look(&FactPath::new(["gpu", "0", name])) {
        Looked::Value(value) => value.as_int(),
        _ => None,
    };
    let blocks = fact("sm_count")?.checked_mul(fact("max_threads_per_sm")? / BLOCK)?;
    blocks.checked_mul(BLOCK).filter(|w| *w > 0)
}

/// The sentence.
pub(super) fn predict(a: &Snapshot, b: &Snapshot) -> Option<String> {
    let (x, y) = (wave(a)?, wave(b)?);
    if x == y {
        return Some(format!(
            "both GPUs draw in waves of {x} threads: seeded random tensors of any size agree as far as the grid decides"
        ));
    }
    Some(format!(
        "one wave is {x} threads on A and {y} on B: seeded random tensors agree up to {} elements and differ above",
        x.min(y)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    fn gpu(sm: i64, threads: i64) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.facts.insert(FactPath::new(["gpu", "0", "sm_count"]), Value::Int(sm));
        snapshot.facts.insert(FactPath::new(["gpu", "0", "max_threads_per_sm"]), Value::Int(threads));
        snapshot
    }

    #[test]
    fn p100_against_k80() {
        // Compute capability 6.0: 56 SMs of 2048 threads; 3.7: 13 SMs of 2048 (CUDA C++ Programming Guide, appendix).
        let text = predict(&gpu(56, 2048), &gpu(13, 2048)).unwrap();
        assert!(text.contains("up to 26624 elements"), "{text}");
        assert!(predict(&gpu(132, 2048), &Snapshot::default()).is_none());
    }
}
