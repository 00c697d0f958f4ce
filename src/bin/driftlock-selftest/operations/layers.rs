//! Normalisation, softmax, attention, pooling, resampling, losses, recurrent layers.

use tch::{Kind, Reduction, Tensor};

use super::{NONE, Operation, Outputs, backward, channels_last, loss_backward, op, parameters};
use crate::context::Context;

/// The operations of this file.
pub(super) fn all() -> Vec<Operation> {
    vec![
        op("norm.batch_norm", Kind::Float, norm_batch_norm),
        op("norm.layer_norm", Kind::Float, norm_layer_norm),
        op("norm.group_norm", Kind::Float, norm_group_norm),
        op("sm.softmax", Kind::Float, sm_softmax),
        op("sm.log_softmax", Kind::Float, sm_log_softmax),
        op("attn.sdpa_f32", Kind::Float, |c| attention(c, 130, true)),
        op("attn.sdpa_bf16", Kind::BFloat16, |c| attention(c, 134, true)),
        op("attn.sdpa_f16", Kind::Half, |c| attention(c, 138, false)),
        op("rs.bilinear_bwd", Kind::Float, rs_bilinear_bwd),
        op("rs.bicubic_bwd", Kind::Float, rs_bicubic_bwd),
        op("rs.nearest_bwd", Kind::Float, rs_nearest_bwd),
        op("rs.grid_sample_bwd", Kind::Float, rs_grid_sample_bwd),
        op("rs.reflection_pad_bwd", Kind::Float, rs_reflection_pad_bwd),
        op("rs.replication_pad_bwd", Kind::Float, rs_replication_pad_bwd),
        op("pool.max2d", Kind::Float, pool_max2d),
        op("pool.max3d_bwd", Kind::Float, pool_max3d_bwd),
        op("pool.avg3d_bwd", Kind::Float, pool_avg3d_bwd),
        op("pool.adaptive_avg2d_bwd", Kind::Float, pool_adaptive_avg2d_bwd),
        op("pool.adaptive_max2d_bwd", Kind::Float, pool_adaptive_max2d_bwd),
        op("loss.nll2d", Kind::Float, loss_nll2d),
        op("loss.cross_entropy", Kind::Float, loss_cross_entropy),
        op("loss.ctc_bwd", Kind::Float, loss_ctc_bwd),
        op("loss.cdist_bwd", Kind::Float, loss_cdist_bwd),
        op("rnn.lstm", Kind::Float, rnn_lstm),
        op("rnn.gru", Kind::Float, rnn_gru),
        op("rnn.tanh_10_20", Kind::Float, rnn_tanh_10_20),
        op("pool.max2d_channels_last", Kind::Float, pool_max2d_channels_last),
        op("pool.max_unpool2d", Kind::Float, pool_max_unpool2d),
    ]
}

fn norm_batch_norm(c: &Context) -> Outputs {
    let (x, w, b) = (c.param(110, &[8, 32, 14, 14], 0), c.param(111, &[32], 0), c.param(112, &[32], 0));
    let y = x.f_batch_norm(Some(&w), Some(&b), None, None, true, 0.1, 1e-5, true)?;
    backward(c, y, 113, &[&x, &w, &b], &["y", "dx", "dw", "db"])
}

fn norm_layer_norm(c: &Context) -> Outputs {
    let (x, w, b) = (c.param(114, &[256, 512], 0), c.param(115, &[512], 0), c.param(116, &[512], 0));
    let y = x.f_layer_norm([512], Some(&w), Some(&b), 1e-5, true)?;
    backward(c, y, 117, &[&x, &w, &b], &["y", "dx", "dw", "db"])
}

fn norm_group_norm(c: &Context) -> Outputs {
    let (x, w, b) = (c.param(118, &[8, 32, 14, 14], 0), c.param(119, &[32], 0), c.param(120, &[32], 0));
    let y = x.f_group_norm(8, Some(&w), Some(&b), 1e-5, true)?;
    backward(c, y, 121, &[&x, &w, &b], &["y", "dx", "dw", "db"])
}

