//! Inputs as tensors.

use driftlock::selftest::inputs::{Rounding, grid, indices, small};
use std::cell::RefCell;
use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

/// Seed, count, and what else makes inputs: bits and scale, or a modulus.
type Key = (u32, usize, u32, i32, Rounding);

thread_local! {
    /// The inputs of the operation that runs, since its repeats ask for the same again.
    static KNOWN: RefCell<BTreeMap<Key, Tensor>> = RefCell::default();
}

/// Forgets the inputs of an operation.
pub(crate) fn forget() {
    KNOWN.with(|known| known.borrow_mut().clear());
}

/// The known inputs of this key, or those that `make` makes.
fn known(key: Key, make: impl FnOnce() -> Tensor) -> Tensor {
    KNOWN.with(|known| known.borrow_mut().entry(key).or_insert_with(make).shallow_clone())
}

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
        self.placed(&Tensor::from_slice(values), shape)
    }

    /// A copy in this shape, in the kind and on the device of the context.
    fn placed(&self, values: &Tensor, shape: &[i64]) -> Tensor {
        values.to_device_(self.device, self.kind, false, true).view(shape)
    }

    /// Values k / 2^bits * 2^scale, k uniform in [-2^bits, 2^bits).
    pub(crate) fn x(&self, seed: u32, shape: &[i64], scale: i32) -> Tensor {
        let n = count(shape);
        let values = known((seed, n, self.bits(), scale, self.rounding), || {
            let values = grid(seed, n, self.bits(), scale).map(|v| self.rounding.round(v));
            Tensor::from_slice(&values.collect::<Vec<_>>())
        });
        self.placed(&values, shape)
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
        let n = count(shape);
        let values = known((seed, n, modulus, i32::MIN, Rounding::Exact), || {
            Tensor::from_slice(&indices(seed, n, modulus).collect::<Vec<_>>())
        });
        values.to_device_(self.device, Kind::Int64, false, true).view(shape)
    }

    /// Zeros.
    pub(crate) fn zeros(&self, shape: &[i64]) -> Result<Tensor, TchError> {
        Tensor::f_zeros(shape, (self.kind, self.device))
    }
}

fn count(shape: &[i64]) -> usize {
    shape.iter().product::<i64>() as usize
}
