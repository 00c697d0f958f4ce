# PyTorch: controls, elementwise functions, reductions, scans.


@operation("ctl.int_hash", "i64")
def _(c):
    x = c.indices(1, [65536], 1 << 24)
    y = ((x * 2654435761 + 12345) ^ (x * 40503)) & 0xFFFFFFFF
    return {"y": y, "sum": y.sum(), "cumsum": y.cumsum(0)}


@operation("ctl.ieee_basic")
def _(c):
    a, b = c.x(2, [65536], 3), c.x(3, [65536])
    return {"add": a + b, "mul": a * b, "div": a / b, "sqrt": a.abs().sqrt(), "recip": b.reciprocal()}


@operation("ctl.cast")
def _(c):
    a = c.x(4, [65536], 3)
    return {"f16": a.to(torch.float16), "bf16": a.to(torch.bfloat16), "i32": (a * 1000.0).to(torch.int32)}


@operation("ctl.matmul_exact_int")
def _(c):
    return {"y": c.small(5, [128, 512]) @ c.small(6, [512, 128])}


@operation("ctl.scatter_add_int", "i64")
def _(c):
    zeros = torch.zeros(256, dtype=torch.int64, device=c.device)
    return {"y": zeros.scatter_add(0, c.indices(7, [65536], 256), c.indices(8, [65536], 1 << 20))}


@operation("ctl.layout")
def _(c):
    a = c.x(9, [3, 64, 65])
    return {"t": a.permute(2, 0, 1).contiguous(), "flip": a.flip(1), "roll": a.roll(7, 2)}


@operation("ew.transcendental")
def _(c):
    a = c.x(10, [16384], 2)
    p = a.abs() + 0.0625
    return {
        "exp": a.exp(),
        "log": p.log(),
        "sin": a.sin(),
        "cos": a.cos(),
        "tanh": a.tanh(),
        "sigmoid": a.sigmoid(),
        "erf": a.erf(),
        "rsqrt": p.rsqrt(),
        "pow": p.pow(1.7),
        "lgamma": p.lgamma(),
        "log1p": p.log1p(),
        "expm1": a.expm1(),
        "atan2": a.atan2(p),
    }


@operation("ew.transcendental_f64", "f64")
def _(c):
    a = c.x(11, [8192], 2)
    p = a.abs() + 0.0625
    return {"exp": a.exp(), "log": p.log(), "sin": a.sin(), "tanh": a.tanh(), "pow": p.pow(1.7)}


@operation("ew.activations")
def _(c):
    a = c.x(12, [16384], 2)
    return {
        "gelu": F.gelu(a),
        "gelu_tanh": F.gelu(a, approximate="tanh"),
        "silu": F.silu(a),
        "softplus": F.softplus(a),
        "elu": F.elu(a),
        "mish": F.mish(a),
    }


@operation("ew.gelu_bf16", "bf16")
def _(c):
    a = c.param(13, [16384], 2)
    return backward(c, F.gelu(a), 14, [a], ["y", "dx"])


@operation("ew.addcmul")
def _(c):
    a, b, d = c.x(15, [65536]), c.x(16, [65536]), c.x(17, [65536])
    return {"addcmul": a.addcmul(b, d), "lerp": a.lerp(b, 0.3)}


@operation("ew.div_scalar")
def _(c):
    a = c.x(300, [16384], 3)
    return {"d10": a / 10.0, "d13": a / 13.0}


@operation("red.sum_1m")
def _(c):
    return {"y": c.x(20, [1 << 20]).sum()}


@operation("red.sum_rows")
def _(c):
    a = c.x(21, [512, 1000])
    return {"d1": a.sum(1), "d0": a.sum(0)}


@operation("red.mean_var_std")
def _(c):
    a = c.x(22, [256, 1000])
    return {"mean": a.mean(1), "var": a.var(1), "norm": a.norm(), "lse": a.logsumexp(1)}


@operation("red.prod")
def _(c):
    return {"y": (c.x(23, [64, 256], -6) + 1.0).prod(1)}


@operation("red.sum_f16", "f16")
def _(c):
    return {"y": c.x(24, [64, 4096]).sum(1)}


@operation("scan.cumsum")
def _(c):
    return {"y": c.x(25, [8, 65536]).cumsum(1)}


@operation("scan.cumsum_1d")
def _(c):
    return {"y": c.x(301, [1 << 20]).cumsum(0)}


@operation("scan.cumprod")
def _(c):
    return {"y": (c.x(26, [8, 4096], -8) + 1.0).cumprod(1)}


@operation("scan.logcumsumexp")
def _(c):
    return {"y": c.x(27, [8, 4096]).logcumsumexp(1)}
