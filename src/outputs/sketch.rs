//! The digest and the sketch of a tensor, from its bytes in order.
//!
//! The bytes are canonical: little-endian, C order, no padding. `docs/reference/outputs.md` shows the recipes.

use sha2::{Digest as _, Sha256};

use super::dtype::Dtype;
use super::model::{Content, Sketch, shape_text};
use crate::snapshot::digest::{prefixed, sha256};

/// Samples of a tensor that has more numbers than this.
pub const SAMPLES: u64 = 64;

/// Where the samples of `count` numbers lie: every position up to [`SAMPLES`] numbers, else
/// `floor(i * (count - 1) / 63)` for `i` from 0 to 63, so that the first and the last are among them.
pub fn positions(count: u64) -> impl Iterator<Item = u64> {
    let last = u128::from(count.saturating_sub(1));
    let steps = count.min(SAMPLES);
    (0..steps).map(
        move |i| {
            if count <= SAMPLES { i } else { (u128::from(i) * last / u128::from(SAMPLES - 1)) as u64 }
        },
    )
}

/// Takes a tensor's bytes piece by piece.
pub struct Sketcher {
    dtype: Dtype,
    hash: Sha256,
    figures: Figures,
}

impl Sketcher {
    /// A sketch of `count` elements of this type. Where the count is not known before the end, `None`: then the
    /// samples are given by the caller.
    pub fn new(dtype: &Dtype, count: Option<u64>) -> Self {
        let parts = if matches!(dtype, Dtype::Complex(_)) { 2 } else { 1 };
        let numbers = count.unwrap_or(0).saturating_mul(parts);
        let positions = positions(numbers).collect();
        Self { dtype: dtype.clone(), hash: Sha256::new(), figures: Figures::new(positions) }
    }

    /// The next bytes; whole elements.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        let Some(number) = self.dtype.number() else { return };
        let figures = &mut self.figures;
        // One loop per common type, so that the decoding is inlined.
        match number {
            super::dtype::Number::Float32 => {
                for part in bytes.as_chunks::<4>().0 {
                    figures.add(f64::from(f32::from_le_bytes(*part)), u64::from(u32::from_le_bytes(*part)));
                }
            }
            super::dtype::Number::Float64 => {
                for part in bytes.as_chunks::<8>().0 {
                    figures.add(f64::from_le_bytes(*part), u64::from_le_bytes(*part));
                }
            }
            number => {
                for part in bytes.chunks_exact(number.size()) {
                    let mut bits = [0; 8];
                    bits[..part.len()].copy_from_slice(part);
                    figures.add(number.decode(part), u64::from_le_bytes(bits));
                }
            }
        }
    }

    /// The content of a tensor of this shape.
    pub fn finish(self, shape: &[u64]) -> Content {
        let sketch = self.dtype.number().map(|_| self.figures.finish());
        Content { digest: tensor_digest(self.dtype.name(), shape, self.hash), sketch }
    }

    /// [`Self::finish`] with samples that the caller picked.
    pub fn finish_with(mut self, shape: &[u64], samples: Vec<f64>) -> Content {
        self.figures.samples = samples;
        self.finish(shape)
    }
}

/// `sha256:…` of the line `DTYPE SHAPE HEX` that ends with a line feed, `HEX` being the SHA-256 of the bytes.
pub fn tensor_digest(dtype: &str, shape: &[u64], bytes: Sha256) -> String {
    let inner = prefixed(&bytes.finalize());
    let inner = inner.strip_prefix("sha256:").unwrap_or(&inner);
    sha256(format!("{dtype} {} {inner}\n", shape_text(shape)).as_bytes())
}

/// The running figures.
struct Figures {
    seen: u64,
    next: u64,
    positions: std::vec::IntoIter<u64>,
    samples: Vec<f64>,
    /// Sums of squares of the numbers that are small, usual and large, each scaled into a double's range (the three
    /// accumulators of J. L. Blue, "A portable Fortran program to find the Euclidean norm of a vector", 1978).
    squares: [f64; 3],
    range: Option<(f64, f64)>,
    nans: u64,
    infs: u64,
    multiset: u64,
}

/// Numbers beyond these are scaled before they are squared.
const SMALL: f64 = f64::from_bits((1023 - 500) << 52);
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);
/// 2^600 and its inverse.
const UP: f64 = f64::from_bits((1023 + 600) << 52);
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);

impl Figures {
    fn new(positions: Vec<u64>) -> Self {
        let samples = Vec::with_capacity(positions.len());
        let mut positions = positions.into_iter();
        let next = positions.next().unwrap_or(u64::MAX);
        Self {
            seen: 0,
            next,
            positions,
            samples,
            squares: [0.0; 3],
            range: None,
            nans: 0,
            infs: 0,
            multiset: 0,
        }
    }

    #[inline]
    fn add(&mut self, x: f64, bits: u64) {
        self.multiset = self.multiset.wrapping_add(mix(bits));
        if self.seen == self.next {
            self.samples.push(x);
            self.next = self.positions.next().unwrap_or(u64::MAX);
        }
        self.seen += 1;
        if x.is_finite() {
            let magnitude = x.abs();
            if magnitude > LARGE {
                self.squares[2] += (x * DOWN) * (x * DOWN);
            } else if magnitude < SMALL {
                self.squares[0] += (x * UP) * (x * UP);
            } else {
                self.squares[1] += x * x;
            }
            self.range = Some(match self.range {
                Some((low, high)) => (if x < low { x } else { low }, if x > high { x } else { high }),
                None => (x, x),
            });
        } else if x.is_nan() {
            self.nans += 1;
        } else {
            self.infs += 1;
        }
    }

    fn finish(self) -> Sketch {
        let [small, usual, large] = self.squares;
        let norm = if large > 0.0 {
            (large + usual * DOWN * DOWN).sqrt() * UP
        } else if usual > 0.0 {
            (usual + small * DOWN * DOWN).sqrt()
        } else {
            small.sqrt() * DOWN
        };
        Sketch {
            norm,
            range: self.range,
            nans: self.nans,
            infs: self.infs,
            multiset: self.multiset,
            samples: self.samples,
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), of the element's bits plus its odd constant.
pub fn mix(bits: u64) -> u64 {
    let z = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
