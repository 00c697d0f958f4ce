//! Inputs as tensors.

use driftlock::selftest::inputs::{Rounding, grid, indices, small};
use tch::{Device, Kind, TchError, Tensor};

/// Makes the inputs of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// Where it computes.
    pub(crate) device: Device,
    /// Decides the grid of the values: a float64 reference computes on the same ones.
    pub(crate) native: Kind,
    /// What it computes in.
    pub(crate) kind: Kind,
    /// A hypothesis about operands of products.
    pub(crate) rounding: Rounding,
}

impl Context {
    fn bits(&self) -> u32 {
        match self.native {
            Kind::Half => 10,
            Kind::BFloat16 => 7,
            _ => 23,
        }
    }

    /// Values in this shape, in the kind and on the device of the context.
    pub(crate) fn place(&self, values: &[f64], shape: &[i64]) -> Tensor {
        Tensor::from_slice(values).to_kind(self.kind).to_device(self.device).view(shape)
    }

    /// Values k / 2^bits * 2^scale, k uniform in [-2^bits, 2^bits).
    pub(crate) fn x(&self, seed: u32, shape: &[i64], scale: i32) -> Tensor {
        let values = grid(seed, count(shape), self.bits(), scale).map(|v| self.rounding.round(v));
        self.place(&values.collect::<Vec<_>>(), shape)
    }

    /// [`Context::x`] with a gradient.
    pub(crate) fn param(&self, seed: u32, shape: &[i64], scale: i32) -> Tensor {
        self.x(seed, shape, scale).set_requires_grad(true)
    }

    /// [`Context::param`] that is added and never multiplied, so that no hypothesis rounds it.
    pub(crate) fn bias(&self, seed: u32, shape: &[i64], scale: i32) -> Tensor {
        Self { rounding: Rounding::Exact, ..*self }.param(seed, shape, scale)
    }

    /// Powers of two from 2^-span to 2^span.
    pub(crate) fn powers(&self, seed: u32, shape: &[i64], span: u32) -> Tensor {
        let exponents = indices(seed, count(shape), 2 * span + 1).map(|k| k as i32 - span as i32);
        self.place(&exponents.map(|k| 2f64.powi(k)).collect::<Vec<_>>(), shape)
    }

    /// Whole numbers from -8 to 7.
    pub(crate) fn small(&self, seed: u32, shape: &[i64]) -> Tensor {
        self.place(&small(seed, count(shape)).collect::<Vec<_>>(), shape)
    }

    /// Whole numbers below `modulus`, as int64.
    pub(crate) fn indices(&self, seed: u32, shape: &[i64], modulus: u32) -> Tensor {
        let values: Vec<i64> = indices(seed, count(shape), modulus).collect();
        Tensor::from_slice(&values).to_device(self.device).view(shape)
    }

    /// Zeros.
    pub(crate) fn zeros(&self, shape: &[i64]) -> Result<Tensor, TchError> {
        Tensor::f_zeros(shape, (self.kind, self.device))
    }
}

fn count(shape: &[i64]) -> usize {
    shape.iter().product::<i64>() as usize
}
