//! The training programs of the guides on reproducibility. Dropout masks are hashed, so that training can be compared
//! between machines whose random streams differ; optimiser steps are written out.

use tch::{Kind, Reduction, TchError, Tensor};

use super::{NONE, Operation, Outputs, op, parameters};
use crate::context::Context;

/// The operations of this file.
pub(super) fn all() -> Vec<Operation> {
    vec![
        op("train.cnn_sgd", Kind::Float, |c| simple_cnn(c, false)),
        op("train.cnn_adam", Kind::Float, |c| simple_cnn(c, true)),
        op("train.rnn_sgd", Kind::Float, rnn_sgd),
        op("train.rnn_ce", Kind::Float, rnn_ce),
        op("train.mnist_sgd", Kind::Float, mnist_sgd),
    ]
}

fn zeros_like(p: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
    p.iter().map(Tensor::f_zeros_like).collect()
}

fn gradients(loss: &Tensor, p: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
    Tensor::f_run_backward(&[loss], &p.iter().collect::<Vec<_>>(), false, false)
}

/// The losses and the parameters at these places.
fn outcome(losses: &[Tensor], p: &[Tensor], named: &[(&'static str, usize)]) -> Outputs {
    let mut out = vec![("losses", Tensor::f_stack(losses, 0)?)];
    out.extend(named.iter().map(|(name, at)| (*name, p[*at].detach())));
    Ok(out)
}

const WEIGHTS: [(&str, usize); 5] =
    [("w_conv1", 0), ("w_conv2", 2), ("w_fc1", 4), ("w_fc2", 6), ("b_fc2", 7)];

/// SimpleCNN: conv 1-32-64 of kernel 3, max-pool, dropout, fc 9216-128-10, negative log likelihood; three steps.
fn simple_cnn(c: &Context, adam: bool) -> Outputs {
    let mut p = vec![
        c.param(9001, &[32, 1, 3, 3], -1),
        c.param(9002, &[32], -2),
        c.param(9003, &[64, 32, 3, 3], -4),
        c.param(9004, &[64], -4),
        c.param(9005, &[128, 9216], -6),
        c.param(9006, &[128], -6),
        c.param(9007, &[10, 128], -3),
        c.param(9008, &[10], -3),
    ];
    let (mut m, mut v) = (zeros_like(&p)?, zeros_like(&p)?);
    let (mut losses, n) = (Vec::new(), 16);
    for step in 0..3 {
        let seed = 9100 + 10 * step;
        let (x, y) = (c.x(seed, &[n, 1, 28, 28], 0), c.indices(seed + 1, &[n], 10));
        let mask1 = c.indices(seed + 2, &[n, 64, 12, 12], 4).f_ne(0)?.f_to_kind(c.kind)? * (4.0 / 3.0);
        let mask2 = c.indices(seed + 3, &[n, 128], 2).f_to_kind(c.kind)? * 2.0;
        let z = x.f_conv2d(&p[0], Some(&p[1]), [1, 1], [0, 0], [1, 1], 1)?.f_relu()?;
        let z = z.f_conv2d(&p[2], Some(&p[3]), [1, 1], [0, 0], [1, 1], 1)?.f_relu()?;
        let z = z.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?.f_mul(&mask1)?.f_flatten(1, -1)?;
        let z = z.f_linear(&p[4], Some(&p[5]))?.f_relu()?.f_mul(&mask2)?;
        let z = z.f_linear(&p[6], Some(&p[7]))?;
        let loss = z.f_log_softmax(-1, None)?.f_nll_loss(&y, NONE, Reduction::Mean, -100)?;
        let g = gradients(&loss, &p)?;
        losses.push(loss.detach());
        for i in 0..p.len() {
            let next = if adam {
                m[i] = &m[i] * 0.9 + &g[i] * (1.0 - 0.9);
                v[i] = &v[i] * 0.999 + (&g[i] * &g[i]) * (1.0 - 0.999);
                let power = step as i32 + 1;
                let (b1, b2) = (1.0 - 0.9f64.powi(power), 1.0 - 0.999f64.powi(power));
                p[i].detach() - (&m[i] / b1) / ((&v[i] / b2).f_sqrt()? + 1e-8) * 1e-3
            } else {
                p[i].detach() - &g[i] * 0.0625
            };
            p[i] = next.set_requires_grad(true);
        }
    }
    outcome(&losses, &p, &WEIGHTS)
}

/// The last output of RNN 10-20 on a batch of 32 sequences of 5.
fn rnn_last(c: &Context, p: &[Tensor], x: &Tensor) -> Result<Tensor, TchError> {
    let h = c.zeros(&[1, 32, 20])?;
    let (y, _) = x.f_rnn_tanh(&h, &p[..4].iter().collect::<Vec<_>>(), true, 1, 0.0, true, false, false)?;
    y.f_select(0, 4)
}

fn plain_sgd(p: &mut [Tensor], loss: &Tensor, rate: f64) -> Result<(), TchError> {
    let gradients = gradients(loss, p)?;
    for (p, g) in p.iter_mut().zip(gradients) {
        *p = (p.detach() - g * rate).set_requires_grad(true);
    }
    Ok(())
}

/// RNN 10-20 and a linear layer to one number, squared error, five steps.
fn rnn_sgd(c: &Context) -> Outputs {
    let mut p = parameters(c, 1, 10, 20, 9301);
    p.push(c.param(9305, &[1, 20], -2));
    let mut losses = Vec::new();
    for step in 0..5 {
        let z = rnn_last(c, &p, &c.x(9310 + step, &[5, 32, 10], 0))?.f_linear(&p[4], NONE)?;
        let e = z - c.x(9330 + step, &[32, 1], 0);
        let loss = (&e * &e).f_mean(c.kind)?;
        losses.push(loss.detach());
        plain_sgd(&mut p, &loss, 0.125)?;
    }
    outcome(&losses, &p, &[("wi", 0), ("wh", 1), ("wo", 4)])
}

/// SimpleRNN: RNN 10-20, a linear layer to 4 classes, cross-entropy, five steps.
fn rnn_ce(c: &Context) -> Outputs {
    let mut p = parameters(c, 1, 10, 20, 9401);
    p.extend([c.param(9405, &[4, 20], -2), c.param(9406, &[4], -2)]);
    let mut losses = Vec::new();
    for step in 0..5 {
        let z = rnn_last(c, &p, &c.x(9410 + step, &[5, 32, 10], 0))?.f_linear(&p[4], Some(&p[5]))?;
        let y = c.indices(9430 + step, &[32], 4);
        let loss = z.f_log_softmax(-1, None)?.f_nll_loss(&y, NONE, Reduction::Mean, -100)?;
        losses.push(loss.detach());
        plain_sgd(&mut p, &loss, 0.125)?;
    }
    outcome(&losses, &p, &[("wi", 0), ("wh", 1), ("wo", 4), ("bo", 5)])
}

/// The small MNIST network: conv 1-10-20 of kernel 5, dropout, fc 320-50-10, SGD with momentum 0.5, three steps.
fn mnist_sgd(c: &Context) -> Outputs {
    let mut p = vec![
        c.param(9501, &[10, 1, 5, 5], -2),
        c.param(9502, &[10], -2),
        c.param(9503, &[20, 10, 5, 5], -3),
        c.param(9504, &[20], -3),
        c.param(9505, &[50, 320], -4),
        c.param(9506, &[50], -4),
        c.param(9507, &[10, 50], -2),
        c.param(9508, &[10], -2),
    ];
    let (mut momentum, mut losses, n) = (zeros_like(&p)?, Vec::new(), 16);
    let half = |z: Tensor| z.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?.f_relu();
    for step in 0..3 {
        let seed = 9600 + 10 * step;
        let (x, y) = (c.x(seed, &[n, 1, 28, 28], 0), c.indices(seed + 1, &[n], 10));
        let mask1 = c.indices(seed + 2, &[n, 20, 1, 1], 2).f_to_kind(c.kind)? * 2.0;
        let mask2 = c.indices(seed + 3, &[n, 50], 2).f_to_kind(c.kind)? * 2.0;
        let z = half(x.f_conv2d(&p[0], Some(&p[1]), [1, 1], [0, 0], [1, 1], 1)?)?;
        let z = half(z.f_conv2d(&p[2], Some(&p[3]), [1, 1], [0, 0], [1, 1], 1)?.f_mul(&mask1)?)?;
        let z = z.f_flatten(1, -1)?.f_linear(&p[4], Some(&p[5]))?.f_relu()?.f_mul(&mask2)?;
        let z = z.f_linear(&p[6], Some(&p[7]))?;
        let loss = z.f_log_softmax(-1, None)?.f_nll_loss(&y, NONE, Reduction::Mean, -100)?;
        let g = gradients(&loss, &p)?;
        losses.push(loss.detach());
        for i in 0..p.len() {
            momentum[i] = &momentum[i] * 0.5 + &g[i];
            p[i] = (p[i].detach() - &momentum[i] * 0.0625).set_requires_grad(true);
        }
    }
    outcome(&losses, &p, &WEIGHTS)
}
