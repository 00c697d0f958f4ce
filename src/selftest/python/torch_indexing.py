# PyTorch: scattering and gathering (atomic additions on a GPU), order statistics, random streams.


@operation("idx.embedding_bwd")
def _(c):
    w = c.param(150, [64, 32])
    return backward(c, F.embedding(c.indices(151, [8192], 64), w), 152, [w], ["dw"])


@operation("idx.embedding_bag_max")
def _(c):
    w = c.param(153, [64, 32])
    offsets = torch.arange(0, 4096, 8, device=c.device)
    return backward(c, F.embedding_bag(c.indices(154, [4096], 64), w, offsets, mode="max"), 155, [w], ["dw"])


@operation("idx.index_add")
def _(c):
    return {"y": c.x(156, [64, 32]).index_add(0, c.indices(157, [16384], 64), c.x(158, [16384, 32]))}


@operation("idx.scatter_add")
def _(c):
    return {"y": c.x(159, [64]).scatter_add(0, c.indices(160, [262144], 64), c.x(161, [262144]))}


@operation("idx.scatter_reduce_mean")
def _(c):
    return {"y": c.x(162, [64]).scatter_reduce(0, c.indices(163, [65536], 64), c.x(164, [65536]), "mean")}


@operation("idx.scatter_reduce_prod")
def _(c):
    source = c.x(167, [8192], -6) + 1.0
    return {"y": c.x(165, [64]).scatter_reduce(0, c.indices(166, [8192], 64), source, "prod")}


@operation("idx.scatter_dup")
def _(c):
    return {"y": c.x(168, [64]).scatter(0, c.indices(169, [65536], 64), c.x(170, [65536]))}


@operation("idx.index_put_acc")
def _(c):
    return {"y": c.x(171, [64, 16]).index_put((c.indices(172, [16384], 64),), c.x(173, [16384, 16]), True)}


@operation("idx.index_put_dup")
def _(c):
    return {"y": c.x(174, [64, 16]).index_put((c.indices(175, [16384], 64),), c.x(176, [16384, 16]), False)}


@operation("idx.index_copy")
def _(c):
    order = torch.tensor([(i * 37 + 11) % 64 for i in range(64)], device=c.device)
    return {"y": c.x(314, [64, 16]).index_copy(0, order, c.x(315, [64, 16]))}


@operation("idx.put_acc")
def _(c):
    return {"y": c.x(177, [64]).put(c.indices(178, [65536], 64), c.x(179, [65536]), True)}


@operation("idx.put_dup")
def _(c):
    return {"y": c.x(311, [64]).put(c.indices(312, [65536], 64), c.x(313, [65536]), False)}


@operation("idx.gather_bwd")
def _(c):
    x = c.param(180, [64])
    return backward(c, x.gather(0, c.indices(181, [65536], 64)), 182, [x], ["dx"])


@operation("idx.index_select_bwd")
def _(c):
    x = c.param(183, [64, 16])
    return backward(c, x.index_select(0, c.indices(184, [16384], 64)), 185, [x], ["dx"])


@operation("idx.bincount_w")
def _(c):
    return {"y": torch.bincount(c.indices(186, [262144], 64), c.x(187, [262144]), 64)}


@operation("idx.histc")
def _(c):
    return {"y": c.x(188, [65536]).histc(100)}


def ordered(id, seed, shape, function):
    """An order statistic over values with many ties: its values and its indices."""

    @operation(id)
    def _(c):
        values, indices = function(c.indices(seed, shape, 64).to(c.dtype))
        return {"v": values, "i": indices}


ordered("ord.sort_ties", 240, [16384], lambda x: x.sort(0))
ordered("ord.sort_stable", 241, [16384], lambda x: x.sort(stable=True, dim=0))
ordered("ord.topk_ties", 242, [4, 8192], lambda x: x.topk(100))
ordered("ord.kthvalue", 243, [16, 2000], lambda x: x.kthvalue(700, 1))
ordered("ord.median", 244, [16, 2000], lambda x: x.median(1))


@operation("ord.argmax_mode")
def _(c):
    x = c.indices(245, [16, 2000], 64).to(c.dtype)
    mode, where = x.mode(1)
    return {"argmax": x.argmax(1), "mode": mode, "mode_i": where}


@operation("rng.uniform")
def _(c):
    torch.manual_seed(42)
    return {
        "rand": torch.rand(4099, device=c.device),
        "randint": torch.randint(1 << 30, (1000,), device=c.device),
    }


@operation("rng.normal")
def _(c):
    torch.manual_seed(43)
    return {
        "randn_small": torch.randn(7, device=c.device),
        "randn": torch.randn(4099, device=c.device),
        "exp": torch.zeros(1000, device=c.device).exponential_(1.0),
    }


@operation("rng.perm", "i64")
def _(c):
    torch.manual_seed(44)
    return {"p": torch.randperm(1000, device=c.device), "p_big": torch.randperm(50000, device=c.device)}


@operation("rng.dropout")
def _(c):
    torch.manual_seed(45)
    x = c.x(290, [10007])
    return {"d": F.dropout(x, 0.25), "bern": torch.bernoulli(x.abs() * 0.5)}


@operation("rng.multinomial")
def _(c):
    torch.manual_seed(46)
    p = c.x(291, [8, 100]).abs()
    return {"rep": torch.multinomial(p, 50, True), "norep": torch.multinomial(p, 50, False)}


@operation("rng.big_1m")
def _(c):
    torch.manual_seed(47)
    return {
        "rand": torch.rand(1 << 20, device=c.device),
        "randn": torch.randn(1 << 20, device=c.device),
        "dropout": F.dropout(c.x(316, [1 << 20]), 0.5),
    }
