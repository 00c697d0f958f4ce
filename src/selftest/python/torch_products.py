# PyTorch: matrix products, convolutions, linear algebra, Fourier transforms.


def product(id, dtype, m, n, k, seed):
    """A matrix product of m x k and k x n."""

    @operation(id, dtype)
    def _(c):
        return {"y": c.x(seed, [m, k]) @ c.x(seed + 1, [k, n])}


product("mm.f64_256", "f64", 256, 256, 256, 30)
product("mm.f32_512", "f32", 512, 512, 512, 32)
product("mm.f32_odd", "f32", 127, 129, 1031, 34)
product("mm.f32_splitk", "f32", 32, 32, 32768, 36)
product("mm.f32_gemv", "f32", 1, 1024, 1024, 38)
product("mm.f16_512", "f16", 512, 512, 512, 44)
product("mm.f16_splitk", "f16", 64, 64, 8192, 46)
product("mm.bf16_512", "bf16", 512, 512, 512, 48)
product("mm.bf16_splitk", "bf16", 64, 64, 8192, 50)


@operation("mm.f32_dot")
def _(c):
    return {"y": c.x(40, [65536]).dot(c.x(41, [65536]))}


@operation("mm.f32_tn")
def _(c):
    return {"y": c.x(42, [384, 256]).t() @ c.x(43, [320, 384]).t()}


@operation("mm.f32_wide_range")
def _(c):
    a = c.x(302, [64, 256]) * c.powers(303, [64, 1], 24)
    return {"y": a @ c.x(304, [256, 64])}


def spread(id, dtype, seed, span):
    """A product whose operands have exponents far apart, so that the order of summation shows in the result."""

    @operation(id, dtype)
    def _(c):
        a = c.x(seed, [64, 8192]) * c.powers(seed + 1, [64, 8192], span)
        b = c.x(seed + 2, [8192, 64]) * c.powers(seed + 3, [8192, 64], span)
        return {"y": a @ b}


spread("mm.bf16_spread", "bf16", 320, 4)
spread("mm.f16_spread", "f16", 324, 2)


@operation("mm.f64_52bit", "f64")
def _(c):
    def grid(seed):
        bits = (hashes(seed, 65536) << 20) | (hashes(seed + 1000, 65536) >> 12)
        return ((bits - (1 << 51)).to(torch.float64) * 2.0**-51).to(c.device).view(256, 256)

    return {"y": grid(328) @ grid(329)}


@operation("mm.f32_bmm")
def _(c):
    return {"y": c.x(52, [16, 64, 96]).bmm(c.x(53, [16, 96, 64]))}


def linear(id, dtype, seed, spread=0):
    """A fully connected layer with bias, forward and backward."""

    @operation(id, dtype)
    def _(c):
        x, w, b = c.x(seed, [64, 768]), c.x(seed + 1, [256, 768], -4), c.bias(seed + 2, [256])
        if spread:
            x = x * c.powers(seed + 4, [64, 768], spread)
            w = w * c.powers(seed + 5, [256, 768], spread)
        x, w = x.requires_grad_(True), w.requires_grad_(True)
        return backward(c, F.linear(x, w, b), seed + 3, [x, w, b], ["y", "dx", "dw", "db"])


linear("mm.linear_bias", "f32", 54)
linear("mm.linear_bias_bf16", "bf16", 58)
linear("mm.linear_bias_bf16_spread", "bf16", 340, spread=4)


@operation("mm.batch_invariance")
def _(c):
    x, w = c.x(62, [64, 1024]), c.x(63, [1024, 512])
    return {
        "in_batch": (x @ w)[5:6].contiguous(),
        "alone": x[5:6] @ w,
        "half": (x[0:8] @ w)[5:6].contiguous(),
    }


