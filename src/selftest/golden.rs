//! What the controls must give, computed here: integers, copies, conversions, IEEE additions and products. No library
//! is asked. Division, square root and reciprocal are no controls: MKL's square root is not correctly rounded on every
//! code path.

use std::collections::BTreeMap;

use half::{bf16, f16};

use super::digest::{hex, leaf};
use super::inputs::{grid, indices, small};

/// Operation to output to the first 16 digits of its digest.
pub type Golden = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

/// The golden values of PyTorch's controls.
pub fn golden() -> Golden {
    let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let i64s = |values: &[i64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let mut all = Golden::new();
    let mut say = |id, output, dtype: &str, dims: &[i64], bytes: &[u8]| {
        let digest = hex(&leaf(output, dtype, dims, bytes)[..8]);
        all.entry(id).or_default().insert(output, digest);
    };

    let hashed: Vec<i64> = indices(1, 65536, 1 << 24)
        .map(|x| ((x * 2_654_435_761 + 12345) ^ (x * 40503)) & 0xffff_ffff)
        .collect();
    let sums: Vec<i64> = running(&hashed);
    say("ctl.int_hash", "y", "i64", &[65536], &i64s(&hashed));
    say("ctl.int_hash", "sum", "i64", &[], &i64s(&sums[sums.len() - 1..]));
    say("ctl.int_hash", "cumsum", "i64", &[65536], &i64s(&sums));

    let floats = |seed, n, scale| grid(seed, n, 23, scale).map(|v| v as f32).collect::<Vec<f32>>();
    let (a, b) = (floats(2, 65536, 3), floats(3, 65536, 0));
    let pairs = || a.iter().zip(&b);
    say("ctl.ieee_basic", "add", "f32", &[65536], &f32s(&pairs().map(|(a, b)| a + b).collect::<Vec<_>>()));
    say("ctl.ieee_basic", "mul", "f32", &[65536], &f32s(&pairs().map(|(a, b)| a * b).collect::<Vec<_>>()));

    let a = floats(4, 65536, 3);
    let halves: Vec<u8> = a.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
    let brains: Vec<u8> = a.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
    let whole: Vec<u8> = a.iter().flat_map(|v| ((v * 1000.0) as i32).to_le_bytes()).collect();
    say("ctl.cast", "f16", "f16", &[65536], &halves);
    say("ctl.cast", "bf16", "bf16", &[65536], &brains);
    say("ctl.cast", "i32", "i32", &[65536], &whole);

    say("ctl.matmul_exact_int", "y", "f32", &[128, 128], &f32s(&product()));

    let mut bins = vec![0i64; 256];
    for (bin, value) in indices(7, 65536, 256).zip(indices(8, 65536, 1 << 20)) {
        bins[bin as usize] += value;
    }
    say("ctl.scatter_add_int", "y", "i64", &[256], &i64s(&bins));

    let [transposed, flipped, rolled] = layouts(&floats(9, 3 * 64 * 65, 0));
    say("ctl.layout", "t", "f32", &[65, 3, 64], &f32s(&transposed));
    say("ctl.layout", "flip", "f32", &[3, 64, 65], &f32s(&flipped));
    say("ctl.layout", "roll", "f32", &[3, 64, 65], &f32s(&rolled));

    let keys: Vec<i64> = indices(241, 16384, 64).collect();
    let mut order: Vec<i64> = (0..16384).collect();
    order.sort_by_key(|i| keys[*i as usize]);
    let sorted: Vec<f32> = order.iter().map(|i| keys[*i as usize] as f32).collect();
    say("ord.sort_stable", "v", "f32", &[16384], &f32s(&sorted));
    say("ord.sort_stable", "i", "i64", &[16384], &i64s(&order));
    all
}

fn running(values: &[i64]) -> Vec<i64> {
    let mut sum = 0;
    values
        .iter()
        .map(|v| {
            sum += v;
            sum
        })
        .collect()
}

/// 128x512 times 512x128 of whole numbers from -8 to 7: every partial sum is exact in every precision.
fn product() -> Vec<f32> {
    let (a, b): (Vec<f64>, Vec<f64>) = (small(5, 128 * 512).collect(), small(6, 512 * 128).collect());
    let cell = |i: usize, j: usize| (0..512).map(|k| a[i * 512 + k] * b[k * 128 + j]).sum::<f64>() as f32;
    (0..128 * 128).map(|at| cell(at / 128, at % 128)).collect()
}

/// A tensor of 3x64x65 with its last dimension in front, with its second reversed, and with its last moved by 7.
fn layouts(a: &[f32]) -> [Vec<f32>; 3] {
    let at = |i: usize, j: usize, k: usize| a[(i * 64 + j) * 65 + k];
    let transposed = (0..65 * 3 * 64).map(|n| at(n / 64 % 3, n % 64, n / 192)).collect();
    let flipped = (0..a.len()).map(|n| at(n / (64 * 65), 63 - n / 65 % 64, n % 65)).collect();
    let rolled = (0..a.len()).map(|n| at(n / (64 * 65), n / 65 % 64, (n % 65 + 65 - 7) % 65)).collect();
    [transposed, flipped, rolled]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::catalogue::{Library, Tier, of};

    #[test]
    fn every_control_has_golden_values() {
        let golden = golden();
        for operation in of(Library::Torch).operations.iter().filter(|o| o.tier == Tier::Control) {
            assert!(golden.contains_key(operation.id.as_str()), "{}", operation.id);
        }
    }
}
