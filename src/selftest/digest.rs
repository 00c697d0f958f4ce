//! Digests: output, operation, family, root. A diff walks them from the root.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Sha = [u8; 32];

/// One output: its name, dtype, shape and bytes (row-major, little-endian, every NaN the positive quiet one, -0.0
/// kept).
pub fn leaf(name: &str, dtype: &str, dims: &[i64], bytes: &[u8]) -> Sha {
    let dims = dims.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let mut hash = Sha256::new();
    hash.update(format!("driftlock/leaf/1\n{name}\n{dtype}\n{dims}\n"));
    hash.update(bytes);
    hash.finalize().into()
}

/// An operation, of its outputs in their order.
pub fn operation(id: &str, leaves: &[Sha]) -> Sha {
    let mut hash = Sha256::new();
    hash.update(format!("driftlock/op/1\n{id}\n{}\n", leaves.len()));
    for leaf in leaves {
        hash.update(leaf);
    }
    hash.finalize().into()
}

/// An operation that raised, of what is compared between machines: `raises` on both sides is equal.
pub fn raised(id: &str, compared: &str) -> Sha {
    Sha256::digest(format!("driftlock/raised/1\n{id}\n{compared}")).into()
}

/// A family or the root, of its children's names and digests in the order of names.
pub fn node<'a>(name: &str, children: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("driftlock/node/1\n{name}\n{}\n", children.len()));
    for (name, digest) in children {
        hash.update(format!("{name}\n{digest}\n"));
    }
    hex(&hash.finalize())
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// Replaces every NaN of floats of `dtype` by the positive quiet one: processors differ in its sign and payload.
pub fn canonical_nan(dtype: &str, bytes: &mut [u8]) {
    /// Words of `N` bytes whose bits without the sign are above `infinity`.
    fn replace<const N: usize>(bytes: &mut [u8], infinity: u64, quiet: u64) {
        let (sign, quiet) = (1u64 << (8 * N - 1), quiet.to_le_bytes());
        for word in bytes.chunks_exact_mut(N) {
            let mut bits = [0; 8];
            bits[..N].copy_from_slice(word);
            if u64::from_le_bytes(bits) & !sign > infinity {
                word.copy_from_slice(&quiet[..N]);
            }
        }
    }
    match dtype {
        "f32" => replace::<4>(bytes, 0x7f80_0000, 0x7fc0_0000),
        "f64" => replace::<8>(bytes, 0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0000),
        "f16" => replace::<2>(bytes, 0x7c00, 0x7e00),
        "bf16" => replace::<2>(bytes, 0x7f80, 0x7fc0),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_the_quiet_one_and_a_negative_zero_stays() {
        let mut bytes: Vec<u8> =
            [f32::from_bits(0xffc0_1234), -0.0, f32::INFINITY].iter().flat_map(|f| f.to_le_bytes()).collect();
        canonical_nan("f32", &mut bytes);
        let bits: Vec<u32> =
            bytes.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().expect("four"))).collect();
        assert_eq!(bits, [0x7fc0_0000, 0x8000_0000, 0x7f80_0000]);
    }
}
