//! Controls, elementwise functions, reductions, scans.

use tch::{Kind, Tensor};

use super::{Operation, Outputs, backward, op};
use crate::context::Context;

/// The operations of this file.
pub(super) fn all() -> Vec<Operation> {
    vec![
        op("ctl.int_hash", Kind::Int64, ctl_int_hash),
        op("ctl.ieee_basic", Kind::Float, ctl_ieee_basic),
        op("ctl.cast", Kind::Float, ctl_cast),
        op("ctl.matmul_exact_int", Kind::Float, ctl_matmul_exact_int),
        op("ctl.scatter_add_int", Kind::Int64, ctl_scatter_add_int),
        op("ctl.layout", Kind::Float, ctl_layout),
        op("ew.transcendental", Kind::Float, ew_transcendental),
        op("ew.transcendental_f64", Kind::Double, ew_transcendental_f64),
        op("ew.activations", Kind::Float, ew_activations),
        op("ew.gelu_bf16", Kind::BFloat16, ew_gelu_bf16),
        op("ew.addcmul", Kind::Float, ew_addcmul),
        op("red.sum_1m", Kind::Float, red_sum_1m),
        op("red.sum_rows", Kind::Float, red_sum_rows),
        op("red.mean_var_std", Kind::Float, red_mean_var_std),
        op("red.prod", Kind::Float, red_prod),
        op("red.sum_f16", Kind::Half, red_sum_f16),
        op("scan.cumsum", Kind::Float, scan_cumsum),
        op("scan.cumprod", Kind::Float, scan_cumprod),
        op("scan.logcumsumexp", Kind::Float, scan_logcumsumexp),
        op("ew.div_scalar", Kind::Float, ew_div_scalar),
        op("scan.cumsum_1d", Kind::Float, scan_cumsum_1d),
    ]
}

fn ctl_int_hash(c: &Context) -> Outputs {
    let x = c.indices(1, &[65536], 1 << 24);
    let y = (&x * 2654435761i64 + 12345i64)
        .f_bitwise_xor_tensor(&(&x * 40503i64))?
        .f_bitwise_and(0xffffffffi64)?;
    Ok(vec![("y", y.shallow_clone()), ("sum", y.f_sum(Kind::Int64)?), ("cumsum", y.f_cumsum(0, None)?)])
}

fn ctl_ieee_basic(c: &Context) -> Outputs {
    let (a, b) = (c.x(2, &[65536], 3), c.x(3, &[65536], 0));
    Ok(vec![
        ("add", &a + &b),
        ("mul", &a * &b),
        ("div", &a / &b),
        ("sqrt", a.f_abs()?.f_sqrt()?),
        ("recip", b.f_reciprocal()?),
    ])
}

fn ctl_cast(c: &Context) -> Outputs {
    let a = c.x(4, &[65536], 3);
    Ok(vec![
        ("f16", a.f_to_kind(Kind::Half)?),
        ("bf16", a.f_to_kind(Kind::BFloat16)?),
        ("i32", (&a * 1000.0).f_to_kind(Kind::Int)?),
    ])
}

fn ctl_matmul_exact_int(c: &Context) -> Outputs {
    Ok(vec![("y", c.small(5, &[128, 512]).f_matmul(&c.small(6, &[512, 128]))?)])
}

fn ctl_scatter_add_int(c: &Context) -> Outputs {
    let z = Tensor::zeros([256], (Kind::Int64, c.device));
    Ok(vec![("y", z.f_scatter_add(0, &c.indices(7, &[65536], 256), &c.indices(8, &[65536], 1 << 20))?)])
}

fn ctl_layout(c: &Context) -> Outputs {
    let a = c.x(9, &[3, 64, 65], 0);
    Ok(vec![
        ("t", a.f_permute([2, 0, 1])?.f_contiguous()?),
        ("flip", a.f_flip([1])?),
        ("roll", a.f_roll([7], [2])?),
    ])
}

