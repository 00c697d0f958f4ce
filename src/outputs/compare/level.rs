//! Which level of the effect ladder the magnitude of a difference speaks for.
//!
//! The judged figure is `r = norm(a - b) / max(norm(a), norm(b))` in units of the element type's own precision. It is
//! not the largest relative difference of an element, which is without bound where an element is near zero.
//!
//! | | speaks for | because |
//! | --- | --- | --- |
//! | a tensor more or less, another type or shape | `code` | no arithmetic changes these |
//! | the same elements in another order | `order` | the arithmetic was the same |
//! | `r <= 64 eps` (4 eps for types of 16 bits and fewer) | `rounding` | a sum of n terms in another order moves by about `sqrt(n) eps` of its terms; 64 eps covers the inner products of usual layers (n up to some thousands). In a narrow type each element is rounded once at the end, which moves it by at most one step of eps |
//! | `r < 0.03` | `precision` | TF32 rounds to 11 bits (2^-11 = 5e-4), bfloat16 to 8 (2^-8 = 4e-3); a chain of such operations stays within a few per cent |
//! | `r >= 0.5`, both norms within a factor of 2 | `stream` | two independent tensors of mean zero and one distribution differ by sqrt(2); what remains of common means lowers it |
//! | `r >= 0.5`, norms further apart | `code` | another scale |
//!
//! Between 0.03 and 0.5 nothing is said: amplified rounding, another order of the data and other random numbers all
//! come to lie there. Training amplifies: a difference of one ulp in the first step can be of any size at the end. So
//! the level is evidence, it is a lower bound for nothing, and a proof of nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::element::Energy;
use crate::outputs::dtype::Dtype;

/// A level of the ladder, most severe first; the ones that a magnitude can speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Other code, data or parameters.
    Code,
    /// Other random numbers.
    Stream,
    /// Another order of the data.
    Order,
    /// TF32, bfloat16, reduced accumulation.
    Precision,
    /// The same mathematics, summed in another order.
    Rounding,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Stream => "stream",
            Self::Order => "order",
            Self::Precision => "precision",
            Self::Rounding => "rounding",
        }
    }
}

/// In units of the type's epsilon: up to here a difference is rounding.
const ROUNDING: f64 = 64.0;
/// The same for types whose epsilon is above [`NARROW`].
const ROUNDING_NARROW: f64 = 4.0;
/// An epsilon above this is of a type of 16 bits or fewer.
const NARROW: f64 = 1e-4;
/// Below this a difference is of reduced precision.
const PRECISION: f64 = 0.03;
/// From here on two tensors have nothing but their distribution in common.
const UNRELATED: f64 = 0.5;
/// How far the norms of two tensors of one distribution are apart at most.
const SCALE: f64 = 2.0;

/// The level that a relative difference of floats speaks for: `epsilon` is the type's, `scale` the quotient of the
/// larger norm and the smaller.
pub fn of(relative: f64, epsilon: f64, scale: f64) -> Option<Level> {
    let rounding = if epsilon > NARROW { ROUNDING_NARROW } else { ROUNDING };
    match relative {
        r if r.is_nan() => None,
        r if r <= (rounding * epsilon).min(PRECISION) => Some(Level::Rounding),
        r if r < PRECISION => Some(Level::Precision),
        r if r < UNRELATED => None,
        _ if scale <= SCALE => Some(Level::Stream),
        _ => Some(Level::Code),
    }
}

/// [`of`] for the elements of a tensor; `None` for whole numbers and text, which no rounding changes by a little.
pub(super) fn of_tensor(dtype: &str, energy: Energy) -> Option<Level> {
    let number = Dtype::named(dtype)?.number().filter(|n| n.is_float())?;
    of(energy.relative(), number.epsilon(), scale(energy))
}

pub(super) fn scale(energy: Energy) -> f64 {
    let (low, high) = (energy.a.min(energy.b), energy.a.max(energy.b));
    if high > 0.0 { (high / low).sqrt() } else { 1.0 }
}

/// Why a difference as a whole has its level.
pub(super) fn why(level: Option<Level>, relative: Option<f64>) -> String {
    let size = relative.map(|r| format!(" (relative difference {r:.1e})")).unwrap_or_default();
    match level {
        Some(Level::Code) => {
            "a type, a shape, a name or the scale differs: other code, data or parameters".to_owned()
        }
        Some(Level::Stream) => format!("unrelated numbers of the same scale{size}: other random numbers"),
        Some(Level::Order) => "the same elements in another order".to_owned(),
        Some(Level::Precision) => {
            format!("the size of reduced precision{size}, or of rounding that training amplified")
        }
        Some(Level::Rounding) => {
            format!("the size of rounding{size}: the same mathematics, summed in another order")
        }
        None if relative.is_some_and(|r| r > 0.0) => {
            format!("the size tells nothing{size}: training may have amplified a smaller difference")
        }
        None => "nothing that a magnitude could speak for".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_module() {
        let single = f64::from(f32::EPSILON);
        assert_eq!(of(3.0 * single, single, 1.0), Some(Level::Rounding));
        assert_eq!(of(1e-3, single, 1.0), Some(Level::Precision));
        assert_eq!(of(1e-7, f64::EPSILON, 1.0), Some(Level::Precision));
        assert_eq!(of(0.1, single, 1.0), None);
        assert_eq!(of(1.4, single, 1.1), Some(Level::Stream));
        assert_eq!(of(0.99, single, 100.0), Some(Level::Code));
        assert_eq!(of(0.004, 2_f64.powi(-7), 1.0), Some(Level::Rounding));
        assert_eq!(of(f64::NAN, single, 1.0), None);
    }
}