fn sm_softmax(c: &Context) -> Outputs {
    let x = c.param(122, &[64, 1000], 3);
    let y = x.f_softmax(-1, None)?;
    backward(c, y, 123, &[&x], &["y", "dx"])
}

fn sm_log_softmax(c: &Context) -> Outputs {
    let x = c.param(124, &[64, 1000], 3);
    let y = x.f_log_softmax(-1, None)?;
    backward(c, y, 125, &[&x], &["y", "dx"])
}

fn rs_bilinear_bwd(c: &Context) -> Outputs {
    let x = c.param(200, &[2, 8, 16, 16], 0);
    let y = x.f_upsample_bilinear2d([37, 41], false, None, None)?;
    backward(c, y, 201, &[&x], &["y", "dx"])
}

fn rs_bicubic_bwd(c: &Context) -> Outputs {
    let x = c.param(202, &[2, 8, 16, 16], 0);
    let y = x.f_upsample_bicubic2d([37, 41], false, None, None)?;
    backward(c, y, 203, &[&x], &["y", "dx"])
}

fn rs_nearest_bwd(c: &Context) -> Outputs {
    let x = c.param(204, &[2, 8, 16, 16], 0);
    let y = x.f_upsample_nearest2d([37, 41], None, None)?;
    backward(c, y, 205, &[&x], &["dx"])
}

fn rs_grid_sample_bwd(c: &Context) -> Outputs {
    let (x, g) = (c.param(206, &[2, 8, 16, 16], 0), c.param(207, &[2, 48, 48, 2], 0));
    let y = x.f_grid_sampler(&g, 0, 0, false)?;
    backward(c, y, 208, &[&x, &g], &["y", "dx", "dgrid"])
}

fn rs_reflection_pad_bwd(c: &Context) -> Outputs {
    let x = c.param(209, &[2, 8, 16, 16], 0);
    let y = x.f_reflection_pad2d([5, 6, 7, 8])?;
    backward(c, y, 210, &[&x], &["dx"])
}

fn rs_replication_pad_bwd(c: &Context) -> Outputs {
    let x = c.param(211, &[2, 8, 16, 16], 0);
    let y = x.f_replication_pad2d([5, 6, 7, 8])?;
    backward(c, y, 212, &[&x], &["dx"])
}

fn pool_max2d(c: &Context) -> Outputs {
    let x = c.param(213, &[4, 8, 33, 33], 0);
    let y = x.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
    backward(c, y, 214, &[&x], &["y", "dx"])
}

fn pool_max3d_bwd(c: &Context) -> Outputs {
    let x = c.param(215, &[2, 4, 12, 12, 12], 0);
    let y = x.f_max_pool3d([3, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1], false)?;
    backward(c, y, 216, &[&x], &["dx"])
}

fn pool_avg3d_bwd(c: &Context) -> Outputs {
    let x = c.param(217, &[2, 4, 12, 12, 12], 0);
    let y = x.f_avg_pool3d([3, 3, 3], [1, 1, 1], [1, 1, 1], false, true, None)?;
    backward(c, y, 218, &[&x], &["dx"])
}

fn pool_adaptive_avg2d_bwd(c: &Context) -> Outputs {
    let x = c.param(219, &[2, 8, 31, 29], 0);
    let y = x.f_adaptive_avg_pool2d([13, 11])?;
    backward(c, y, 220, &[&x], &["dx"])
}

fn pool_adaptive_max2d_bwd(c: &Context) -> Outputs {
    let x = c.param(221, &[2, 8, 31, 29], 0);
    let (y, _) = x.f_adaptive_max_pool2d([13, 11])?;
    backward(c, y, 222, &[&x], &["dx"])
}

fn loss_nll2d(c: &Context) -> Outputs {
    let x = c.param(230, &[4, 8, 64, 64], 0);
    let y = x.f_nll_loss2d(&c.indices(231, &[4, 64, 64], 8), NONE, Reduction::Mean, -100)?;
    loss_backward(y, &[&x], &["dx"])
}

