//! Figures of a difference, pair by pair.

use super::Figures;
use crate::outputs::dtype::Number;

/// Takes pairs of elements one after the other.
pub(super) struct Pairs {
    number: Option<Number>,
    figures: Figures,
    finite: u64,
    sum_abs: f64,
    sum_rel: f64,
    sum_ulp: f64,
    max_ulp: u64,
    /// Sums of squares of the difference and of both sides, and the scale that keeps them in range.
    squares: [f64; 3],
}

/// The sums of squares of a difference, to be added up over tensors.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Energy {
    pub(super) difference: f64,
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Energy {
    /// `norm(a - b) / max(norm(a), norm(b))`; 0 where both are 0.
    pub(super) fn relative(self) -> f64 {
        let scale = self.a.max(self.b);
        if scale > 0.0 {
            (self.difference / scale).sqrt()
        } else if self.difference > 0.0 {
            1.0
        } else {
            0.0
        }
    }

    pub(super) fn add(&mut self, other: Self, times: f64) {
        self.difference += other.difference * times;
        self.a += other.a * times;
        self.b += other.b * times;
    }
}

impl Pairs {
    /// Pairs of this type; ulps are counted where both sides have it and it is a floating-point type.
    pub(super) fn new(number: Option<Number>) -> Self {
        let number = number.filter(|n| n.is_float());
        Self {
            number,
            figures: Figures::default(),
            finite: 0,
            sum_abs: 0.0,
            sum_rel: 0.0,
            sum_ulp: 0.0,
            max_ulp: 0,
            squares: [0.0; 3],
        }
    }

    /// The next pair, and whether its bits differ.
    pub(super) fn add(&mut self, a: f64, b: f64, differs: bool) {
        self.figures.compared += 1;
        if !a.is_finite() || !b.is_finite() {
            self.figures.differing += u64::from(differs);
            self.figures.nonfinite += u64::from(differs);
            return;
        }
        self.finite += 1;
        self.squares[1] += a * a;
        self.squares[2] += b * b;
        if !differs {
            return;
        }
        self.figures.differing += 1;
        let absolute = (a - b).abs();
        let scale = a.abs().max(b.abs());
        let relative = if scale > 0.0 { absolute / scale } else { 0.0 };
        self.squares[0] += absolute * absolute;
        self.sum_abs += absolute;
        self.sum_rel += relative;
        self.figures.max_abs = self.figures.max_abs.max(absolute);
        self.figures.max_rel = self.figures.max_rel.max(relative);
        if let Some(ulps) = self.number.and_then(|number| number.ulps(a, b)) {
            self.max_ulp = self.max_ulp.max(ulps);
            #[expect(clippy::cast_precision_loss, reason = "a mean")]
            (self.sum_ulp += ulps as f64);
        }
    }

    /// The figures, and what they add up to with those of other tensors.
    pub(super) fn finish(mut self, first: Option<Vec<u64>>) -> (Figures, Energy) {
        let [difference, a, b] = self.squares;
        let energy = Energy { difference, a, b };
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let count = self.finite.max(1) as f64;
        self.figures.first = first;
        self.figures.mean_abs = self.sum_abs / count;
        self.figures.mean_rel = self.sum_rel / count;
        if self.number.is_some() {
            self.figures.max_ulp = Some(self.max_ulp);
            self.figures.mean_ulp = Some(self.sum_ulp / count);
        }
        self.figures.relative = energy.relative();
        (self.figures, energy)
    }
}
