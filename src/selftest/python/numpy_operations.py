# NumPy and, where it is installed, SciPy.
LIBRARY = "numpy"


def set_threads(n):
    """BLAS and OpenMP through threadpoolctl where it is there; the variables were set before the start."""
    try:
        import threadpoolctl
    except ImportError:
        return
    threadpoolctl.threadpool_limits(n)


def set_flag(name, value):
    raise ValueError("NumPy has no flag %s" % name)


def check_device(device):
    return None if device == "cpu" else ("no-device", "NumPy computes on the CPU")


def describe(device):
    known = {"version": np.__version__}
    try:
        import scipy

        known["scipy"] = scipy.__version__
    except ImportError:
        pass
    return known


def scipy_module(name):
    import importlib

    try:
        return importlib.import_module("scipy." + name)
    except ImportError:
        raise NotImplementedError("not implemented: SciPy is not installed")


@operation("mm.f32_256")
def _(c):
    return {"y": c.x(30, [256, 256]) @ c.x(31, [256, 256])}


@operation("mm.f32_odd")
def _(c):
    return {"y": c.x(34, [127, 1031]) @ c.x(35, [1031, 129])}


@operation("mm.f64_256", "f64")
def _(c):
    return {"y": c.x(30, [256, 256]) @ (1.0 / (c.x(31, [256, 256]) + 3.0))}


@operation("mm.f32_dot")
def _(c):
    return {"y": np.dot(c.x(40, [65536]), c.x(41, [65536]))}


@operation("mm.einsum")
def _(c):
    return {"y": np.einsum("bij,bjk->bik", c.x(52, [8, 32, 48]), c.x(53, [8, 48, 32]))}


@operation("red.sum_1m")
def _(c):
    return {"y": c.x(20, [1 << 20]).sum()}


@operation("red.rows")
def _(c):
    a = c.x(21, [512, 1000])
    return {"sum0": a.sum(0), "sum1": a.sum(1), "mean": a.mean(1), "var": a.var(1)}


@operation("scan.cumsum")
def _(c):
    return {"y": np.cumsum(c.x(25, [1 << 18]))}


@operation("ew.transcendental")
def _(c):
    a = c.x(10, [16384], 2)
    p = np.abs(a) + c.dtype(0.0625)
    return {"exp": np.exp(a), "log": np.log(p), "sin": np.sin(a), "cos": np.cos(a), "tanh": np.tanh(a),
            "pow": p ** c.dtype(1.7), "log1p": np.log1p(p), "expm1": np.expm1(a), "sqrt": np.sqrt(p)}


@operation("ew.transcendental_f64", "f64")
def _(c):
    a = c.x(11, [8192], 2)
    p = np.abs(a) + 0.0625
    return {"exp": np.exp(a), "log": np.log(p), "sin": np.sin(a), "tanh": np.tanh(a), "pow": p**1.7}


@operation("conv.correlate")
def _(c):
    return {"y": np.correlate(c.x(94, [4096]), c.x(95, [65]), "same")}


@operation("fft.rfft_fft", "f64")
def _(c):
    real = lambda z: np.stack([z.real, z.imag], -1)
    return {"rfft": real(np.fft.rfft(c.x(270, [16, 1000]))), "fft": real(np.fft.fft(c.x(271, [16, 512])))}


def positive_definite(c, n, seed):
    a = c.x(seed, [n, n])
    return a @ a.T + np.eye(n, dtype=c.dtype) * c.dtype(n)


@operation("la.solve", "f64")
def _(c):
    a = positive_definite(c, 64, 280)
    return {"x": np.linalg.solve(a, c.x(281, [64, 4])), "inv": np.linalg.inv(a), "cholesky": np.linalg.cholesky(a)}


@operation("la.svd", "f64")
def _(c):
    u, s, _ = np.linalg.svd(c.x(285, [96, 64]), full_matrices=False)
    return {"s": s, "absu": np.abs(u)}


@operation("la.eigh", "f64")
def _(c):
    w, v = np.linalg.eigh(positive_definite(c, 64, 284))
    return {"w": w, "absv": np.abs(v)}


@operation("ord.sort", "f64")
def _(c):
    keys = c.indices(240, [16384], 64)
    return {"stable": np.argsort(keys, kind="stable"), "quick": np.argsort(keys)}


@operation("rng.legacy", "f64")
def _(c):
    r = np.random.RandomState(42)
    return {"rand": r.rand(4099), "randn": r.randn(4099), "randint": r.randint(0, 1 << 30, 1000).astype(np.int64),
            "permutation": r.permutation(1000).astype(np.int64)}


@operation("rng.generator", "f64")
def _(c):
    r = np.random.default_rng(42)
    return {"random": r.random(4099), "normal": r.standard_normal(4099),
            "integers": r.integers(0, 1 << 30, 1000).astype(np.int64),
            "permutation": r.permutation(1000).astype(np.int64)}


@operation("train.logistic")
def _(c):
    x, w = c.x(9701, [256, 20]), c.x(9702, [20], -2)
    y = c.indices(9703, [256], 2).astype(c.dtype)
    losses = []
    for _ in range(5):
        p = 1.0 / (1.0 + np.exp(-(x @ w)))
        losses.append(np.mean((p - y) ** 2))
        w = w - c.dtype(0.5) * (x.T @ (p - y)) / c.dtype(256)
    return {"losses": np.stack(losses), "w": w}


@operation("scipy.lu", "f64")
def _(c):
    lu, pivots = scipy_module("linalg").lu_factor(c.x(286, [64, 64]))
    return {"lu": lu, "pivots": pivots.astype(np.int64)}


@operation("scipy.special", "f64")
def _(c):
    special = scipy_module("special")
    a = np.abs(c.x(12, [4096], 2)) + 0.0625
    return {"erf": special.erf(a), "gammaln": special.gammaln(a), "j0": special.j0(a)}


@operation("scipy.convolve")
def _(c):
    signal = scipy_module("signal")
    return {"y": signal.fftconvolve(c.x(96, [64, 64]), c.x(97, [9, 9]), "same")}
