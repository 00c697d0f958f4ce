//! Inputs that are the same bits on every machine: only wrapping 32-bit arithmetic and powers of two, no generator
//! of random numbers and no function of libm. Both engines compute the same.

/// The 32-bit finaliser `lowbias32` of `index`, offset by the seed: every bit of the input moves every bit of the
/// output with a chance near one half. <https://nullprogram.com/blog/2018/07/31/>
pub fn hash32(seed: u32, index: u32) -> u32 {
    let mut x = index.wrapping_add(seed.wrapping_mul(0x9E37_79B9));
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// `n` values `k / 2^bits * 2^scale` with `k` uniform in `[-2^bits, 2^bits)`: exact in every type with more than `bits`
/// bits of significand.
pub fn grid(seed: u32, n: usize, bits: u32, scale: i32) -> impl Iterator<Item = f64> {
    let unit = 2f64.powi(scale - bits as i32);
    hashes(seed, n).map(move |h| (i64::from(h >> (31 - bits)) - (1i64 << bits)) as f64 * unit)
}

/// `n` whole numbers below `modulus`.
pub fn indices(seed: u32, n: usize, modulus: u32) -> impl Iterator<Item = i64> {
    hashes(seed, n).map(move |h| i64::from(h % modulus))
}

/// `n` whole numbers from -8 to 7: products and sums of them are exact in every order and precision.
pub fn small(seed: u32, n: usize) -> impl Iterator<Item = f64> {
    indices(seed, n, 16).map(|k| (k - 8) as f64)
}

/// The hashes of `0..n`.
pub fn hashes(seed: u32, n: usize) -> impl Iterator<Item = u32> {
    (0..n as u32).map(move |i| hash32(seed, i))
}

/// What an operand of a product may have been rounded to before it was multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rounding {
    /// Nothing.
    Exact,
    /// TF32 (10 bits of significand), to nearest even.
    Tf32,
    /// TF32, the rest cut off.
    Tf32Truncated,
    /// bfloat16 (7 bits), to nearest even.
    Bf16,
}

impl Rounding {
    /// All of them, the true value first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Tf32, Self::Tf32Truncated, Self::Bf16];

    /// The word of the protocol.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Tf32 => "tf32",
            Self::Tf32Truncated => "tf32-truncated",
            Self::Bf16 => "bf16",
        }
    }

    /// The one of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }

    /// A value of the grid, rounded.
    pub fn round(self, value: f64) -> f64 {
        let bits = (value as f32).to_bits();
        let nearest = |drop: u32| {
            let half = (1u32 << (drop - 1)) - 1;
            bits.wrapping_add(half + ((bits >> drop) & 1)) & !((1 << drop) - 1)
        };
        match self {
            Self::Exact => value,
            Self::Tf32 => f64::from(f32::from_bits(nearest(13))),
            Self::Tf32Truncated => f64::from(f32::from_bits(bits & !0x1fff)),
            Self::Bf16 => f64::from(f32::from_bits(nearest(16))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_exact_in_its_type_and_covers_its_range() {
        let values: Vec<f64> = grid(10, 10_000, 23, 0).collect();
        assert!(values.iter().all(|v| f64::from(*v as f32) == *v && (-1.0..1.0).contains(v)));
        assert!(values.iter().any(|v| *v < -0.99) && values.iter().any(|v| *v > 0.99));
        assert!(grid(10, 10_000, 7, 0).all(|v| Rounding::Bf16.round(v) == v));
    }

    #[test]
    fn rounding_keeps_the_bits_that_the_type_has() {
        let x = 1.0 + f64::from(f32::EPSILON) * 4097.0; // just above half of the last bit of TF32
        assert_eq!(Rounding::Tf32.round(x), 1.0 + 1.0 / 1024.0);
        assert_eq!(Rounding::Tf32Truncated.round(x), 1.0);
        assert_eq!(Rounding::Bf16.round(x), 1.0);
    }
}
