//! The operations as code; what they are for stands in `src/selftest/catalogue.toml`. Always the `f_` forms of tch
//! where there is one: the others panic. (A panic of an operator is caught and reported as an error of its operation.)

mod elementary;
mod indexing;
mod layers;
mod products;
mod training;

use tch::{Kind, TchError, Tensor};

use crate::context::Context;

/// Outputs by name, in order.
pub(crate) type Outputs = Result<Vec<(&'static str, Tensor)>, TchError>;

/// One operation.
pub(crate) struct Operation {
    /// `family.name`.
    pub(crate) id: &'static str,
    /// What it computes in.
    pub(crate) kind: Kind,
    /// Computes it.
    pub(crate) run: fn(&Context) -> Outputs,
}

fn op(id: &'static str, kind: Kind, run: fn(&Context) -> Outputs) -> Operation {
    Operation { id, kind, run }
}

/// Every operation.
pub(crate) fn all() -> Vec<Operation> {
    [elementary::all(), products::all(), layers::all(), indexing::all(), training::all()]
        .into_iter()
        .flatten()
        .collect()
}

const NONE: Option<Tensor> = None;

/// Output and gradients of sum(y * weights) by name; without `y` among the names, the gradients alone.
fn backward(c: &Context, y: Tensor, seed: u32, inputs: &[&Tensor], names: &[&'static str]) -> Outputs {
    let weights = c.x(seed, &y.size(), 0);
    let total = y.f_mul(&weights)?.f_sum(y.kind())?;
    let gradients = Tensor::f_run_backward(&[total], inputs, false, false)?;
    let mut values = if names.first() == Some(&"y") { vec![y] } else { Vec::new() };
    values.extend(gradients);
    Ok(names.iter().copied().zip(values).collect())
}

/// A loss and its gradients by name.
fn loss_backward(loss: Tensor, inputs: &[&Tensor], names: &[&'static str]) -> Outputs {
    let gradients = Tensor::f_run_backward(&[&loss], inputs, false, false)?;
    let mut out = vec![("y", loss)];
    out.extend(names.iter().copied().zip(gradients));
    Ok(out)
}

/// The same values, channels innermost in memory, with a gradient.
fn channels_last(t: &Tensor) -> Result<Tensor, TchError> {
    Ok(t.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?.set_requires_grad(true))
}

/// Weights and biases of one recurrent layer with so many gates.
fn parameters(c: &Context, gates: i64, inputs: i64, hidden: i64, seed: u32) -> Vec<Tensor> {
    vec![
        c.param(seed, &[gates * hidden, inputs], -2),
        c.param(seed + 1, &[gates * hidden, hidden], -2),
        c.param(seed + 2, &[gates * hidden], -2),
        c.param(seed + 3, &[gates * hidden], -2),
    ]
}

/// Seeds every generator, as `torch.manual_seed`.
fn seed(c: &Context, seed: i64) {
    tch::manual_seed(seed);
    if c.device.is_cuda() {
        tch::Cuda::manual_seed_all(seed as u64);
    }
}
