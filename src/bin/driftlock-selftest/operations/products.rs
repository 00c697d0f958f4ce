//! Matrix products, convolutions, linear algebra, Fourier transforms.

use driftlock::selftest::inputs::hashes;
use tch::{Kind, TchError, Tensor};

use super::{NONE, Operation, Outputs, backward, channels_last, op};
use crate::context::Context;

/// The operations of this file.
pub(super) fn all() -> Vec<Operation> {
    vec![
        op("mm.f64_256", Kind::Double, |c| product(c, 256, 256, 256, 30)),
        op("mm.f32_512", Kind::Float, |c| product(c, 512, 512, 512, 32)),
        op("mm.f32_odd", Kind::Float, |c| product(c, 127, 129, 1031, 34)),
        op("mm.f32_splitk", Kind::Float, |c| product(c, 32, 32, 32768, 36)),
        op("mm.f32_gemv", Kind::Float, |c| product(c, 1, 1024, 1024, 38)),
        op("mm.f32_dot", Kind::Float, mm_f32_dot),
        op("mm.f32_tn", Kind::Float, mm_f32_tn),
        op("mm.f16_512", Kind::Half, |c| product(c, 512, 512, 512, 44)),
        op("mm.f16_splitk", Kind::Half, |c| product(c, 64, 64, 8192, 46)),
        op("mm.bf16_512", Kind::BFloat16, |c| product(c, 512, 512, 512, 48)),
        op("mm.bf16_splitk", Kind::BFloat16, |c| product(c, 64, 64, 8192, 50)),
        op("mm.f32_bmm", Kind::Float, mm_f32_bmm),
        op("mm.linear_bias", Kind::Float, |c| linear(c, 54, 0)),
        op("mm.linear_bias_bf16", Kind::BFloat16, |c| linear(c, 58, 0)),
        op("mm.linear_bias_bf16_spread", Kind::BFloat16, |c| linear(c, 340, 4)),
        op("mm.batch_invariance", Kind::Float, mm_batch_invariance),
        op("mm.bf16_spread", Kind::BFloat16, mm_bf16_spread),
        op("mm.f16_spread", Kind::Half, mm_f16_spread),
        op("mm.f64_52bit", Kind::Double, mm_f64_52bit),
        op("conv.2d_3x3", Kind::Float, |c| conv2d(c, 4, 16, 28, 32, 3, 1, 1, 1, 70)),
        op("conv.2d_1x1", Kind::Float, |c| conv2d(c, 4, 64, 14, 64, 1, 1, 0, 1, 74)),
        op("conv.2d_7x7_s2", Kind::Float, |c| conv2d(c, 2, 3, 64, 32, 7, 2, 3, 1, 78)),
        op("conv.2d_depthwise", Kind::Float, |c| conv2d(c, 2, 32, 28, 32, 3, 1, 1, 32, 82)),
        op("conv.2d_mnist1", Kind::Float, |c| conv2d(c, 16, 1, 28, 32, 3, 1, 0, 1, 86)),
        op("conv.2d_bf16", Kind::BFloat16, |c| conv2d(c, 4, 16, 28, 32, 3, 1, 1, 1, 90)),
        op("conv.1d", Kind::Float, conv_1d),
        op("conv.3d", Kind::Float, conv_3d),
        op("conv.transpose2d", Kind::Float, conv_transpose2d),
        op("fft.c2c_r2c", Kind::Float, fft_c2c_r2c),
        op("la.solve", Kind::Float, la_solve),
        op("la.cholesky", Kind::Float, la_cholesky),
        op("la.qr", Kind::Float, la_qr),
        op("la.eigh", Kind::Float, la_eigh),
        op("la.svd", Kind::Float, la_svd),
        op("la.inv_det", Kind::Float, la_inv_det),
        op("mm.f32_wide_range", Kind::Float, mm_f32_wide_range),
        op("conv.2d_channels_last", Kind::Float, conv_2d_channels_last),
    ]
}

fn mm_f32_dot(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(40, &[65536], 0).f_dot(&c.x(41, &[65536], 0))?)])
}

