# PyTorch: normalisation, softmax, attention, pooling, resampling, losses, recurrent layers.

FULL = ["y", "dx", "dw", "db"]


@operation("norm.batch_norm")
def _(c):
    x, w, b = c.param(110, [8, 32, 14, 14]), c.param(111, [32]), c.param(112, [32])
    return backward(c, F.batch_norm(x, None, None, w, b, True), 113, [x, w, b], FULL)


@operation("norm.layer_norm")
def _(c):
    x, w, b = c.param(114, [256, 512]), c.param(115, [512]), c.param(116, [512])
    return backward(c, F.layer_norm(x, [512], w, b), 117, [x, w, b], FULL)


@operation("norm.group_norm")
def _(c):
    x, w, b = c.param(118, [8, 32, 14, 14]), c.param(119, [32]), c.param(120, [32])
    return backward(c, F.group_norm(x, 8, w, b), 121, [x, w, b], FULL)


@operation("sm.softmax")
def _(c):
    x = c.param(122, [64, 1000], 3)
    return backward(c, F.softmax(x, -1), 123, [x], ["y", "dx"])


@operation("sm.log_softmax")
def _(c):
    x = c.param(124, [64, 1000], 3)
    return backward(c, F.log_softmax(x, -1), 125, [x], ["y", "dx"])


def attention(id, dtype, seed, causal):
    """Scaled dot-product attention, forward and backward."""

    @operation(id, dtype)
    def _(c):
        shape = [2, 4, 128, 64]
        q, k, v = c.param(seed, shape, 1), c.param(seed + 1, shape, 1), c.param(seed + 2, shape)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return backward(c, y, seed + 3, [q, k, v], ["y", "dq", "dk", "dv"])


attention("attn.sdpa_f32", "f32", 130, True)
attention("attn.sdpa_bf16", "bf16", 134, True)
attention("attn.sdpa_f16", "f16", 138, False)


# The operators themselves, since torch.nn.functional replaces them on CUDA in deterministic mode.
def resample(id, seed, function, names):
    """Resampling from 16x16 to 37x41, backward."""

    @operation(id)
    def _(c):
        x = c.param(seed, [2, 8, 16, 16])
        return backward(c, function(x), seed + 1, [x], names)


resample("rs.bilinear_bwd", 200, lambda x: torch.ops.aten.upsample_bilinear2d(x, [37, 41], False), ["y", "dx"])
resample("rs.bicubic_bwd", 202, lambda x: torch.ops.aten.upsample_bicubic2d(x, [37, 41], False), ["y", "dx"])
resample("rs.nearest_bwd", 204, lambda x: torch.ops.aten.upsample_nearest2d(x, [37, 41]), ["dx"])
resample("rs.reflection_pad_bwd", 209, lambda x: torch.ops.aten.reflection_pad2d(x, [5, 6, 7, 8]), ["dx"])
resample("rs.replication_pad_bwd", 211, lambda x: torch.ops.aten.replication_pad2d(x, [5, 6, 7, 8]), ["dx"])


@operation("rs.grid_sample_bwd")
def _(c):
    x, g = c.param(206, [2, 8, 16, 16]), c.param(207, [2, 48, 48, 2])
    y = F.grid_sample(x, g, align_corners=False)
    return backward(c, y, 208, [x, g], ["y", "dx", "dgrid"])


def pool(id, seed, shape, function, names):
    """A pooling layer, backward."""

    @operation(id)
    def _(c):
        x = c.param(seed, shape)
        return backward(c, function(x), seed + 1, [x], names)


pool("pool.max2d", 213, [4, 8, 33, 33], lambda x: F.max_pool2d(x, 3, 2, 1), ["y", "dx"])
pool("pool.max3d_bwd", 215, [2, 4, 12, 12, 12], lambda x: F.max_pool3d(x, 3, 1, 1), ["dx"])
pool("pool.avg3d_bwd", 217, [2, 4, 12, 12, 12], lambda x: F.avg_pool3d(x, 3, 1, 1), ["dx"])
pool("pool.adaptive_avg2d_bwd", 219, [2, 8, 31, 29], lambda x: F.adaptive_avg_pool2d(x, [13, 11]), ["dx"])
pool("pool.adaptive_max2d_bwd", 221, [2, 8, 31, 29], lambda x: F.adaptive_max_pool2d(x, [13, 11]), ["dx"])


@operation("pool.max2d_channels_last")
def _(c):
    x = channels_last(c.x(308, [4, 8, 33, 33]))
    return backward(c, F.max_pool2d(x, 3, 1, 1), 309, [x], ["dx"])


@operation("pool.max_unpool2d")
def _(c):
    y, i = torch.ops.aten.max_pool2d_with_indices(c.x(310, [2, 4, 16, 16]), [2, 2], [2, 2])
    return {"y": torch.ops.aten.max_unpool2d(y, i, [16, 16])}


@operation("loss.nll2d")
def _(c):
    x = c.param(230, [4, 8, 64, 64])
    return loss_backward(F.nll_loss(x, c.indices(231, [4, 64, 64], 8)), [x], ["dx"])


@operation("loss.cross_entropy")
def _(c):
    x = c.param(232, [256, 100], 2)
    return loss_backward(F.cross_entropy(x, c.indices(233, [256], 100), label_smoothing=0.1), [x], ["dx"])


@operation("loss.ctc_bwd")
def _(c):
    x = c.param(234, [50, 4, 20], 1)
    targets = c.indices(235, [4, 15], 19) + 1
    loss = F.ctc_loss(F.log_softmax(x, 2), targets, [50] * 4, [15, 14, 13, 12], 0)
    return loss_backward(loss, [x], ["dx"])


@operation("loss.cdist_bwd")
def _(c):
    a, b = c.param(236, [128, 16]), c.param(237, [96, 16])
    return backward(c, torch.cdist(a, b, 1.5), 238, [a, b], ["y", "da", "db"])


def recurrent_parameters(c, gates, inputs, hidden, seed):
    return [
        c.param(seed, [gates * hidden, inputs], -2),
        c.param(seed + 1, [gates * hidden, hidden], -2),
        c.param(seed + 2, [gates * hidden], -2),
        c.param(seed + 3, [gates * hidden], -2),
    ]


RECURRENT = ["y", "dx", "dwi", "dwh"]


@operation("rnn.lstm")
def _(c):
    x, p, h = c.param(250, [20, 8, 32]), recurrent_parameters(c, 4, 32, 64, 251), c.zeros(1, 8, 64)
    y = torch.lstm(x, [h, h], p, True, 1, 0.0, True, False, False)[0]
    return backward(c, y, 255, [x, p[0], p[1]], RECURRENT)


@operation("rnn.gru")
def _(c):
    x, p, h = c.param(256, [20, 8, 32]), recurrent_parameters(c, 3, 32, 64, 257), c.zeros(1, 8, 64)
    y = torch.gru(x, h, p, True, 1, 0.0, True, False, False)[0]
    return backward(c, y, 261, [x, p[0], p[1]], RECURRENT)


@operation("rnn.tanh_10_20")
def _(c):
    x, p, h = c.param(262, [5, 32, 10]), recurrent_parameters(c, 1, 10, 20, 263), c.zeros(1, 32, 20)
    y = torch.rnn_tanh(x, h, p, True, 1, 0.0, True, False, False)[0]
    return backward(c, y, 267, [x, p[0], p[1]], RECURRENT)
