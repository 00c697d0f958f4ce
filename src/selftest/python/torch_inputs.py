# PyTorch: inputs that are the same bits on every machine, outputs as bytes, error signatures. Without NumPy, which
# an environment with PyTorch need not have.
import math

import torch
import torch.nn.functional as F

DTYPES = {
    "f32": torch.float32,
    "f64": torch.float64,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "i64": torch.int64,
}
TAGS = {
    torch.float32: "f32",
    torch.float64: "f64",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.uint8: "u8",
    torch.bool: "bool",
}


def hashes(seed, n):
    """lowbias32 of 0..n-1, as int64 below 2^32; the same as `hash32` in src/selftest/inputs.rs."""
    x = (torch.arange(n, dtype=torch.int64) + ((seed * GOLDEN) & MASK)) & MASK
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & MASK
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & MASK
    return x ^ (x >> 16)


_known = {}


def plain(seed, n, bits, scale):
    """The values of the grid; kept until `forget`, since repeats of an operation ask again."""
    key = (seed, n, bits, scale)
    if key not in _known:
        grid = (hashes(seed, n) >> (31 - bits)) - (1 << bits)
        _known[key] = grid.to(torch.float64) * 2.0 ** (scale - bits)
    return _known[key]


def whole(seed, n, modulus):
    """Whole numbers below `modulus`; kept like `plain`."""
    key = (seed, n, modulus)
    if key not in _known:
        _known[key] = hashes(seed, n) % modulus
    return _known[key]


def forget():
    _known.clear()


def rounded(values, rounding):
    """Operands as another precision holds them: nearest even or truncated to the bits that TF32 or bf16 keeps."""
    if rounding == "exact":
        return values
    drop = 16 if rounding == "bf16" else 13
    bits = values.to(torch.float32).view(torch.int32).to(torch.int64) & MASK
    if rounding != "tf32-truncated":
        bits = bits + ((1 << (drop - 1)) - 1) + ((bits >> drop) & 1)
    bits = bits & (MASK ^ ((1 << drop) - 1))
    bits = torch.where(bits >= 1 << 31, bits - (1 << 32), bits)
    return bits.to(torch.int32).view(torch.float32).to(torch.float64)


class Context:
    """Makes the inputs of one operation.

    `native` decides the grid of the values, `dtype` what they are computed in: a float64 reference computes on the
    same values. `rounding` is a hypothesis about operands of multiplications.
    """

    def __init__(self, native, dtype, device, rounding="exact"):
        self.bits = dyadic_bits(native)
        self.dtype = DTYPES[dtype]
        self.device = torch.device(device)
        self.rounding = rounding

    def place(self, values, shape):
        return values.to(device=self.device, dtype=self.dtype, copy=True).view(*shape)

    def plain(self, seed, shape, scale=0):
        return plain(seed, math.prod(shape), self.bits, scale)

    def x(self, seed, shape, scale=0):
        """Values k / 2^bits * 2^scale, k uniform in [-2^bits, 2^bits)."""
        return self.place(rounded(self.plain(seed, shape, scale), self.rounding), shape)

    def param(self, seed, shape, scale=0):
        """`x` with a gradient."""
        return self.x(seed, shape, scale).requires_grad_(True)

    def bias(self, seed, shape, scale=0):
        """`param` that is added and never multiplied, so that no hypothesis rounds it."""
        return self.place(self.plain(seed, shape, scale), shape).requires_grad_(True)

    def powers(self, seed, shape, span):
        """Powers of two from 2^-span to 2^span."""
        exponent = whole(seed, math.prod(shape), 2 * span + 1) - span
        return self.place(2.0 ** exponent.to(torch.float64), shape)

    def small(self, seed, shape):
        """Whole numbers from -8 to 7."""
        return self.place((whole(seed, math.prod(shape), 16) - 8).to(torch.float64), shape)

    def indices(self, seed, shape, modulus):
        """Whole numbers below `modulus`, as int64."""
        return whole(seed, math.prod(shape), modulus).to(self.device).clone().view(*shape)

    def zeros(self, *shape):
        return torch.zeros(*shape, dtype=self.dtype, device=self.device)


def gradients(out, weight, inputs):
    """Gradients of sum(out * weight)."""
    return list(torch.autograd.grad((out * weight).sum(dtype=out.dtype), inputs))


def backward(c, y, seed, inputs, names):
    """Output and gradients by name; without `y` among the names, the gradients alone."""
    values = gradients(y, c.x(seed, list(y.shape)), inputs)
    if names[0] == "y":
        values = [y] + values
    return dict(zip(names, values))


def loss_backward(loss, inputs, names):
    return dict(zip(["y"] + names, [loss] + list(torch.autograd.grad(loss, inputs))))


def content(value):
    """(dtype, shape, bytes) of an output: on the CPU, row-major, every NaN the positive quiet one."""
    t = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if t.is_floating_point():
        t = torch.where(torch.isnan(t), torch.full_like(t, float("nan")), t)
    data = ctypes.string_at(t.data_ptr(), t.numel() * t.element_size()) if t.numel() else b""
    return TAGS[t.dtype], list(t.shape), data


def flat(value):
    return value.detach().to("cpu").to(torch.float64).reshape(-1)


def quarter(x):
    """log2 in quarter octaves; -999 for no error at all."""
    return -999.0 if x == 0.0 else round(math.log2(x) * 4.0) / 4.0


def relative_l2(value, reference):
    """log2 of the relative L2 distance; -99 where they are equal."""
    y, r = flat(value), flat(reference)
    error, size = float(((y - r) ** 2).sum()), float((r * r).sum())
    return -99.0 if error == 0.0 else 0.5 * math.log2(error / max(size, 1e-300))


def signature(value, reference):
    """How an output is wrong against float64: sizes in octaves, bias, and some values themselves."""
    y, r = flat(value), flat(reference)
    finite = torch.isfinite(y) & torch.isfinite(r)
    fy, fr = y[finite], r[finite]
    n = max(int(fy.numel()), 1)
    rms = math.sqrt(float((fr * fr).sum()) / n)
    scale = rms if rms > 0.0 else 1.0
    l2 = math.sqrt(float(((fy - fr) ** 2).sum()) / n) / scale
    errors = ((fy - fr).abs() / fr.abs().clamp(min=max(rms, 1e-300))).sort().values
    pick = lambda p: float(errors[int((errors.numel() - 1) * p)]) if errors.numel() else 0.0
    bias = float(((fy - fr) * fr.sign()).sum()) / n / scale
    places = [int(h) % max(int(y.numel()), 1) for h in hashes(777, 16)]
    return {
        "n": int(y.numel()),
        "nonfinite": int(y.numel() - fy.numel()),
        "zeros": int((y == 0).sum()),
        "log2_l2": quarter(l2),
        "log2_p50": quarter(pick(0.5)),
        "log2_p90": quarter(pick(0.9)),
        "log2_max": quarter(pick(1.0)),
        "bias": round(bias / max(l2, 1e-300), 2),
        "samples": [float(y[i]).hex() for i in places] if y.numel() else [],
    }
