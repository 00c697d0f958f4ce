# NumPy, and libraries whose arrays become NumPy's: inputs, outputs as bytes, error signatures.
import math

import numpy as np

DTYPES = {"f32": np.float32, "f64": np.float64, "i64": np.int64}
TAGS = {"float32": "f32", "float64": "f64", "int64": "i64", "int32": "i32", "uint32": "u32", "complex64": "c64",
        "complex128": "c128", "bool": "bool", "uint64": "u64"}


def hashes(seed, n):
    """lowbias32 of 0..n-1; the same as `hash32` in src/selftest/inputs.rs."""
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) + np.uint32((seed * GOLDEN) & MASK)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return x


class Context:
    """Makes the inputs of one operation; see the one of PyTorch."""

    def __init__(self, native, dtype, device, rounding="exact"):
        self.bits = dyadic_bits(native)
        self.dtype = DTYPES[dtype]

    def x(self, seed, shape, scale=0):
        grid = (hashes(seed, math.prod(shape)) >> np.uint32(31 - self.bits)).astype(np.int64) - (1 << self.bits)
        return (grid.astype(np.float64) * 2.0 ** (scale - self.bits)).astype(self.dtype).reshape(shape)

    def indices(self, seed, shape, modulus):
        return (hashes(seed, math.prod(shape)) % np.uint32(modulus)).astype(np.int64).reshape(shape)


def content(value):
    a = np.ascontiguousarray(np.asarray(value))
    shape = list(np.asarray(value).shape)
    if a.dtype.kind == "f":
        a = np.where(np.isnan(a), np.full_like(a, np.nan), a)
    return TAGS[a.dtype.name], shape, a.tobytes()


def forget():
    pass


def flat(value):
    return np.asarray(value).astype(np.float64).reshape(-1)


def quarter(x):
    return -999.0 if x == 0.0 else round(math.log2(x) * 4.0) / 4.0


def relative_l2(value, reference):
    y, r = flat(value), flat(reference)
    error, size = float(((y - r) ** 2).sum()), float((r * r).sum())
    return -99.0 if error == 0.0 else 0.5 * math.log2(error / max(size, 1e-300))


def signature(value, reference):
    """How an output is wrong against float64, as PyTorch's."""
    y, r = flat(value), flat(reference)
    finite = np.isfinite(y) & np.isfinite(r)
    fy, fr = y[finite], r[finite]
    n = max(fy.size, 1)
    rms = math.sqrt(float((fr * fr).sum()) / n)
    scale = rms if rms > 0.0 else 1.0
    l2 = math.sqrt(float(((fy - fr) ** 2).sum()) / n) / scale
    errors = np.sort(np.abs(fy - fr) / np.maximum(np.abs(fr), max(rms, 1e-300)))
    pick = lambda p: float(errors[int((errors.size - 1) * p)]) if errors.size else 0.0
    bias = float(((fy - fr) * np.sign(fr)).sum()) / n / scale
    return {
        "n": int(y.size),
        "nonfinite": int(y.size - fy.size),
        "zeros": int((y == 0).sum()),
        "log2_l2": quarter(l2),
        "log2_p50": quarter(pick(0.5)),
        "log2_p90": quarter(pick(0.9)),
        "log2_max": quarter(pick(1.0)),
        "bias": round(bias / max(l2, 1e-300), 2),
        "samples": [],
    }


def start_load(device, streams):
    return None


ALERT = "deterministic"