def conv2d(id, dtype, n, channels, size, out, kernel, stride, padding, groups, seed):
    """A 2-D convolution with bias, forward and backward."""

    @operation(id, dtype)
    def _(c):
        x = c.param(seed, [n, channels, size, size])
        w = c.param(seed + 1, [out, channels // groups, kernel, kernel], -3)
        b = c.bias(seed + 2, [out])
        y = F.conv2d(x, w, b, stride, padding, 1, groups)
        return backward(c, y, seed + 3, [x, w, b], ["y", "dx", "dw", "db"])


conv2d("conv.2d_3x3", "f32", 4, 16, 28, 32, 3, 1, 1, 1, 70)
conv2d("conv.2d_1x1", "f32", 4, 64, 14, 64, 1, 1, 0, 1, 74)
conv2d("conv.2d_7x7_s2", "f32", 2, 3, 64, 32, 7, 2, 3, 1, 78)
conv2d("conv.2d_depthwise", "f32", 2, 32, 28, 32, 3, 1, 1, 32, 82)
conv2d("conv.2d_mnist1", "f32", 16, 1, 28, 32, 3, 1, 0, 1, 86)
conv2d("conv.2d_bf16", "bf16", 4, 16, 28, 32, 3, 1, 1, 1, 90)


def channels_last(t):
    return t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).requires_grad_(True)


@operation("conv.2d_channels_last")
def _(c):
    x, w = channels_last(c.x(305, [4, 16, 28, 28])), c.param(306, [32, 16, 3, 3], -3)
    return backward(c, F.conv2d(x, w, None, 1, 1), 307, [x, w], ["y", "dx", "dw"])


@operation("conv.1d")
def _(c):
    x, w = c.param(94, [4, 16, 256]), c.param(95, [32, 16, 5], -3)
    return backward(c, F.conv1d(x, w, None, 1, 2), 96, [x, w], ["y", "dx", "dw"])


@operation("conv.3d")
def _(c):
    x, w = c.param(97, [2, 8, 10, 10, 10]), c.param(98, [16, 8, 3, 3, 3], -3)
    return backward(c, F.conv3d(x, w, None, 1, 1), 99, [x, w], ["y", "dx", "dw"])


@operation("conv.transpose2d")
def _(c):
    x, w = c.param(100, [4, 32, 14, 14]), c.param(101, [32, 16, 3, 3], -3)
    return backward(c, F.conv_transpose2d(x, w, None, 2, 1, 1), 102, [x, w], ["y", "dx", "dw"])


@operation("fft.c2c_r2c")
def _(c):
    real = lambda z: torch.view_as_real(z).contiguous()
    return {"rfft": real(torch.fft.rfft(c.x(270, [16, 1000]))), "fft512": real(torch.fft.fft(c.x(271, [16, 512])))}


def positive_definite(c, n, seed):
    a = c.x(seed, [n, n])
    return a @ a.t() + torch.eye(n, dtype=c.dtype, device=c.device) * float(n)


@operation("la.solve")
def _(c):
    return {"x": torch.linalg.solve(positive_definite(c, 64, 280), c.x(281, [64, 4]))}


@operation("la.cholesky")
def _(c):
    return {"l": torch.linalg.cholesky(positive_definite(c, 64, 282))}


@operation("la.qr")
def _(c):
    q, r = torch.linalg.qr(c.x(283, [96, 64]))
    return {"q": q, "r": r}


@operation("la.eigh")
def _(c):
    w, v = torch.linalg.eigh(positive_definite(c, 64, 284))
    return {"w": w, "absv": v.abs()}


@operation("la.svd")
def _(c):
    # torch.svd and not torch.linalg.svd: tch passes the latter an empty driver, which the CPU refuses.
    u, s, _ = torch.svd(c.x(285, [96, 64]))
    return {"s": s, "absu": u.abs()}


@operation("la.inv_det")
def _(c):
    a = positive_definite(c, 48, 286)
    return {"inv": torch.linalg.inv(a), "slogdet": torch.linalg.slogdet(a)[1]}