fn ew_transcendental(c: &Context) -> Outputs {
    let a = c.x(10, &[16384], 2);
    let p = a.f_abs()? + 0.0625;
    Ok(vec![
        ("exp", a.f_exp()?),
        ("log", p.f_log()?),
        ("sin", a.f_sin()?),
        ("cos", a.f_cos()?),
        ("tanh", a.f_tanh()?),
        ("sigmoid", a.f_sigmoid()?),
        ("erf", a.f_erf()?),
        ("rsqrt", p.f_rsqrt()?),
        ("pow", p.f_pow_tensor_scalar(1.7)?),
        ("lgamma", p.f_lgamma()?),
        ("log1p", p.f_log1p()?),
        ("expm1", a.f_expm1()?),
        ("atan2", a.f_atan2(&p)?),
    ])
}

fn ew_transcendental_f64(c: &Context) -> Outputs {
    let a = c.x(11, &[8192], 2);
    let p = a.f_abs()? + 0.0625;
    Ok(vec![
        ("exp", a.f_exp()?),
        ("log", p.f_log()?),
        ("sin", a.f_sin()?),
        ("tanh", a.f_tanh()?),
        ("pow", p.f_pow_tensor_scalar(1.7)?),
    ])
}

fn ew_activations(c: &Context) -> Outputs {
    let a = c.x(12, &[16384], 2);
    Ok(vec![
        ("gelu", a.f_gelu("none")?),
        ("gelu_tanh", a.f_gelu("tanh")?),
        ("silu", a.f_silu()?),
        ("softplus", a.f_softplus()?),
        ("elu", a.f_elu()?),
        ("mish", a.f_mish()?),
    ])
}

fn ew_gelu_bf16(c: &Context) -> Outputs {
    let a = c.param(13, &[16384], 2);
    let y = a.f_gelu("none")?;
    backward(c, y, 14, &[&a], &["y", "dx"])
}

fn ew_addcmul(c: &Context) -> Outputs {
    let (a, b, d) = (c.x(15, &[65536], 0), c.x(16, &[65536], 0), c.x(17, &[65536], 0));
    Ok(vec![("addcmul", a.f_addcmul(&b, &d)?), ("lerp", a.f_lerp(&b, 0.3)?)])
}

fn red_sum_1m(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(20, &[1 << 20], 0).f_sum(c.kind)?)])
}

fn red_sum_rows(c: &Context) -> Outputs {
    Ok(vec![
        ("d1", c.x(21, &[512, 1000], 0).f_sum_dim_intlist(1, false, None)?),
        ("d0", c.x(21, &[512, 1000], 0).f_sum_dim_intlist(0, false, None)?),
    ])
}

fn red_mean_var_std(c: &Context) -> Outputs {
    let a = c.x(22, &[256, 1000], 0);
    Ok(vec![
        ("mean", a.f_mean_dim(1, false, None)?),
        ("var", a.f_var_dim(1, true, false)?),
        ("norm", a.f_norm()?),
        ("lse", a.f_logsumexp([1], false)?),
    ])
}

fn red_prod(c: &Context) -> Outputs {
    Ok(vec![("y", (c.x(23, &[64, 256], -6) + 1.0).f_prod_dim_int(1, false, None)?)])
}

fn red_sum_f16(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(24, &[64, 4096], 0).f_sum_dim_intlist(1, false, None)?)])
}

fn scan_cumsum(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(25, &[8, 65536], 0).f_cumsum(1, None)?)])
}

fn scan_cumprod(c: &Context) -> Outputs {
    Ok(vec![("y", (c.x(26, &[8, 4096], -8) + 1.0).f_cumprod(1, None)?)])
}

fn scan_logcumsumexp(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(27, &[8, 4096], 0).f_logcumsumexp(1)?)])
}

fn ew_div_scalar(c: &Context) -> Outputs {
    let a = c.x(300, &[16384], 3);
    Ok(vec![("d10", &a / 10.0), ("d13", &a / 13.0)])
}

fn scan_cumsum_1d(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(301, &[1 << 20], 0).f_cumsum(0, None)?)])
}
