//! Scattering and gathering (atomic additions on a GPU), order statistics, random streams.

use tch::{Kind, Tensor};

use super::{NONE, Operation, Outputs, backward, op, seed};
use crate::context::Context;

/// The operations of this file.
pub(super) fn all() -> Vec<Operation> {
    vec![
        op("idx.embedding_bwd", Kind::Float, idx_embedding_bwd),
        op("idx.embedding_bag_max", Kind::Float, idx_embedding_bag_max),
        op("idx.index_add", Kind::Float, idx_index_add),
        op("idx.scatter_add", Kind::Float, idx_scatter_add),
        op("idx.scatter_reduce_mean", Kind::Float, idx_scatter_reduce_mean),
        op("idx.scatter_reduce_prod", Kind::Float, idx_scatter_reduce_prod),
        op("idx.scatter_dup", Kind::Float, idx_scatter_dup),
        op("idx.index_put_acc", Kind::Float, idx_index_put_acc),
        op("idx.index_put_dup", Kind::Float, idx_index_put_dup),
        op("idx.put_acc", Kind::Float, idx_put_acc),
        op("idx.gather_bwd", Kind::Float, idx_gather_bwd),
        op("idx.index_select_bwd", Kind::Float, idx_index_select_bwd),
        op("idx.bincount_w", Kind::Float, idx_bincount_w),
        op("idx.histc", Kind::Float, idx_histc),
        op("ord.sort_ties", Kind::Float, ord_sort_ties),
        op("ord.sort_stable", Kind::Float, ord_sort_stable),
        op("ord.topk_ties", Kind::Float, ord_topk_ties),
        op("ord.kthvalue", Kind::Float, ord_kthvalue),
        op("ord.median", Kind::Float, ord_median),
        op("ord.argmax_mode", Kind::Float, ord_argmax_mode),
        op("idx.put_dup", Kind::Float, idx_put_dup),
        op("idx.index_copy", Kind::Float, idx_index_copy),
        op("rng.big_1m", Kind::Float, rng_big_1m),
        op("rng.uniform", Kind::Float, rng_uniform),
        op("rng.normal", Kind::Float, rng_normal),
        op("rng.perm", Kind::Int64, rng_perm),
        op("rng.dropout", Kind::Float, rng_dropout),
        op("rng.multinomial", Kind::Float, rng_multinomial),
    ]
}

fn idx_embedding_bwd(c: &Context) -> Outputs {
    let w = c.param(150, &[64, 32], 0);
    let y = Tensor::f_embedding(&w, &c.indices(151, &[8192], 64), -1, false, false)?;
    backward(c, y, 152, &[&w], &["dw"])
}

fn idx_embedding_bag_max(c: &Context) -> Outputs {
    let w = c.param(153, &[64, 32], 0);
    let off = Tensor::f_arange_start_step(0, 4096, 8, (Kind::Int64, c.device))?;
    let (y, _, _, _) =
        Tensor::f_embedding_bag(&w, &c.indices(154, &[4096], 64), &off, false, 2, false, NONE, false)?;
    backward(c, y, 155, &[&w], &["dw"])
}

fn idx_index_add(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(156, &[64, 32], 0).f_index_add(0, &c.indices(157, &[16384], 64), &c.x(158, &[16384, 32], 0))?,
    )])
}

fn idx_scatter_add(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(159, &[64], 0).f_scatter_add(0, &c.indices(160, &[262144], 64), &c.x(161, &[262144], 0))?,
    )])
}

fn idx_scatter_reduce_mean(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(162, &[64], 0).f_internal_scatter_reduce(
            0,
            &c.indices(163, &[65536], 64),
            &c.x(164, &[65536], 0),
            "mean",
            true,
        )?,
    )])
}

fn idx_scatter_reduce_prod(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(165, &[64], 0).f_internal_scatter_reduce(
            0,
            &c.indices(166, &[8192], 64),
            &(c.x(167, &[8192], -6) + 1.0),
            "prod",
            true,
        )?,
    )])
}

fn idx_scatter_dup(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(168, &[64], 0).f_scatter(0, &c.indices(169, &[65536], 64), &c.x(170, &[65536], 0))?)])
}

fn idx_index_put_acc(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(171, &[64, 16], 0).f_index_put(
            &[Some(&c.indices(172, &[16384], 64))],
            &c.x(173, &[16384, 16], 0),
            true,
        )?,
    )])
}

fn idx_index_put_dup(c: &Context) -> Outputs {
    Ok(vec![(
        "y",
        c.x(174, &[64, 16], 0).f_index_put(
            &[Some(&c.indices(175, &[16384], 64))],
            &c.x(176, &[16384, 16], 0),
            false,
        )?,
    )])
}

fn idx_put_acc(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(177, &[64], 0).f_put(&c.indices(178, &[65536], 64), &c.x(179, &[65536], 0), true)?)])
}