fn loss_cross_entropy(c: &Context) -> Outputs {
    let x = c.param(232, &[256, 100], 2);
    let y = x.f_cross_entropy_loss(&c.indices(233, &[256], 100), NONE, Reduction::Mean, -100, 0.1)?;
    loss_backward(y, &[&x], &["dx"])
}

fn loss_ctc_bwd(c: &Context) -> Outputs {
    let x = c.param(234, &[50, 4, 20], 1);
    let y = Tensor::f_ctc_loss(
        &x.f_log_softmax(2, None)?,
        &(c.indices(235, &[4, 15], 19) + 1),
        [50, 50, 50, 50],
        [15, 14, 13, 12],
        0,
        Reduction::Mean,
        false,
    )?;
    loss_backward(y, &[&x], &["dx"])
}

fn loss_cdist_bwd(c: &Context) -> Outputs {
    let (a, b) = (c.param(236, &[128, 16], 0), c.param(237, &[96, 16], 0));
    let y = Tensor::f_cdist(&a, &b, 1.5, None)?;
    backward(c, y, 238, &[&a, &b], &["y", "da", "db"])
}

fn rnn_lstm(c: &Context) -> Outputs {
    let x = c.param(250, &[20, 8, 32], 0);
    let p = parameters(c, 4, 32, 64, 251);
    let h = Tensor::zeros([1, 8, 64], (c.kind, c.device));
    let (y, _, _) = x.f_lstm(&[&h, &h], &p.iter().collect::<Vec<_>>(), true, 1, 0.0, true, false, false)?;
    backward(c, y, 255, &[&x, &p[0], &p[1]], &["y", "dx", "dwi", "dwh"])
}

fn rnn_gru(c: &Context) -> Outputs {
    let x = c.param(256, &[20, 8, 32], 0);
    let p = parameters(c, 3, 32, 64, 257);
    let h = Tensor::zeros([1, 8, 64], (c.kind, c.device));
    let (y, _) = x.f_gru(&h, &p.iter().collect::<Vec<_>>(), true, 1, 0.0, true, false, false)?;
    backward(c, y, 261, &[&x, &p[0], &p[1]], &["y", "dx", "dwi", "dwh"])
}

fn rnn_tanh_10_20(c: &Context) -> Outputs {
    let x = c.param(262, &[5, 32, 10], 0);
    let p = parameters(c, 1, 10, 20, 263);
    let h = Tensor::zeros([1, 32, 20], (c.kind, c.device));
    let (y, _) = x.f_rnn_tanh(&h, &p.iter().collect::<Vec<_>>(), true, 1, 0.0, true, false, false)?;
    backward(c, y, 267, &[&x, &p[0], &p[1]], &["y", "dx", "dwi", "dwh"])
}

fn pool_max2d_channels_last(c: &Context) -> Outputs {
    let x = channels_last(&c.x(308, &[4, 8, 33, 33], 0))?;
    let y = x.f_max_pool2d([3, 3], [1, 1], [1, 1], [1, 1], false)?;
    backward(c, y, 309, &[&x], &["dx"])
}

fn pool_max_unpool2d(c: &Context) -> Outputs {
    let (v, i) =
        c.x(310, &[2, 4, 16, 16], 0).f_max_pool2d_with_indices([2, 2], [2, 2], [0, 0], [1, 1], false)?;
    Ok(vec![("y", v.f_max_unpool2d(&i, [16, 16])?)])
}

/// Scaled dot-product attention, forward and backward.
fn attention(c: &Context, seed: u32, causal: bool) -> Outputs {
    let shape = [2, 4, 128, 64];
    let (q, k, v) = (c.param(seed, &shape, 1), c.param(seed + 1, &shape, 1), c.param(seed + 2, &shape, 0));
    let y = Tensor::f_scaled_dot_product_attention(&q, &k, &v, NONE, 0.0, causal, None, false)?;
    backward(c, y, seed + 3, &[&q, &k, &v], &["y", "dq", "dk", "dv"])
}