fn mm_f32_tn(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(42, &[384, 256], 0).f_tr()?.f_matmul(&c.x(43, &[320, 384], 0).f_tr()?)?)])
}

fn mm_f32_bmm(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(52, &[16, 64, 96], 0).f_bmm(&c.x(53, &[16, 96, 64], 0))?)])
}

fn mm_batch_invariance(c: &Context) -> Outputs {
    let (x, w) = (c.x(62, &[64, 1024], 0), c.x(63, &[1024, 512], 0));
    Ok(vec![
        ("in_batch", x.f_matmul(&w)?.f_narrow(0, 5, 1)?.f_contiguous()?),
        ("alone", x.f_narrow(0, 5, 1)?.f_matmul(&w)?),
        ("half", x.f_narrow(0, 0, 8)?.f_matmul(&w)?.f_narrow(0, 5, 1)?.f_contiguous()?),
    ])
}

fn mm_bf16_spread(c: &Context) -> Outputs {
    let (a, b) = (
        c.x(320, &[64, 8192], 0) * c.powers(321, &[64, 8192], 4),
        c.x(322, &[8192, 64], 0) * c.powers(323, &[8192, 64], 4),
    );
    Ok(vec![("y", a.f_matmul(&b)?)])
}

fn mm_f16_spread(c: &Context) -> Outputs {
    let (a, b) = (
        c.x(324, &[64, 8192], 0) * c.powers(325, &[64, 8192], 2),
        c.x(326, &[8192, 64], 0) * c.powers(327, &[8192, 64], 2),
    );
    Ok(vec![("y", a.f_matmul(&b)?)])
}

fn mm_f64_52bit(c: &Context) -> Outputs {
    let grid = |seed: u32| {
        let pairs = hashes(seed, 65536).zip(hashes(seed + 1000, 65536));
        let values = pairs.map(|(high, low)| (i64::from(high) << 20 | i64::from(low) >> 12) - (1 << 51));
        let values: Vec<f64> = values.map(|k| k as f64 * 2f64.powi(-51)).collect();
        c.place(&values, &[256, 256])
    };
    Ok(vec![("y", grid(328).f_matmul(&grid(329))?)])
}

fn conv_1d(c: &Context) -> Outputs {
    let (x, w) = (c.param(94, &[4, 16, 256], 0), c.param(95, &[32, 16, 5], -3));
    let y = x.f_conv1d(&w, NONE, [1], [2], [1], 1)?;
    backward(c, y, 96, &[&x, &w], &["y", "dx", "dw"])
}

fn conv_3d(c: &Context) -> Outputs {
    let (x, w) = (c.param(97, &[2, 8, 10, 10, 10], 0), c.param(98, &[16, 8, 3, 3, 3], -3));
    let y = x.f_conv3d(&w, NONE, [1, 1, 1], [1, 1, 1], [1, 1, 1], 1)?;
    backward(c, y, 99, &[&x, &w], &["y", "dx", "dw"])
}

fn conv_transpose2d(c: &Context) -> Outputs {
    let (x, w) = (c.param(100, &[4, 32, 14, 14], 0), c.param(101, &[32, 16, 3, 3], -3));
    let y = x.f_conv_transpose2d(&w, NONE, [2, 2], [1, 1], [1, 1], 1, [1, 1])?;
    backward(c, y, 102, &[&x, &w], &["y", "dx", "dw"])
}

fn fft_c2c_r2c(c: &Context) -> Outputs {
    let x = c.x(270, &[16, 1000], 0);
    Ok(vec![
        ("rfft", x.f_fft_rfft(None, -1, "backward")?.f_view_as_real()?.f_contiguous()?),
        (
            "fft512",
            c.x(271, &[16, 512], 0).f_fft_fft(None, -1, "backward")?.f_view_as_real()?.f_contiguous()?,
        ),
    ])
}

fn la_solve(c: &Context) -> Outputs {
    Ok(vec![("x", Tensor::f_linalg_solve(&positive_definite(c, 64, 280)?, &c.x(281, &[64, 4], 0), true)?)])
}

