//! Which precision computed a product, told from its error and not from a flag: the reference whose operands were
//! rounded as TF32 or bf16 round them is the one that the output is near to.

use serde::{Deserialize, Serialize};

use super::inputs::Rounding;
use super::result::Output;

/// Octaves by which the best hypothesis must be better than the next. In simulation the least margin of 258
/// classifications was 6.7.
const MARGIN: f64 = 3.0;

/// log2 of the relative L2 error above which the true hypothesis fits badly for f32: sequential f32 sums over 32768
/// terms stay below; three bf16 products in place of one (bf16x3) give -18.
const SHORT: f64 = -18.5;

/// What computed a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Operands as given.
    Full,
    /// Operands as given and an error that is too large for f32 sums: operands split into bf16 parts.
    Split,
    /// Operands rounded to TF32.
    Tf32,
    /// Operands cut off to TF32.
    Tf32Truncated,
    /// Operands rounded to bf16.
    Bf16,
    /// No hypothesis fits.
    Unclear,
}

impl Precision {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Full => "full f32",
            Self::Split => "f32 from bf16 parts",
            Self::Tf32 => "TF32",
            Self::Tf32Truncated => "TF32, truncated",
            Self::Bf16 => "bf16",
            Self::Unclear => "no known rounding",
        }
    }
}

/// The precision of one output, and the margin in octaves; nothing where it holds no hypotheses.
pub fn of_output(output: &Output) -> Option<(Precision, f64)> {
    let mut ranked: Vec<(Rounding, f64)> = output
        .hypotheses
        .iter()
        .filter_map(|(word, log2)| Some((Rounding::of(word)?, *log2)))
        .filter(|(_, log2)| log2.is_finite())
        .collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let (best, next) = (ranked.first()?, ranked.get(1)?);
    let margin = next.1 - best.1;
    let precision = match best.0 {
        _ if margin < MARGIN => Precision::Unclear,
        // The error of a few values is chance.
        Rounding::Exact if best.1 > SHORT && output.signature.as_ref().is_none_or(|s| s.n > 4) => {
            Precision::Split
        }
        Rounding::Exact => Precision::Full,
        Rounding::Tf32 => Precision::Tf32,
        Rounding::Tf32Truncated => Precision::Tf32Truncated,
        Rounding::Bf16 => Precision::Bf16,
    };
    Some((precision, margin))
}

/// The precision of an operation: the coarsest of its outputs. (The gradient of a bias is a sum without products, full
/// on every machine.)
pub fn of_operation<'a>(outputs: impl Iterator<Item = &'a Output>) -> Option<Precision> {
    outputs.filter_map(of_output).map(|(precision, _)| precision).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(exact: f64, tf32: f64, truncated: f64, bf16: f64) -> Output {
        let all = [("exact", exact), ("tf32", tf32), ("tf32-truncated", truncated), ("bf16", bf16)];
        Output { hypotheses: all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(), ..Output::default() }
    }

    #[test]
    fn the_table_of_simulated_precisions_is_read_right() {
        // log2 relative L2 errors of 128x128x1024 products.
        let told = |o: Output| of_output(&o).map(|(p, _)| p);
        assert_eq!(told(output(-21.5, -11.9, -10.5, -8.9)), Some(Precision::Full));
        assert_eq!(told(output(-11.9, -21.6, -10.3, -8.9)), Some(Precision::Tf32));
        assert_eq!(told(output(-10.5, -10.3, -21.6, -8.9)), Some(Precision::Tf32Truncated));
        assert_eq!(told(output(-8.9, -8.9, -8.9, -23.1)), Some(Precision::Bf16));
        assert_eq!(told(output(-18.0, -11.9, -10.5, -8.9)), Some(Precision::Split));
        assert_eq!(told(output(-9.7, -9.8, -9.5, -8.7)), Some(Precision::Unclear));
        assert_eq!(told(Output::default()), None);
    }
}