fn idx_gather_bwd(c: &Context) -> Outputs {
    let x = c.param(180, &[64], 0);
    let y = x.f_gather(0, &c.indices(181, &[65536], 64), false)?;
    backward(c, y, 182, &[&x], &["dx"])
}

fn idx_index_select_bwd(c: &Context) -> Outputs {
    let x = c.param(183, &[64, 16], 0);
    let y = x.f_index_select(0, &c.indices(184, &[16384], 64))?;
    backward(c, y, 185, &[&x], &["dx"])
}

fn idx_bincount_w(c: &Context) -> Outputs {
    Ok(vec![("y", c.indices(186, &[262144], 64).f_bincount(Some(&c.x(187, &[262144], 0)), 64)?)])
}

fn idx_histc(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(188, &[65536], 0).f_histc(100)?)])
}

fn ord_sort_ties(c: &Context) -> Outputs {
    let x = c.indices(240, &[16384], 64).to_kind(c.kind);
    let (v, i) = x.f_sort(0, false)?;
    Ok(vec![("v", v), ("i", i)])
}

fn ord_sort_stable(c: &Context) -> Outputs {
    let x = c.indices(241, &[16384], 64).to_kind(c.kind);
    let (v, i) = x.f_sort_stable(true, 0, false)?;
    Ok(vec![("v", v), ("i", i)])
}

fn ord_topk_ties(c: &Context) -> Outputs {
    let x = c.indices(242, &[4, 8192], 64).to_kind(c.kind);
    let (v, i) = x.f_topk(100, -1, true, true)?;
    Ok(vec![("v", v), ("i", i)])
}

fn ord_kthvalue(c: &Context) -> Outputs {
    let x = c.indices(243, &[16, 2000], 64).to_kind(c.kind);
    let (v, i) = x.f_kthvalue(700, 1, false)?;
    Ok(vec![("v", v), ("i", i)])
}

fn ord_median(c: &Context) -> Outputs {
    let x = c.indices(244, &[16, 2000], 64).to_kind(c.kind);
    let (v, i) = x.f_median_dim(1, false)?;
    Ok(vec![("v", v), ("i", i)])
}

fn ord_argmax_mode(c: &Context) -> Outputs {
    let x = c.indices(245, &[16, 2000], 64).to_kind(c.kind);
    let (v, i) = x.f_mode(1, false)?;
    Ok(vec![("argmax", x.f_argmax(1, false)?), ("mode", v), ("mode_i", i)])
}

fn idx_put_dup(c: &Context) -> Outputs {
    Ok(vec![("y", c.x(311, &[64], 0).f_put(&c.indices(312, &[65536], 64), &c.x(313, &[65536], 0), false)?)])
}

fn idx_index_copy(c: &Context) -> Outputs {
    let p: Vec<i64> = (0..64).map(|i| (i * 37 + 11) % 64).collect();
    Ok(vec![(
        "y",
        c.x(314, &[64, 16], 0).f_index_copy(
            0,
            &Tensor::from_slice(&p).to_device(c.device),
            &c.x(315, &[64, 16], 0),
        )?,
    )])
}

fn rng_big_1m(c: &Context) -> Outputs {
    seed(c, 47);
    let o = (c.kind, c.device);
    let r = Tensor::f_rand([1 << 20], o)?;
    let n = Tensor::f_randn([1 << 20], o)?;
    Ok(vec![("rand", r), ("randn", n), ("dropout", c.x(316, &[1 << 20], 0).f_dropout(0.5, true)?)])
}

fn rng_uniform(c: &Context) -> Outputs {
    seed(c, 42);
    let o = (c.kind, c.device);
    Ok(vec![
        ("rand", Tensor::f_rand([4099], o)?),
        ("randint", Tensor::f_randint(1 << 30, [1000], (Kind::Int64, c.device))?),
    ])
}

fn rng_normal(c: &Context) -> Outputs {
    seed(c, 43);
    let o = (c.kind, c.device);
    Ok(vec![
        ("randn_small", Tensor::f_randn([7], o)?),
        ("randn", Tensor::f_randn([4099], o)?),
        ("exp", Tensor::f_zeros([1000], o)?.f_exponential(1.0)?),
    ])
}

fn rng_perm(c: &Context) -> Outputs {
    seed(c, 44);
    Ok(vec![
        ("p", Tensor::f_randperm(1000, (Kind::Int64, c.device))?),
        ("p_big", Tensor::f_randperm(50000, (Kind::Int64, c.device))?),
    ])
}

fn rng_dropout(c: &Context) -> Outputs {
    seed(c, 45);
    let x = c.x(290, &[10007], 0);
    Ok(vec![("d", x.f_dropout(0.25, true)?), ("bern", (x.f_abs()? * 0.5).f_bernoulli()?)])
}

fn rng_multinomial(c: &Context) -> Outputs {
    seed(c, 46);
    let p = c.x(291, &[8, 100], 0).f_abs()?;
    Ok(vec![("rep", p.f_multinomial(50, true)?), ("norep", p.f_multinomial(50, false)?)])
}