fn la_cholesky(c: &Context) -> Outputs {
    Ok(vec![("l", positive_definite(c, 64, 282)?.f_linalg_cholesky(false)?)])
}

fn la_qr(c: &Context) -> Outputs {
    let (q, r) = Tensor::f_linalg_qr(&c.x(283, &[96, 64], 0), "reduced")?;
    Ok(vec![("q", q), ("r", r)])
}

fn la_eigh(c: &Context) -> Outputs {
    let (w, v) = positive_definite(c, 64, 284)?.f_linalg_eigh("L")?;
    Ok(vec![("w", w), ("absv", v.f_abs()?)])
}

fn la_svd(c: &Context) -> Outputs {
    let (u, s, _) = c.x(285, &[96, 64], 0).f_svd(true, true)?;
    Ok(vec![("s", s), ("absu", u.f_abs()?)])
}

fn la_inv_det(c: &Context) -> Outputs {
    let a = positive_definite(c, 48, 286)?;
    Ok(vec![("inv", a.f_inverse()?), ("slogdet", a.f_slogdet()?.1)])
}

fn mm_f32_wide_range(c: &Context) -> Outputs {
    let a = c.x(302, &[64, 256], 0) * c.powers(303, &[64, 1], 24);
    Ok(vec![("y", a.f_matmul(&c.x(304, &[256, 64], 0))?)])
}

fn conv_2d_channels_last(c: &Context) -> Outputs {
    let (x, w) = (c.x(305, &[4, 16, 28, 28], 0), c.param(306, &[32, 16, 3, 3], -3));
    let x = channels_last(&x)?;
    let y = x.f_conv2d(&w, NONE, [1, 1], [1, 1], [1, 1], 1)?;
    backward(c, y, 307, &[&x, &w], &["y", "dx", "dw"])
}

/// A matrix product of m x k and k x n.
fn product(c: &Context, m: i64, n: i64, k: i64, seed: u32) -> Outputs {
    Ok(vec![("y", c.x(seed, &[m, k], 0).f_matmul(&c.x(seed + 1, &[k, n], 0))?)])
}

/// A fully connected layer with bias, forward and backward; operands scaled by 2^-spread..2^spread.
fn linear(c: &Context, seed: u32, spread: u32) -> Outputs {
    let (mut x, mut w, b) =
        (c.x(seed, &[64, 768], 0), c.x(seed + 1, &[256, 768], -4), c.bias(seed + 2, &[256], 0));
    if spread > 0 {
        x = x.f_mul(&c.powers(seed + 4, &[64, 768], spread))?;
        w = w.f_mul(&c.powers(seed + 5, &[256, 768], spread))?;
    }
    let (x, w) = (x.set_requires_grad(true), w.set_requires_grad(true));
    let y = x.f_linear(&w, Some(&b))?;
    backward(c, y, seed + 3, &[&x, &w, &b], &["y", "dx", "dw", "db"])
}

/// A 2-D convolution with bias, forward and backward.
#[expect(
    clippy::too_many_arguments,
    reason = "the numbers that describe a convolution, in their usual order"
)]
fn conv2d(
    c: &Context,
    n: i64,
    channels: i64,
    size: i64,
    out: i64,
    kernel: i64,
    stride: i64,
    padding: i64,
    groups: i64,
    seed: u32,
) -> Outputs {
    let x = c.param(seed, &[n, channels, size, size], 0);
    let w = c.param(seed + 1, &[out, channels / groups, kernel, kernel], -3);
    let b = c.bias(seed + 2, &[out], 0);
    let y = x.f_conv2d(&w, Some(&b), [stride; 2], [padding; 2], [1, 1], groups)?;
    backward(c, y, seed + 3, &[&x, &w, &b], &["y", "dx", "dw", "db"])
}

fn positive_definite(c: &Context, n: i64, seed: u32) -> Result<Tensor, TchError> {
    let a = c.x(seed, &[n, n], 0);
    a.f_matmul(&a.f_tr()?)?.f_add(&(Tensor::f_eye(n, (c.kind, c.device))? * (n as f64)))
}
