#!/usr/bin/env python3
"""Which operation families a factor moves on the CPU: the table of docs/concepts/what-moves-on-cpu.md.

  families.py run SUITE                 one process: a line of JSON, operation -> digest of its bits
  families.py matrix [--only REGEX]     every pair of ARMS, each side in a fresh process; what moved, by family

A suite (numpy, scipy, sklearn, torch, jax, tensorflow, pandas, python) evaluates operations named `family:detail`, where
`family` is one of src/workload/families.toml. Inputs are integers of a Mersenne twister that NumPy froze, scaled to full
mantissas, so that no input depends on what is measured. An operation that a version lacks has the digest "n/a". Every
process starts from a clean environment. `matrix` needs the virtual environments of the benchmarks at
$DRIFTLOCK_BENCH_ENVS; those that are missing are left out. No number here is a time.
"""
import hashlib, json, os, re, subprocess, sys, time, warnings

warnings.filterwarnings("ignore")
OPS = {}


def op(name):
    def keep(f):
        OPS[name] = f
        return f
    return keep


def ops(prefix, **kw):
    """Several operations of one family."""
    for k, f in kw.items(): OPS[f"{prefix}:{k}"] = f


def digest(x):
    h = hashlib.sha256()

    def feed(v):
        import numpy as np
        if isinstance(v, (tuple, list)):
            for w in v: feed(w)
            return
        if hasattr(v, "detach"):
            v = v.detach()
            if "bfloat16" in str(v.dtype): v = v.float()
            v = v.numpy()
        if isinstance(v, (float, int, str, bytes, bool)): h.update(repr(v).encode()); return
        v = np.ascontiguousarray(np.asarray(v))
        h.update(str(v.dtype).encode() + str(v.shape).encode() + v.tobytes())
    feed(x)
    return h.hexdigest()[:16]


def inputs():
    """Numbers from -4.4 to 4.4 with full mantissas in float64 (and, rounded, in float32): sums of exact products are blind to their order."""
    import numpy as np
    r = np.random.RandomState(7)

    def t(*s): return (r.randint(-2 ** 23, 2 ** 23, s) / 2.0 ** 21) * 1.1
    return np, t


# ---------------------------------------------------------------- numpy
def suite_numpy():
    np, t = inputs()
    R, G = np.random.RandomState, np.random.default_rng
    ops("numpy.rng.legacy.uniform", randint=lambda: R(1).randint(0, 1000, 5000), random=lambda: R(1).random_sample(5000), permutation=lambda: R(1).permutation(1000), uniform=lambda: R(1).uniform(-1, 3, 5000))
    ops("numpy.rng.legacy.distributions", randn=lambda: R(1).randn(5000), gamma=lambda: R(1).gamma(2., 1., 5000), beta=lambda: R(1).beta(2., 3., 5000), poisson=lambda: R(1).poisson(30., 5000),
        binomial=lambda: R(1).binomial(100, .3, 5000), choice_p=lambda: R(1).choice(100, 500, p=np.full(100, .01)), exponential=lambda: R(1).exponential(1., 5000), multinomial=lambda: R(1).multinomial(50, [.2, .3, .5], 500), lognormal=lambda: R(1).lognormal(0., 1., 5000))
    ops("numpy.rng.generator.uniform", integers=lambda: G(1).integers(0, 1000, 5000), int8=lambda: G(1).integers(0, 100, 5000, dtype=np.int8), random=lambda: G(1).random(5000), random32=lambda: G(1).random(5000, dtype=np.float32), permutation=lambda: G(1).permutation(1000), choice=lambda: G(1).choice(1000, 100, replace=False))
    ops("numpy.rng.generator.distributions", normal=lambda: G(1).standard_normal(5000), normal32=lambda: G(1).standard_normal(5000, dtype=np.float32), gamma=lambda: G(1).gamma(2., 1., 5000), beta=lambda: G(1).beta(2., 3., 5000), poisson=lambda: G(1).poisson(30., 5000),
        binomial=lambda: G(1).binomial(100, .3, 5000), multinomial=lambda: G(1).multinomial(50, [.2, .3, .5], 500), exponential=lambda: G(1).exponential(1., 5000), dirichlet=lambda: G(1).dirichlet([1., 2., 3.], 500), hypergeometric=lambda: G(1).hypergeometric(30, 50, 20, 1000), laplace=lambda: G(1).laplace(0., 1., 5000), vonmises=lambda: G(1).vonmises(0., 2., 2000))
    cov = np.eye(4) + .1
    ops("numpy.rng.multivariate-normal", legacy=lambda: R(1).multivariate_normal(np.zeros(4), cov, 500), generator=lambda: G(1).multivariate_normal(np.zeros(4), cov, 500), cov60=lambda: G(1).multivariate_normal(np.zeros(60), S60, 50))
    B = t(200003); P = np.abs(B) + .01; U = B / 4.41
    S60 = t(60, 60); S60 = S60 @ S60.T / 60 + np.eye(60)
    for dt in ("float16", "float32", "float64"):
        b, p, u = B.astype(dt), P.astype(dt), U.astype(dt)
        for f in ("exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "tanh", "arctan", "cbrt"): OPS[f"numpy.ufunc.math:{f}.{dt}"] = lambda f=f, b=b: getattr(np, f)(b)
        for f in ("log", "log2", "log10", "log1p"): OPS[f"numpy.ufunc.math:{f}.{dt}"] = lambda f=f, p=p: getattr(np, f)(p)
        for f in ("arcsin", "arccos"): OPS[f"numpy.ufunc.math:{f}.{dt}"] = lambda f=f, u=u: getattr(np, f)(u)
        OPS[f"numpy.ufunc.math:power.{dt}"] = lambda b=b, p=p: np.power(p, b)
        OPS[f"numpy.ufunc.math:arctan2.{dt}"] = lambda b=b, p=p: np.arctan2(b, p)
        OPS[f"numpy.ufunc.math:hypot.{dt}"] = lambda b=b, p=p: np.hypot(b, p)
        OPS[f"numpy.ufunc.basic:{dt}"] = lambda b=b, p=p: [b + p, b * p, b / p, np.sqrt(p), np.abs(b), np.floor(b), np.square(b), np.maximum(b, p), b * b.dtype.type(1.1)]
    c = (B[:100000] + 1j * B[100000:200000])
    ops("numpy.ufunc.math", complex_abs=lambda: np.abs(c), complex_exp=lambda: np.exp(c)); ops("numpy.ufunc.basic", complex_mul=lambda: c * c[::-1])
    for dt in ("float16", "float32", "float64"):
        b = (B * 1.1).astype(dt); m = b[:199680].reshape(-1, 256)
        for n, a in (("", b), ("-small", b[:100])):
            OPS[f"numpy.reduce:sum{n}.{dt}"] = lambda a=a: a.sum()
            OPS[f"numpy.reduce:mean{n}.{dt}"] = lambda a=a: a.mean()
            OPS[f"numpy.reduce:std{n}.{dt}"] = lambda a=a: a.std()
        OPS[f"numpy.reduce:axis0.{dt}"] = lambda m=m: m.sum(0); OPS[f"numpy.reduce:axis1.{dt}"] = lambda m=m: m.sum(1)
        OPS[f"numpy.reduce:prod.{dt}"] = lambda a=b: np.prod(1 + a[:1000] * a.dtype.type(1e-3))
        OPS[f"numpy.reduce:strided.{dt}"] = lambda m=m: m[:, ::3].sum()
        OPS[f"numpy.cumulative:cumsum.{dt}"] = lambda a=b: np.cumsum(a)
        OPS[f"numpy.cumulative:cumprod.{dt}"] = lambda a=b: np.cumprod(1 + a[:5000] * a.dtype.type(1e-4))
    for dt in ("float32", "float64"):
        b = B.astype(dt)
        OPS[f"numpy.dot:large.{dt}"] = lambda b=b: b @ b; OPS[f"numpy.dot:small.{dt}"] = lambda b=b: b[:50] @ b[50:100]
        OPS[f"numpy.dot:norm.{dt}"] = lambda b=b: np.linalg.norm(b)
        for n in (8, 64, 200, 400):
            x, y = b[:n * n].reshape(n, n), b[-n * n:].reshape(n, n)
            OPS[f"numpy.matmul:{n}.{dt}"] = lambda x=x, y=y: x @ y
            OPS[f"numpy.matmul:gemv{n}.{dt}"] = lambda x=x, y=y: x @ y[0]
            OPS[f"numpy.matmul:syrk{n}.{dt}"] = lambda x=x: x @ x.T
        OPS[f"numpy.matmul:tall.{dt}"] = lambda b=b: b[:150000].reshape(10, -1) @ b[:150000].reshape(-1, 10)
        OPS[f"numpy.matmul:batched.{dt}"] = lambda b=b: b[:51200].reshape(50, 32, 32) @ b[51200:102400].reshape(50, 32, 32)
        x = b[:10000].reshape(100, 100)
        OPS[f"numpy.einsum:plain.{dt}"] = lambda x=x: np.einsum("ij,kj->ik", x, x[::-1]); OPS[f"numpy.einsum:optimize.{dt}"] = lambda x=x: np.einsum("ij,jk,kl->il", x, x, x, optimize=True)
        OPS[f"numpy.einsum:sum.{dt}"] = lambda b=b: np.einsum("i,i->", b, b)
    for n in (16, 100, 300):
        A = t(n, n); S = A + A.T
        D = A + np.eye(n) * 4 * n
        for k, f in dict(inv=lambda D=D: np.linalg.inv(D), solve=lambda D=D: np.linalg.solve(D, D[0]), det=lambda D=D: np.linalg.slogdet(D)[1], svd=lambda A=A: np.linalg.svd(A), svdvals=lambda A=A: np.linalg.svd(A, compute_uv=False), eigh=lambda S=S: np.linalg.eigh(S),
                         eigvalsh=lambda S=S: np.linalg.eigvalsh(S), qr=lambda A=A: np.linalg.qr(A), chol=lambda D=D: np.linalg.cholesky((D + D.T)), lstsq=lambda A=A: np.linalg.lstsq(A[:, :8], A[:, 9], rcond=None)[0], pinv=lambda A=A: np.linalg.pinv(A[:, :8])).items(): OPS[f"numpy.linalg:{k}{n}"] = f
    ops("numpy.linalg", eig50=lambda: np.linalg.eigvals(B[:2500].reshape(50, 50)))
    ops("numpy.fft", fft4096=lambda: np.fft.fft(B[:4096]), fft1009=lambda: np.fft.fft(B[:1009]), rfft=lambda: np.fft.rfft(B[:10000]), fft2=lambda: np.fft.fft2(B[:40000].reshape(200, 200)), ifft=lambda: np.fft.ifft(c[:1000]), f32=lambda: np.fft.fft(B[:4096].astype("f4")))
    for dt in ("float32", "float64", "int32", "int64", "int16"):
        x = (B * 4).astype(dt); k = (np.floor(B * 8)).astype(dt)
        OPS[f"numpy.sort:values.{dt}"] = lambda x=x: np.sort(x); OPS[f"numpy.sort:argsort-unique.{dt}"] = lambda x=x: np.argsort(np.unique(x)[::-1])
        OPS[f"numpy.sort:argsort-ties.{dt}"] = lambda k=k: np.argsort(k); OPS[f"numpy.sort:argsort-ties-small.{dt}"] = lambda k=k: np.argsort(k[:200]); OPS[f"numpy.sort:argsort-ties-16.{dt}"] = lambda k=k: np.argsort(k[:16] // 8)
        OPS[f"numpy.sort:argpartition.{dt}"] = lambda k=k: np.argpartition(k, 100); OPS[f"numpy.sort:stable.{dt}"] = lambda k=k: np.argsort(k, kind="stable")
    ops("numpy.other", interp=lambda: np.interp(U[:5000], np.linspace(-1, 1, 50), B[:50]), histogram=lambda: np.histogram(B, 50), percentile=lambda: np.percentile(B, [5, 50, 95]), cov=lambda: np.cov(B[:20000].reshape(20, -1)), corrcoef=lambda: np.corrcoef(B[:20000].reshape(20, -1)), convolve=lambda: np.convolve(B[:5000], B[:50]), polyfit=lambda: np.polyfit(U[:500], B[:500], 4), median=lambda: np.median(B), bincount=lambda: np.bincount(np.arange(200003) % 7, B), cross=lambda: np.cross(B[:3000].reshape(-1, 3), B[3000:6000].reshape(-1, 3)), gradient=lambda: np.gradient(B), linspace=lambda: np.linspace(0, 1, 1001), logspace=lambda: np.logspace(0, 1, 1001), outer=lambda: np.outer(B[:300], B[:300]), matrix_power=lambda: np.linalg.matrix_power(U[:900].reshape(30, 30), 5))


# ---------------------------------------------------------------- scipy
def suite_scipy():
    np, t = inputs()
    import scipy.linalg as L, scipy.optimize as O, scipy.sparse as P, scipy.sparse.linalg as PL, scipy.special as S, scipy.stats as T, scipy.fft as F, scipy.signal as G, scipy.ndimage as N, scipy.interpolate as I, scipy.spatial as D, scipy.integrate as Q, scipy.cluster.vq as C
    for n in (16, 200):
        A = t(n, n); H = A + A.T; W = A + np.eye(n) * 4 * n
        for k, f in dict(inv=lambda W=W: L.inv(W), solve=lambda W=W: L.solve(W, W[0]), lu=lambda W=W: L.lu(W), expm=lambda A=A, n=n: L.expm(A / n), svd=lambda A=A: L.svd(A), eigh=lambda H=H: L.eigh(H), qr=lambda A=A: L.qr(A), chol=lambda W=W: L.cholesky(W + W.T), schur=lambda A=A: L.schur(A)).items(): OPS[f"scipy.linalg:{k}{n}"] = f
    M, y = t(400, 12), t(400)
    ros, der = O.rosen, O.rosen_der
    q = lambda w: float(np.sum((M @ w - y) ** 2)); qg = lambda w: 2 * M.T @ (M @ w - y)
    x0 = np.linspace(-1, 1.2, 12)
    for m in ("Nelder-Mead", "BFGS", "L-BFGS-B", "CG", "SLSQP", "Powell", "TNC", "trust-constr"):
        OPS[f"scipy.optimize:{m}.rosen"] = lambda m=m: O.minimize(ros, x0[:6], method=m, jac=der if m in ("BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC", "trust-constr") else None, options={"maxiter": 60}).x
        OPS[f"scipy.optimize:{m}.blas"] = lambda m=m: O.minimize(q, x0, method=m, jac=qg if m in ("BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC", "trust-constr") else None, options={"maxiter": 30}).x
    ops("scipy.optimize", least_squares=lambda: O.least_squares(lambda w: M @ w - y, x0).x, brentq=lambda: O.brentq(lambda v: v ** 3 - 2, 0, 2), curve_fit=lambda: O.curve_fit(lambda v, a, b: a * np.exp(-b * v), np.linspace(0, 2, 50), 2 * np.exp(-np.linspace(0, 2, 50)) + y[:50] * .01)[0], nnls=lambda: O.nnls(M, y)[0], linprog=lambda: O.linprog([-1, -2.2], A_ub=[[1, 1], [1, 3.3]], b_ub=[4, 6]).x, linear_sum=lambda: O.linear_sum_assignment(M[:12])[1], differential_evolution=lambda: O.differential_evolution(ros, [(-2, 2)] * 3, seed=1, maxiter=20, polish=False).x, dual_annealing=lambda: O.dual_annealing(ros, [(-2, 2)] * 3, seed=1, maxiter=20, no_local_search=True).x)
    r = np.random.RandomState(3); sp = P.csr_matrix((t(5000), (r.randint(0, 500, 5000), r.randint(0, 500, 5000))), shape=(500, 500)); sd = (sp + sp.T + P.eye(500) * 200).tocsc(); v = t(500)
    ops("scipy.sparse", matvec=lambda: sp @ v, matmat=lambda: (sp @ sp).toarray(), dense=lambda: sp @ M[:500, :8] if M.shape[0] >= 500 else sp @ np.outer(v, v[:8]), sum=lambda: sp.sum(1), spsolve=lambda: PL.spsolve(sd, v), splu=lambda: PL.splu(sd).solve(v), cg=lambda: PL.cg(sd, v)[0], gmres=lambda: PL.gmres(sd, v)[0], eigsh=lambda: PL.eigsh(sd, 4, v0=v)[0], svds=lambda: PL.svds(sd, 4, v0=v)[1], lsqr=lambda: PL.lsqr(sp, v, iter_lim=20)[0])
    B = t(20000); A = np.abs(B) + .01
    for f in ("gamma", "gammaln", "erf", "erfc", "erfinv", "expit", "j0", "k0", "psi", "ellipk", "zeta", "exp10", "log_ndtr", "ndtri", "lambertw", "i0"):
        x = B / 4.42 if f == "erfinv" else A / 4.42 if f in ("ndtri", "ellipk") else A + 1.1 if f == "zeta" else B
        OPS[f"scipy.special:{f}"] = lambda f=f, x=x: getattr(S, f)(x)
    ops("scipy.special", jv=lambda: S.jv(2.5, A), gammainc=lambda: S.gammainc(2.5, A), betainc=lambda: S.betainc(2., 3., A / 4.42), logsumexp=lambda: S.logsumexp(B), softmax=lambda: S.softmax(B[:1000]), xlogy=lambda: S.xlogy(A, A), hyp2f1=lambda: S.hyp2f1(1., 2., 3., A / 5), logit=lambda: S.logit(A / 4.42))
    for n in ("norm", "gamma", "t", "beta"):
        a = {"norm": (), "gamma": (2.5,), "t": (5.,), "beta": (2., 3.)}[n]; d = getattr(T, n)(*a)
        OPS[f"scipy.stats:{n}.pdf"] = lambda d=d: d.pdf(A / 4.42); OPS[f"scipy.stats:{n}.cdf"] = lambda d=d: d.cdf(A / 4.42); OPS[f"scipy.stats:{n}.ppf"] = lambda d=d: d.ppf(A[:2000] / 4.1); OPS[f"scipy.stats:{n}.rvs"] = lambda d=d: d.rvs(2000, random_state=1)
    ops("scipy.stats", ttest=lambda: T.ttest_ind(B[:9000], A[:9000]), ks=lambda: T.kstest(B[:500], "norm"), pearsonr=lambda: T.pearsonr(B[:9000], A[:9000])[:2], spearmanr=lambda: T.spearmanr(B[:900], A[:900])[:2], kde=lambda: T.gaussian_kde(B[:500])(B[:50]), linregress=lambda: T.linregress(B[:900], A[:900])[:4], multivariate_normal=lambda: T.multivariate_normal.rvs(np.zeros(3), np.eye(3) + .2, 50, random_state=1), skew=lambda: T.skew(B), mannwhitney=lambda: T.mannwhitneyu(B[:300], A[:300]), sobol=lambda: T.qmc.Sobol(4, seed=1).random(64), bootstrap=lambda: T.bootstrap((B[:100],), np.mean, n_resamples=99, random_state=1).confidence_interval)
    ops("scipy.fft", fft=lambda: F.fft(B[:4096]), rfft=lambda: F.rfft(B[:10000]), dct=lambda: F.dct(B[:4096]), fft2=lambda: F.fft2(B[:10000].reshape(100, 100)), f32=lambda: F.fft(B[:4096].astype("f4")), workers2=lambda: F.fft(B.reshape(200, 100), workers=2))
    sos = G.butter(4, .2, output="sos")
    ops("scipy.other", butter=lambda: sos, sosfilt=lambda: G.sosfilt(sos, B), lfilter=lambda: G.lfilter([1., .3], [1., -.4], B), fftconvolve=lambda: G.fftconvolve(B, B[:501]), savgol=lambda: G.savgol_filter(B, 11, 3), welch=lambda: G.welch(B), stft=lambda: G.stft(B[:5000])[2], gaussian=lambda: N.gaussian_filter(B.reshape(100, 200), 1.7), zoom=lambda: N.zoom(B[:2500].reshape(50, 50), 1.7), spline=lambda: I.CubicSpline(np.arange(200.), B[:200])(np.linspace(0, 199, 999)), rbf=lambda: I.RBFInterpolator(B[:200].reshape(-1, 2), A[:100])(B[200:240].reshape(-1, 2)), griddata=lambda: I.griddata(B[:200].reshape(-1, 2), A[:100], B[200:240].reshape(-1, 2) / 8), cdist=lambda: D.distance.cdist(B[:2000].reshape(-1, 10), B[2000:4000].reshape(-1, 10)), cdist_cos=lambda: D.distance.cdist(B[:2000].reshape(-1, 10), B[2000:4000].reshape(-1, 10), "cosine"), pdist=lambda: D.distance.pdist(B[:2000].reshape(-1, 10)), kdtree=lambda: D.cKDTree(B[:3000].reshape(-1, 3)).query(B[3000:6000].reshape(-1, 3), 3), quad=lambda: Q.quad(lambda v: np.exp(-v * v), 0, 2)[0], solve_ivp=lambda: Q.solve_ivp(lambda s, z: [z[1], -np.sin(z[0])], (0, 5), [1., 0.]).y, odeint=lambda: Q.odeint(lambda z, s: [z[1], -np.sin(z[0])], [1., 0.], np.linspace(0, 5, 50)), kmeans2=lambda: C.kmeans2(B[:3000].reshape(-1, 3), 4, seed=1)[0])


# ---------------------------------------------------------------- scikit-learn
def suite_sklearn():
    np, t = inputs()
    from sklearn import linear_model as LM, neural_network as NN, cluster as CL, ensemble as E, tree as TR, decomposition as DE, svm as SV, neighbors as NB, gaussian_process as GP, preprocessing as PP, naive_bayes as NV, discriminant_analysis as DA, mixture as MX, manifold as MF, datasets as DS, metrics as ME, model_selection as MS, feature_selection as FS, isotonic as IS, covariance as CV
    for tag, n, d in (("small", 150, 4), ("large", 3000, 30)):
        X = t(n, d); y = ((X[:, :3].sum(1) + X[:, 0] * X[:, 1]) > 0).astype(int); z = X[:, :3].sum(1) + np.floor(X[:, 0] * 3) * .37

        def fit(name, make, get, target=None, data=None, X=X, y=y, tag=tag):
            target, data = y if target is None else target, X if data is None else data

            def f(): m = make(); m.fit(data, target); return get(m, data)
            OPS[f"{name}.{tag}"] = f
        coef = lambda m, X: m.coef_; proba = lambda m, X: m.predict_proba(X); pred = lambda m, X: m.predict(X); comp = lambda m, X: m.components_
        fit("sklearn.mlp.lbfgs:classifier", lambda: NN.MLPClassifier((40,), solver="lbfgs", max_iter=40, random_state=1), lambda m, X: m.coefs_); fit("sklearn.mlp.lbfgs:regressor", lambda: NN.MLPRegressor(hidden_layer_sizes=(40,), solver="lbfgs", max_iter=40, random_state=1), lambda m, X: m.coefs_, z)
        fit("sklearn.mlp.sgd:adam", lambda: NN.MLPClassifier((40,), max_iter=4, random_state=1), lambda m, X: m.coefs_); fit("sklearn.mlp.sgd:sgd", lambda: NN.MLPClassifier((40,), solver="sgd", max_iter=4, random_state=1), lambda m, X: m.coefs_)
        fit("sklearn.kmeans:lloyd", lambda: CL.KMeans(6, n_init=2, random_state=1), lambda m, X: [m.cluster_centers_, m.inertia_]); fit("sklearn.kmeans:lloyd-labels", lambda: CL.KMeans(6, n_init=2, random_state=1), lambda m, X: m.labels_); fit("sklearn.kmeans:elkan", lambda: CL.KMeans(6, n_init=2, algorithm="elkan", random_state=1), lambda m, X: m.cluster_centers_); fit("sklearn.kmeans:minibatch", lambda: CL.MiniBatchKMeans(6, n_init=2, random_state=1), lambda m, X: m.cluster_centers_)
        fit("sklearn.forest:rf", lambda: E.RandomForestClassifier(20, random_state=1), proba); fit("sklearn.forest:rf-jobs2", lambda: E.RandomForestClassifier(20, random_state=1, n_jobs=2), proba); fit("sklearn.forest:rf-reg", lambda: E.RandomForestRegressor(10, random_state=1), pred, z); fit("sklearn.forest:extra", lambda: E.ExtraTreesClassifier(20, random_state=1), proba); fit("sklearn.forest:isolation", lambda: E.IsolationForest(n_estimators=20, random_state=1), lambda m, X: m.score_samples(X))
        fit("sklearn.tree:classifier", lambda: TR.DecisionTreeClassifier(random_state=1), pred); fit("sklearn.tree:regressor", lambda: TR.DecisionTreeRegressor(random_state=1, max_depth=6), pred, z)
        fit("sklearn.hist-gradient-boosting:classifier", lambda: E.HistGradientBoostingClassifier(max_iter=15, random_state=1), proba); fit("sklearn.hist-gradient-boosting:regressor", lambda: E.HistGradientBoostingRegressor(max_iter=15, random_state=1), pred, z)
        fit("sklearn.gradient-boosting:classifier", lambda: E.GradientBoostingClassifier(n_estimators=10, random_state=1), proba); fit("sklearn.gradient-boosting:regressor", lambda: E.GradientBoostingRegressor(n_estimators=10, random_state=1), pred, z); fit("sklearn.gradient-boosting:adaboost", lambda: E.AdaBoostClassifier(n_estimators=10, random_state=1), proba)
        fit("sklearn.pca:full", lambda: DE.PCA(3, svd_solver="full"), comp); fit("sklearn.pca:auto", lambda: DE.PCA(3), comp); fit("sklearn.pca:randomized", lambda: DE.PCA(3, svd_solver="randomized", random_state=1), comp); fit("sklearn.pca:truncated", lambda: DE.TruncatedSVD(3, random_state=1), comp); fit("sklearn.pca:nmf", lambda: DE.NMF(3, random_state=1, max_iter=50), comp, data=np.abs(X)); fit("sklearn.pca:fastica", lambda: DE.FastICA(3, random_state=1, max_iter=20), comp); fit("sklearn.pca:lda", lambda: DE.LatentDirichletAllocation(3, random_state=1, max_iter=2), comp, data=np.abs(np.floor(X)))
        for k, mk in dict(logistic=lambda: LM.LogisticRegression(max_iter=100), liblinear=lambda: LM.LogisticRegression(solver="liblinear", random_state=1), saga=lambda: LM.LogisticRegression(solver="saga", max_iter=10, random_state=1), newton=lambda: LM.LogisticRegression(solver="newton-cholesky"), ridge=lambda: LM.Ridge(), ridge_clf=lambda: LM.RidgeClassifier(), ols=lambda: LM.LinearRegression(), lasso=lambda: LM.Lasso(alpha=.01), elastic=lambda: LM.ElasticNet(alpha=.01), sgd=lambda: LM.SGDClassifier(max_iter=5, tol=None, random_state=1), lars=lambda: LM.Lars(n_nonzero_coefs=3), bayes=lambda: LM.BayesianRidge(), huber=lambda: LM.HuberRegressor(max_iter=20), poisson=lambda: LM.PoissonRegressor(max_iter=20), perceptron=lambda: LM.Perceptron(max_iter=5, tol=None, random_state=1)).items(): fit(f"sklearn.linear:{k}", mk, coef)
        fit("sklearn.svm:rbf", lambda: SV.SVC(), lambda m, X: m.decision_function(X)); fit("sklearn.svm:proba", lambda: SV.SVC(probability=True, random_state=1), proba) if tag == "small" else None; fit("sklearn.svm:linear", lambda: SV.LinearSVC(random_state=1, max_iter=50), coef); fit("sklearn.svm:svr", lambda: SV.SVR(), pred, z)
        fit("sklearn.neighbors:auto", lambda: NB.KNeighborsRegressor(5, weights="distance"), pred, z); fit("sklearn.neighbors:brute", lambda: NB.KNeighborsRegressor(5, weights="distance", algorithm="brute"), pred, z); fit("sklearn.neighbors:kd", lambda: NB.KNeighborsRegressor(5, weights="distance", algorithm="kd_tree"), pred, z); fit("sklearn.neighbors:labels", lambda: NB.KNeighborsClassifier(5, algorithm="brute"), pred)
        s = slice(0, 200); fit("sklearn.gaussian-process:regressor", lambda: GP.GaussianProcessRegressor(random_state=1, alpha=.1), pred, z[s], X[s])
        fit("sklearn.other:scaler", lambda: PP.StandardScaler(), lambda m, X: m.transform(X)); fit("sklearn.other:quantile", lambda: PP.QuantileTransformer(n_quantiles=50, random_state=1), lambda m, X: m.transform(X)); fit("sklearn.other:power", lambda: PP.PowerTransformer(), lambda m, X: m.transform(X)); fit("sklearn.other:nb", lambda: NV.GaussianNB(), proba); fit("sklearn.other:lda", lambda: DA.LinearDiscriminantAnalysis(), proba); fit("sklearn.other:qda", lambda: DA.QuadraticDiscriminantAnalysis(), proba); fit("sklearn.other:gmm", lambda: MX.GaussianMixture(3, random_state=1, max_iter=10), lambda m, X: m.means_); fit("sklearn.other:bayes_gmm", lambda: MX.BayesianGaussianMixture(n_components=3, random_state=1, max_iter=10), lambda m, X: m.means_)
        fit("sklearn.other:dbscan", lambda: CL.DBSCAN(2.5), lambda m, X: m.labels_); fit("sklearn.other:agglomerative", lambda: CL.AgglomerativeClustering(4), lambda m, X: m.labels_, data=X[:500]); fit("sklearn.other:spectral", lambda: CL.SpectralClustering(3, random_state=1), lambda m, X: m.labels_, data=X[:150]); fit("sklearn.other:ledoit", lambda: CV.LedoitWolf(), lambda m, X: m.covariance_); fit("sklearn.other:selectk", lambda: FS.SelectKBest(k=2), lambda m, X: m.scores_)
        OPS[f"sklearn.other:euclid.{tag}"] = lambda X=X: ME.pairwise_distances(X[:500]); OPS[f"sklearn.other:cosine.{tag}"] = lambda X=X: ME.pairwise_distances(X[:500], metric="cosine"); OPS[f"sklearn.other:argmin.{tag}"] = lambda X=X: ME.pairwise_distances_argmin_min(X[:500], X[-100:])
        OPS[f"sklearn.other:split.{tag}"] = lambda X=X, y=y: MS.train_test_split(X, y, random_state=1); OPS[f"sklearn.other:auc.{tag}"] = lambda X=X, y=y: [ME.roc_auc_score(y, X[:, 0]), ME.log_loss(y, np.clip(X[:, 0] / 8 + .5, .01, .99))]
    X0 = t(150, 4); OPS["sklearn.other:tsne"] = lambda: MF.TSNE(2, random_state=1, max_iter=250, init="random").fit_transform(X0); OPS["sklearn.other:isomap"] = lambda: np.abs(MF.Isomap().fit_transform(X0))
    ops("sklearn.other", make_blobs=lambda: DS.make_blobs(200, random_state=1)[0], make_classification=lambda: DS.make_classification(200, random_state=1)[0], make_regression=lambda: DS.make_regression(200, random_state=1)[0], make_moons=lambda: DS.make_moons(200, noise=.1, random_state=1)[0], isotonic=lambda: IS.IsotonicRegression().fit_transform(X0[:, 0], X0[:, 1]))


# ---------------------------------------------------------------- torch
def suite_torch():
    np, t = inputs()
    import torch, torch.nn as nn, torch.nn.functional as F
    T = lambda *s: torch.from_numpy(t(*s).astype(np.float32))
    big = T(300007); small = T(1000); mid = T(20000)

    def grad(f, *xs):
        ys = [x.clone().requires_grad_() for x in xs]; o = f(*ys); o = o[0] if isinstance(o, tuple) else o
        w = (((torch.arange(o.numel()) % 17) - 8) / 8).reshape(o.shape).to(o.dtype)   # exact: linspace itself moves
        return torch.autograd.grad((o * w).sum(), ys)
    for tag, x in (("", big), (".small", small), (".f64", big[:100003].double())):
        p = x.abs() + .01
        for f in ("exp", "sin", "cos", "tanh", "sigmoid", "erf", "expm1", "atan", "tan", "sinh"): OPS[f"torch.elementwise.math:{f}{tag}"] = lambda f=f, x=x: getattr(torch, f)(x)
        for f in ("log", "log1p", "log2", "rsqrt", "lgamma"): OPS[f"torch.elementwise.math:{f}{tag}"] = lambda f=f, p=p: getattr(torch, f)(p)
        for f in ("gelu", "silu", "softplus", "elu", "mish"): OPS[f"torch.elementwise.math:{f}{tag}"] = lambda f=f, x=x: getattr(F, f)(x)
        OPS[f"torch.elementwise.math:pow{tag}"] = lambda x=x, p=p: p ** 1.7
        OPS[f"torch.elementwise.math:sqrt{tag}"] = lambda p=p: torch.sqrt(p)
        OPS[f"torch.elementwise.basic:add{tag}"] = lambda x=x, p=p: [x + p, x * p, x / p, x * 1.1, x - .3, x / 3.7, F.relu(x), torch.floor(x), x.abs(), torch.clamp(x, -1, 1), F.leaky_relu(x)]
        OPS[f"torch.elementwise.basic:addcmul{tag}"] = lambda x=x, p=p: [torch.addcmul(x, x, p, value=.3), torch.lerp(x, p, .3)]
        OPS[f"torch.elementwise.math:tanh-bwd{tag}"] = lambda x=x: grad(torch.tanh, x); OPS[f"torch.elementwise.math:gelu-bwd{tag}"] = lambda x=x: grad(F.gelu, x); OPS[f"torch.elementwise.math:sigmoid-bwd{tag}"] = lambda x=x: grad(torch.sigmoid, x); OPS[f"torch.elementwise.basic:relu-bwd{tag}"] = lambda x=x: grad(F.relu, x)
    for n in (8, 10, 32, 64, 128, 256, 512):
        A, B = T(n, n), T(n, n); OPS[f"torch.matmul.f32:mm{n}"] = lambda A=A, B=B: A @ B; OPS[f"torch.matmul.f64:mm{n}"] = lambda A=A, B=B: (A.double() * 1.1) @ (B.double() * 1.3)
        OPS[f"torch.matmul.f32:nt{n}"] = lambda A=A, B=B: A @ B.t(); OPS[f"torch.matmul.f32:tn{n}"] = lambda A=A, B=B: A.t() @ B
        OPS[f"torch.matmul.bf16:bf16.{n}"] = lambda A=A, B=B: A.bfloat16() @ B.bfloat16(); OPS[f"torch.matmul.bf16:f16.{n}"] = lambda A=A, B=B: A.half() @ B.half()
    A, B, v = T(512, 700), T(700, 512), T(700); W, W2, xb = T(10, 784), T(128, 784), T(32, 784); L1, L2 = T(16, 4096), T(4096, 24); O1, O2 = T(127, 1031), T(1031, 129); xs, ws = T(5, 20), T(30, 20); Q = T(8, 64, 96)
    K1, K2 = T(32, 32768), T(32768, 32)
    ops("torch.matmul.f32", rect=lambda: A @ B, mv=lambda: A @ v, mv_small=lambda: A[:20, :20].contiguous() @ v[:20], longk=lambda: L1 @ L2, odd=lambda: O1 @ O2, splitk=lambda: K1 @ K2, bmm=lambda: torch.bmm(Q, Q.transpose(1, 2)), linear=lambda: F.linear(xb, W2, v[:128]), linear_bwd=lambda: grad(lambda x, w: F.linear(x, w, v[:128]), xb, W2), linear10=lambda: F.linear(xb, W), linear10_bwd=lambda: grad(lambda x, w: F.linear(x, w), xb, W), linear_tiny=lambda: F.linear(xs, ws), linear_tiny_bwd=lambda: grad(lambda x, w: F.linear(x, w), xs, ws), linear1=lambda: F.linear(xb[:1], W2), einsum=lambda: torch.einsum("bij,bkj->bik", Q, Q), addmm=lambda: torch.addmm(A[:, :512].contiguous(), A, B), batchrows=lambda: (A @ B)[5] - A[5:6] @ B)
    ops("torch.matmul.f64", mv=lambda: A.double() @ (v.double() * 1.1), rect=lambda: (A.double() * 1.1) @ B.double(), bmm=lambda: torch.bmm(Q.double() * 1.1, Q.double().transpose(1, 2)), longk=lambda: (L1.double() * 1.1) @ L2.double(), splitk=lambda: (K1.double() * 1.1) @ K2.double())
    ops("torch.matmul.bf16", linear=lambda: F.linear(xb.bfloat16(), W2.bfloat16()), linear_bwd=lambda: grad(lambda x, w: F.linear(x, w), xb.bfloat16(), W2.bfloat16()), mv=lambda: A.bfloat16() @ v.bfloat16(), longk=lambda: L1.bfloat16() @ L2.bfloat16())
    ops("torch.dot", small=lambda: small @ small, mid=lambda: mid @ mid, large=lambda: big @ big, f64=lambda: big.double() @ (big.double() * 1.1))
    I1, I3, I32 = T(8, 1, 28, 28), T(4, 3, 32, 32), T(4, 32, 16, 16); C1, C3, C33, CP, CD = T(16, 1, 3, 3), T(16, 3, 5, 5), T(48, 32, 3, 3), T(48, 32, 1, 1), T(32, 1, 3, 3)
    convs = {"1ch": (I1, C1, {}), "3ch": (I3, C3, {"padding": 2, "stride": 2}), "32ch": (I32, C33, {"padding": 1}), "pointwise": (I32, CP, {}), "depthwise": (I32, CD, {"groups": 32}), "tiny": (T(1, 1, 8, 8), T(2, 1, 3, 3), {}), "tiny2": (T(2, 3, 8, 8), T(4, 3, 3, 3), {}), "big": (T(32, 32, 26, 26), T(64, 32, 3, 3), {})}
    for k, (x, w, kw) in convs.items():
        b = (torch.arange(w.shape[0]) % 9 - 4) / 8
        OPS[f"torch.conv.forward:{k}"] = lambda x=x, w=w, kw=kw, b=b: F.conv2d(x, w, b, **kw)
        OPS[f"torch.conv.backward:{k}.dx"] = lambda x=x, w=w, kw=kw, b=b: grad(lambda x, w, b: F.conv2d(x, w, b, **kw), x, w, b)[0]
        OPS[f"torch.conv.backward:{k}.dw"] = lambda x=x, w=w, kw=kw, b=b: grad(lambda x, w, b: F.conv2d(x, w, b, **kw), x, w, b)[1:]
    S1, S1w, V1, V1w = T(4, 16, 256), T(32, 16, 5), T(2, 8, 10, 10, 10), T(16, 8, 3, 3, 3)
    ops("torch.conv.forward", conv1d=lambda: F.conv1d(S1, S1w), conv3d=lambda: F.conv3d(V1, V1w), transpose=lambda: F.conv_transpose2d(I32, T32(32, 16, 3, 3)), f64=lambda: F.conv2d(I32.double(), C33.double()), bf16=lambda: F.conv2d(I32.bfloat16(), C33.bfloat16()), channels_last=lambda: F.conv2d(I32.to(memory_format=torch.channels_last), C33))
    Wt = T(32, 16, 3, 3); T32 = lambda *s: Wt
    ops("torch.conv.backward", conv1d=lambda: grad(F.conv1d, S1, S1w), conv3d=lambda: grad(F.conv3d, V1, V1w), transpose=lambda: grad(F.conv_transpose2d, I32, Wt), f64=lambda: grad(F.conv2d, I32.double(), C33.double()), bf16=lambda: grad(F.conv2d, I32.bfloat16(), C33.bfloat16()), channels_last=lambda: grad(F.conv2d, I32.to(memory_format=torch.channels_last), C33))
    for cell in ("RNN", "LSTM", "GRU"):
        for tag, (i, h, s, b) in {"tiny": (10, 20, 5, 3), "mid": (32, 64, 20, 8), "large": (128, 256, 30, 32)}.items():
            x = T(s, b, i); dt = {}

            def module(cell=cell, i=i, h=h):
                m = getattr(nn, cell)(i, h); k = 0
                for q in m.parameters(): k += 1; q.data = (torch.remainder(torch.arange(q.numel()) * (7919 + 2 * k), 1009).reshape(q.shape).float() / 1009 - .5) * .3
                return m

            def back(m, x): o = m(x)[0]; return torch.autograd.grad((o * (((torch.arange(o.numel()) % 17) - 8) / 8).reshape(o.shape)).sum(), list(m.parameters()))
            OPS[f"torch.rnn.forward:{cell}.{tag}"] = lambda x=x, mk=module: mk()(x)[0]; OPS[f"torch.rnn.backward:{cell}.{tag}"] = lambda x=x, mk=module: back(mk(), x)
            def nograd(x=x, mk=module):
                with torch.no_grad(): return mk()(x)[0]
            OPS[f"torch.rnn.forward:{cell}.{tag}.nograd"] = nograd
    q = T(2, 4, 128, 32) / 4; qs = T(1, 2, 8, 16) / 4
    for tag, a in (("", q), (".small", qs)):
        OPS[f"torch.attention:sdpa{tag}"] = lambda a=a: F.scaled_dot_product_attention(a, a.flip(2), a); OPS[f"torch.attention:sdpa-bwd{tag}"] = lambda a=a: grad(F.scaled_dot_product_attention, a, a.flip(2), a); OPS[f"torch.attention:bf16{tag}"] = lambda a=a: F.scaled_dot_product_attention(a.bfloat16(), a.flip(2).bfloat16(), a.bfloat16()); OPS[f"torch.attention:math{tag}"] = lambda a=a: F.softmax(a @ a.transpose(-1, -2), -1) @ a
    y = big * 1.1
    for tag, x, fam in (("", y, "torch.reduce.full"), (".f64", y.double(), "torch.reduce.full"), (".32768", y[:32768], "torch.reduce.full.small"), (".32769", y[:32769], "torch.reduce.full"), (".20000", y[:20000], "torch.reduce.full.small"), (".1000", y[:1000], "torch.reduce.full.small"), (".70000", y[:70000], "torch.reduce.full")):
        for f in ("sum", "mean", "std", "var", "norm"): OPS[f"{fam}:{f}{tag}"] = lambda f=f, x=x: getattr(x, f)()
        OPS[f"{fam}:logsumexp{tag}"] = lambda x=x: torch.logsumexp(x, 0); OPS[f"{fam}:max{tag}"] = lambda x=x: x.max()
    m = y[:300000].reshape(1000, 300); w = y[:300000].reshape(30, 10000)
    for f in ("sum", "mean", "std", "norm"):
        for tag, z in (("", m), (".wide", w), (".small", m[:10])):
            OPS[f"torch.reduce.row:{f}{tag}"] = lambda f=f, z=z: getattr(z, f)(dim=1); OPS[f"torch.reduce.column:{f}{tag}"] = lambda f=f, z=z: getattr(z, f)(dim=0)
    z4 = y[:65536].reshape(8, 32, 16, 16); ops("torch.reduce.column", bias=lambda: z4.sum((0, 2, 3)), dims01=lambda: z4.mean((0, 1)))
    ops("torch.cumulative", cumsum=lambda: torch.cumsum(y, 0), cumsum_rows=lambda: torch.cumsum(m, 1), cumprod=lambda: torch.cumprod(1 + y[:1000] * 1e-4, 0), logcumsumexp=lambda: torch.logcumsumexp(y[:5000], 0))
    for tag, z in (("", m), (".10", y[:3200].reshape(32, 100)[:, :10].contiguous()), (".4d", z4)):
        OPS[f"torch.softmax:softmax{tag}"] = lambda z=z: F.softmax(z, 1); OPS[f"torch.softmax:log_softmax{tag}"] = lambda z=z: F.log_softmax(z, 1); OPS[f"torch.softmax:bwd{tag}"] = lambda z=z: grad(lambda a: F.softmax(a, 1), z); OPS[f"torch.softmax:log-bwd{tag}"] = lambda z=z: grad(lambda a: F.log_softmax(a, 1), z)
    g, bb = T(300), T(300)
    ops("torch.norm-layer", layer=lambda: F.layer_norm(m, (300,), g, bb), layer_small=lambda: F.layer_norm(m[:8], (300,), g, bb), layer_bwd=lambda: grad(lambda a, b, c: F.layer_norm(a, (300,), b, c), m, g, bb), layer_bwd_small=lambda: grad(lambda a, b, c: F.layer_norm(a, (300,), b, c), m[:8], g, bb), batch=lambda: F.batch_norm(z4, None, None, g[:32], bb[:32], True), batch_bwd=lambda: grad(lambda a, b, c: F.batch_norm(a, None, None, b, c, True), z4, g[:32], bb[:32]), group=lambda: F.group_norm(z4, 8, g[:32], bb[:32]), group_bwd=lambda: grad(lambda a, b, c: F.group_norm(a, 8, b, c), z4, g[:32], bb[:32]), instance=lambda: F.instance_norm(z4), rms=lambda: F.rms_norm(m, (300,)), batch_eval=lambda: F.batch_norm(z4, g[:32], g[:32].abs() + .1, g[:32], bb[:32]), normalize=lambda: F.normalize(m), layer64=lambda: F.layer_norm(m.double(), (300,)))
    lab = torch.arange(1000) % 300; lab32 = torch.arange(32) % 10; z10 = y[:320].reshape(32, 10)
    for tag, zz, ll in (("", m, lab), (".small", z10, lab32)):
        OPS[f"torch.loss:cross_entropy{tag}"] = lambda zz=zz, ll=ll: F.cross_entropy(zz, ll); OPS[f"torch.loss:cross_entropy-bwd{tag}"] = lambda zz=zz, ll=ll: grad(lambda a: F.cross_entropy(a, ll).reshape(1), zz); OPS[f"torch.loss:nll{tag}"] = lambda zz=zz, ll=ll: F.nll_loss(zz, ll); OPS[f"torch.loss:mse{tag}"] = lambda zz=zz: F.mse_loss(zz, zz.flip(0)); OPS[f"torch.loss:bce{tag}"] = lambda zz=zz: F.binary_cross_entropy_with_logits(zz, (zz > 0).float()); OPS[f"torch.loss:smooth{tag}"] = lambda zz=zz: F.smooth_l1_loss(zz, zz.flip(0)); OPS[f"torch.loss:kl{tag}"] = lambda zz=zz: F.kl_div(zz, zz.abs()); OPS[f"torch.loss:mse-bwd{tag}"] = lambda zz=zz: grad(lambda a: F.mse_loss(a, zz.flip(0)).reshape(1), zz); OPS[f"torch.loss:bce-bwd{tag}"] = lambda zz=zz: grad(lambda a: F.binary_cross_entropy_with_logits(a, (zz > 0).float()).reshape(1), zz)
    ops("torch.loss", ctc=lambda: F.ctc_loss(F.log_softmax(y[:4000].reshape(50, 4, 20), 2), torch.arange(40).reshape(4, 10) % 19 + 1, torch.full((4,), 50), torch.full((4,), 10)), cdist=lambda: torch.cdist(m[:50], m[50:100]), cosine=lambda: F.cosine_similarity(m[:500], m[500:]))
    E = T(100, 64); ids = (torch.arange(8192) * 7919) % 100; idl = (torch.arange(300007) * 7919) % 1000
    ops("torch.embedding", forward=lambda: F.embedding(ids, E), bwd=lambda: grad(lambda e: F.embedding(ids, e), E), bag=lambda: F.embedding_bag(ids.reshape(-1, 8), E, mode="mean"), bag_bwd=lambda: grad(lambda e: F.embedding_bag(ids.reshape(-1, 8), e, mode="sum"), E))
    ops("torch.scatter", scatter_add=lambda: torch.zeros(1000).scatter_add(0, idl, y), index_add=lambda: torch.zeros(100, 3).index_add(0, ids, m[:82, :300].reshape(-1, 3)[:8192]), bincount=lambda: torch.bincount(idl, y), index_select_bwd=lambda: grad(lambda a: a.index_select(0, ids), E), gather_bwd=lambda: grad(lambda a: a.gather(0, ids[:100].repeat(64, 1).t()), E), scatter_reduce=lambda: torch.zeros(1000).scatter_reduce(0, idl, y, "mean"), getitem_bwd=lambda: grad(lambda a: a[ids], E), mask_bwd=lambda: grad(lambda a: a[a > 0], small), put_unique=lambda: torch.zeros(300007).index_put((torch.arange(300007).flip(0),), y), histc=lambda: torch.histc(y, 50))
    OPS["torch.scatter:index_put_acc"] = lambda: torch.zeros(1000).index_put((idl,), y, accumulate=True)
    im = T(2, 8, 16, 16)
    for md in ("nearest", "bilinear", "bicubic"):
        kw = {} if md == "nearest" else {"align_corners": False}
        OPS[f"torch.interpolate:{md}"] = lambda md=md, kw=kw: F.interpolate(im, (37, 41), mode=md, **kw); OPS[f"torch.interpolate:{md}-bwd"] = lambda md=md, kw=kw: grad(lambda a: F.interpolate(a, (37, 41), mode=md, **kw), im)
    gr = torch.stack(torch.meshgrid(torch.linspace(-1.1, 1, 30), torch.linspace(-1, 1.1, 30), indexing="ij"), -1)[None].repeat(2, 1, 1, 1)
    ops("torch.interpolate", grid=lambda: F.grid_sample(im, gr, align_corners=False), grid_bwd=lambda: grad(lambda a, b: F.grid_sample(a, b, align_corners=False), im, gr), antialias=lambda: F.interpolate(im, (9, 7), mode="bilinear", antialias=True), pad_bwd=lambda: grad(lambda a: F.pad(a, (2, 3, 2, 3), mode="reflect"), im))
    ops("torch.pool", max=lambda: F.max_pool2d(z4, 2), max_bwd=lambda: grad(lambda a: F.max_pool2d(a, 3, 1), z4), avg=lambda: F.avg_pool2d(z4, 2), avg_bwd=lambda: grad(lambda a: F.avg_pool2d(a, 3, 1), z4), adaptive=lambda: F.adaptive_avg_pool2d(z4, 5), adaptive1=lambda: F.adaptive_avg_pool2d(z4, 1), adaptive_bwd=lambda: grad(lambda a: F.adaptive_avg_pool2d(a, 5), z4))
    tie = torch.floor(y); ops("torch.other", linspace=lambda: torch.linspace(-1, 1, 1009), logspace=lambda: torch.logspace(0, 1, 1009), outer=lambda: torch.outer(small, small), where=lambda: torch.where(big > 0, big, -big), cat=lambda: torch.cat([small, big]))
    ops("torch.sort", sort=lambda: torch.sort(y), ties=lambda: torch.sort(tie)[1], topk=lambda: torch.topk(tie, 100)[1], argsort=lambda: torch.argsort(tie), rows=lambda: torch.sort(torch.floor(m), 1)[1], argmax=lambda: torch.argmax(torch.floor(m), 1), unique=lambda: torch.unique(tie, return_inverse=True), median=lambda: torch.floor(m).median(1)[1], kthvalue=lambda: torch.floor(m).kthvalue(5, 1)[1])
    for n in (8, 48, 200):
        a = T(n, n); s = a + a.t(); d = s + torch.eye(n) * 8 * n; l = torch.linalg
        for k, f in dict(inv=lambda d=d: l.inv(d), solve=lambda d=d: l.solve(d, d[0]), det=lambda d=d: l.slogdet(d)[1], svd=lambda a=a: l.svd(a), svdvals=lambda a=a: l.svdvals(a), eigh=lambda s=s: l.eigh(s), qr=lambda a=a: l.qr(a), chol=lambda d=d: l.cholesky(d), lstsq=lambda a=a: l.lstsq(a[:, :5], a[:, 6:7])[0], inv64=lambda d=d: l.inv(d.double() * 1.1), expm=lambda a=a, n=n: torch.matrix_exp(a / n), eigvals=lambda a=a: l.eigvals(a).abs(), norm=lambda a=a: l.norm(a), pinv=lambda a=a: l.pinv(a[:, :5])).items(): OPS[f"torch.linalg:{k}{n}"] = f
    ops("torch.fft", rfft=lambda: torch.fft.rfft(y[:700]).abs(), fft=lambda: torch.view_as_real(torch.fft.fft(y[:4096])), fft2=lambda: torch.view_as_real(torch.fft.fft2(m[:64, :64])), ifft=lambda: torch.fft.irfft(torch.fft.rfft(y[:10000])), f64=lambda: torch.view_as_real(torch.fft.fft(y[:4096].double())), stft=lambda: torch.view_as_real(torch.stft(y[:8192], 256, return_complex=True, window=torch.ones(256))))

    def seeded(f): return lambda: (torch.manual_seed(42), f())[1]
    ops("torch.rng.uniform", rand=seeded(lambda: torch.rand(10007)), rand64=seeded(lambda: torch.rand(1007, dtype=torch.float64)), randint=seeded(lambda: torch.randint(0, 1000, (5000,))), uniform=seeded(lambda: torch.empty(5000).uniform_(-2, 3)), rand_big=seeded(lambda: torch.rand(300007)), rand_small=seeded(lambda: torch.rand(7)))
    ops("torch.rng.normal", randn=seeded(lambda: torch.randn(10007)), randn7=seeded(lambda: torch.randn(7)), randn64=seeded(lambda: torch.randn(1007, dtype=torch.float64)), normal=seeded(lambda: torch.empty(5000).normal_(1, 2)), big=seeded(lambda: torch.randn(300007)), meanstd=seeded(lambda: torch.normal(small, small.abs())), bf16=seeded(lambda: torch.randn(1000, dtype=torch.bfloat16)))
    ops("torch.rng.permutation", randperm=seeded(lambda: torch.randperm(1000)), big=seeded(lambda: torch.randperm(50000)), split=seeded(lambda: torch.utils.data.random_split(range(100), [70, 30])[0].indices))
    pr = torch.full((5000,), .3); D = torch.distributions
    ops("torch.rng.bernoulli", tensor=seeded(lambda: torch.bernoulli(pr)), scalar=seeded(lambda: torch.empty(5000).bernoulli_(.3)), multinomial=seeded(lambda: torch.multinomial(small.abs(), 50)), multinomial_rep=seeded(lambda: torch.multinomial(small.abs(), 50, replacement=True)), exponential=seeded(lambda: torch.empty(5000).exponential_()), poisson=seeded(lambda: torch.poisson(small.abs())), gamma=seeded(lambda: D.Gamma(2., 1.).sample((1000,))), cauchy=seeded(lambda: torch.empty(5000).cauchy_()), geometric=seeded(lambda: torch.empty(5000).geometric_(.3)), lognormal=seeded(lambda: torch.empty(5000).log_normal_()), categorical=seeded(lambda: D.Categorical(pr[:10] / 3).sample((1000,))), gumbel=seeded(lambda: F.gumbel_softmax(small.reshape(10, 100))), beta=seeded(lambda: D.Beta(2., 3.).sample((100,))), bernoulli_d=seeded(lambda: D.Bernoulli(pr).sample()))
    ops("torch.dropout", half=seeded(lambda: F.dropout(torch.ones(5000), .5)), quarter=seeded(lambda: F.dropout(torch.ones(30, 1000), .25)), d2=seeded(lambda: F.dropout2d(z4, .5)), alpha=seeded(lambda: F.alpha_dropout(small, .3, True)), big=seeded(lambda: F.dropout(y, .5)))
    ops("torch.init", linear=seeded(lambda: nn.Linear(300, 40).weight), linear_tiny=seeded(lambda: list(nn.Linear(3, 4).parameters())), conv=seeded(lambda: nn.Conv2d(32, 64, 3).weight), rnn=seeded(lambda: list(nn.LSTM(10, 20).parameters())))
    OPS["torch.init.normal:embedding"] = seeded(lambda: nn.Embedding(100, 64).weight); OPS["torch.init.normal:transformer"] = seeded(lambda: [p for p in nn.TransformerEncoderLayer(32, 4, 64).parameters()]); OPS["torch.init.normal:kaiming"] = seeded(lambda: nn.init.kaiming_normal_(torch.empty(40, 50))); OPS["torch.init.normal:orthogonal"] = seeded(lambda: nn.init.orthogonal_(torch.empty(40, 50))); OPS["torch.init.normal:trunc"] = seeded(lambda: nn.init.trunc_normal_(torch.empty(40, 50)))
    gw = [T(300, 200), T(50)]

    def optim(make):
        def f():
            ps = [nn.Parameter(p.clone()) for p in gw]; o = make(ps)
            for k in range(3):
                for p in ps: p.grad = p.detach() * .3 + k * .01
                o.step()
            return [p.detach() for p in ps]
        return f
    O = torch.optim
    ops("torch.optim.sgd", plain=optim(lambda p: O.SGD(p, lr=.01)), momentum=optim(lambda p: O.SGD(p, lr=.01, momentum=.9, weight_decay=1e-4, nesterov=True)))
    ops("torch.optim.adam", adam=optim(lambda p: O.Adam(p)), adamw=optim(lambda p: O.AdamW(p)), rmsprop=optim(lambda p: O.RMSprop(p)), adagrad=optim(lambda p: O.Adagrad(p)), amsgrad=optim(lambda p: O.Adam(p, amsgrad=True)), fused=optim(lambda p: O.Adam(p, fused=True)), lbfgs=lambda: None)
    del OPS["torch.optim.adam:lbfgs"]
    OPS["torch.optim.clip:norm"] = lambda: (lambda p: (setattr(p, "grad", y.clone()), nn.utils.clip_grad_norm_([p], 1.))[1])(nn.Parameter(y.clone()))

    def enc():
        torch.manual_seed(1); e = nn.TransformerEncoderLayer(32, 4, 64, dropout=0., batch_first=True)
        for k, q in enumerate(e.parameters()): q.data = (torch.remainder(torch.arange(q.numel()) * (7919 + 2 * k), 1009).reshape(q.shape).float() / 1009 - .5) * .3
        return e
    xe = T(4, 16, 32); ops("torch.attention", mha=lambda: enc()(xe), mha_eval=lambda: enc().eval()(xe), mha_bwd=lambda: grad(lambda a: enc()(a), xe))
    am = lambda f: (lambda c: (c.__enter__(), f(), c.__exit__(None, None, None))[1])(torch.autocast("cpu", torch.bfloat16))
    ops("torch.amp", linear=lambda: am(lambda: F.linear(xb, W2)), conv=lambda: am(lambda: F.conv2d(I32, C33)))
    ops("torch.quantized", dynamic=lambda: torch.ao.quantization.quantize_dynamic(fixed_linear(), {nn.Linear}, torch.qint8)(xb), qint=lambda: torch.quantize_per_tensor(y, .03, 3, torch.quint8).int_repr())

    def fixed_linear(): l_ = nn.Sequential(nn.Linear(784, 128)); l_[0].weight.data = W2 * .01; l_[0].bias.data = v[:128] * .1; return l_


# ---------------------------------------------------------------- jax
def suite_jax():
    np, t = inputs()
    import jax, jax.numpy as J, jax.random as R, jax.lax as X
    k = R.PRNGKey(1); f4 = lambda *s: J.asarray(t(*s).astype("f4")); j = jax.jit
    ops("jax.rng", uniform=lambda: R.uniform(k, (5000,)), normal=lambda: R.normal(k, (5000,)), bits=lambda: R.bits(k, (5000,)), randint=lambda: R.randint(k, (5000,), 0, 1000), permutation=lambda: R.permutation(k, 1000), bernoulli=lambda: R.bernoulli(k, .3, (5000,)), gamma=lambda: R.gamma(k, 2., (1000,)), categorical=lambda: R.categorical(k, J.zeros(10), shape=(1000,)), split=lambda: R.split(k, 5), exponential=lambda: R.exponential(k, (5000,)), choice=lambda: R.choice(k, 1000, (100,), replace=False), truncated=lambda: R.truncated_normal(k, -2., 2., (5000,)), gumbel=lambda: R.gumbel(k, (5000,)), poisson=lambda: R.poisson(k, 5., (500,)), dirichlet=lambda: R.dirichlet(k, J.ones(3), (100,)))
    for n in (8, 64, 300, 700): A, B = f4(n, n), f4(n, n); OPS[f"jax.matmul:mm{n}"] = lambda A=A, B=B: A @ B; OPS[f"jax.matmul:mv{n}"] = lambda A=A, B=B: A @ B[0]; OPS[f"jax.matmul:nt{n}"] = lambda A=A, B=B: j(lambda a, b: J.dot(a, b.T) + 1)(A, B)
    b1, b2, v = f4(16, 64, 64), f4(16, 64, 64), f4(300007); L1, L2 = f4(16, 4096), f4(4096, 24)
    ops("jax.matmul", bmm=lambda: b1 @ b2, longk=lambda: L1 @ L2, dot=lambda: v @ v, bf16=lambda: L1.astype(J.bfloat16).astype("f4") @ L2, einsum=lambda: J.einsum("bij,bkj->bik", b1, b2), grad=lambda: jax.grad(lambda w: J.sum(J.tanh(L1 @ w / 64)))(L2))
    x, w = f4(4, 32, 16, 16), f4(48, 32, 3, 3); x1, w1 = f4(8, 1, 28, 28), f4(16, 1, 3, 3); cv = lambda a, b: X.conv(a, b, (1, 1), "SAME"); W16, W28 = (J.arange(16) - 8) / 8., (J.arange(28) - 14) / 8.
    ops("jax.conv", forward=lambda: cv(x, w), fwd1=lambda: cv(x1, w1), bwd=lambda: jax.grad(lambda a, b: J.sum(cv(a, b) * W16), (0, 1))(x, w), bwd1=lambda: jax.grad(lambda a, b: J.sum(cv(a, b) * W28), (0, 1))(x1, w1))
    p = J.abs(v) + .01
    for f in ("exp", "sin", "cos", "tanh", "expm1", "arctan", "tan"): OPS[f"jax.elementwise:{f}"] = lambda f=f: getattr(J, f)(v)
    for f in ("log", "log1p", "sqrt"): OPS[f"jax.elementwise:{f}"] = lambda f=f: getattr(J, f)(p)
    ops("jax.elementwise", power=lambda: p ** 1.7, gelu=lambda: jax.nn.gelu(v), sigmoid=lambda: jax.nn.sigmoid(v), erf=lambda: jax.scipy.special.erf(v), rsqrt=lambda: X.rsqrt(p), basic=lambda: [v + p, v * p, v / p], fma=lambda: j(lambda a, b: a * b + a)(v, p), fused=lambda: j(lambda a: J.exp(J.sin(a)) * a + J.tanh(a))(v), lgamma=lambda: jax.scipy.special.gammaln(p))
    m = v[:300000].reshape(1000, 300)
    ops("jax.reduce", sum=lambda: J.sum(v * 1.1), sum_small=lambda: J.sum(v[:1000]), mean=lambda: J.mean(v), std=lambda: J.std(v), rows=lambda: J.sum(m, 1), cols=lambda: J.sum(m, 0), softmax=lambda: jax.nn.softmax(m), logsumexp=lambda: jax.scipy.special.logsumexp(m, 1), cumsum=lambda: J.cumsum(v), norm=lambda: J.linalg.norm(v), var=lambda: J.var(m, 1), prod=lambda: J.prod(1 + v[:500] * 1e-3), segment=lambda: jax.ops.segment_sum(v, J.arange(300007) % 100), max=lambda: J.max(v))
    for n in (16, 150): A = f4(n, n); S = A + A.T; D = S + J.eye(n) * 8 * n; OPS[f"jax.linalg:inv{n}"] = lambda D=D: J.linalg.inv(D); OPS[f"jax.linalg:svd{n}"] = lambda A=A: J.linalg.svd(A); OPS[f"jax.linalg:eigh{n}"] = lambda S=S: J.linalg.eigh(S); OPS[f"jax.linalg:qr{n}"] = lambda A=A: J.linalg.qr(A); OPS[f"jax.linalg:chol{n}"] = lambda D=D: J.linalg.cholesky(D); OPS[f"jax.linalg:solve{n}"] = lambda D=D: J.linalg.solve(D, D[0]); OPS[f"jax.linalg:det{n}"] = lambda D=D: J.linalg.slogdet(D)[1]
    ops("jax.fft", fft=lambda: J.fft.fft(v[:4096]), rfft=lambda: J.fft.rfft(v[:10000]), fft2=lambda: J.fft.fft2(m[:64, :64]))
    ops("jax.sort", sort=lambda: J.sort(v), ties=lambda: J.argsort(J.floor(v)), topk=lambda: X.top_k(J.floor(v), 50))


# ---------------------------------------------------------------- tensorflow
def suite_tensorflow():
    np, t = inputs()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    f4 = lambda *s: tf.constant(t(*s).astype("f4")); v = f4(300007); p = tf.abs(v) + .01
    for n in (8, 64, 300, 700): A, B = f4(n, n), f4(n, n); OPS[f"tensorflow.matmul:mm{n}"] = lambda A=A, B=B: A @ B; OPS[f"tensorflow.matmul:mv{n}"] = lambda A=A, B=B: tf.linalg.matvec(A, B[0])
    b1, b2 = f4(16, 64, 64), f4(16, 64, 64); L1, L2 = f4(16, 4096), f4(4096, 24); bias = f4(24); xd, wd = f4(32, 30), f4(30, 16)

    def grad(f, *xs):
        xs = [tf.Variable(x) for x in xs]
        with tf.GradientTape() as g: o = f(*xs); l = tf.reduce_sum(o * tf.constant(((np.arange(int(np.prod(o.shape))) % 17 - 8) / 8).astype("f4").reshape(o.shape)))
        return g.gradient(l, xs)
    ops("tensorflow.matmul", bmm=lambda: b1 @ b2, longk=lambda: L1 @ L2, dense=lambda: tf.function(lambda a, b, c: tf.nn.relu(a @ b + c))(L1, L2, bias), f64=lambda: tf.cast(L1, tf.float64) @ tf.cast(L2, tf.float64), bwd=lambda: grad(lambda a, b: a @ b, L1, L2), dense_small=lambda: xd @ wd, bwd_small=lambda: grad(lambda a, b: a @ b, xd, wd), bf16=lambda: tf.cast(tf.cast(L1, tf.bfloat16) @ tf.cast(L2, tf.bfloat16), tf.float32))
    x, w, x1, w1 = f4(4, 16, 16, 32), f4(3, 3, 32, 48), f4(8, 28, 28, 1), f4(3, 3, 1, 16); cv = lambda a, b: tf.nn.conv2d(a, b, 1, "SAME")
    ops("tensorflow.conv", forward=lambda: cv(x, w), fwd1=lambda: cv(x1, w1), dx=lambda: grad(cv, x, w)[0], dw=lambda: grad(cv, x, w)[1], dx1=lambda: grad(cv, x1, w1)[0], dw1=lambda: grad(cv, x1, w1)[1], depthwise=lambda: tf.nn.depthwise_conv2d(x, f4c, [1, 1, 1, 1], "SAME"), pool=lambda: tf.nn.avg_pool2d(x, 2, 2, "SAME"), bn=lambda: tf.compat.v1.nn.fused_batch_norm(x, w[0, 0, 0, :32], w[0, 0, 1, :32])[0], biasgrad=lambda: grad(lambda a, b: tf.nn.bias_add(a, b), x, w[0, 0, 0, :32])[1])
    f4c = f4(3, 3, 32, 1)
    m = tf.reshape(v[:300000], (1000, 300)) * 1.1
    for f in ("exp", "sin", "cos", "tanh", "sigmoid"): OPS[f"tensorflow.elementwise:{f}"] = lambda f=f: getattr(tf.math, f)(v)
    ops("tensorflow.elementwise", log=lambda: tf.math.log(p), log1p=lambda: tf.math.log1p(p), sqrt=lambda: tf.sqrt(p), rsqrt=lambda: tf.math.rsqrt(p), pow=lambda: p ** 1.7, gelu=lambda: tf.nn.gelu(v), erf=lambda: tf.math.erf(v), basic=lambda: [v + p, v * p, v / p, tf.nn.relu(v)], softplus=lambda: tf.nn.softplus(v), f64=lambda: tf.exp(tf.cast(v, tf.float64)), relu_small=lambda: tf.nn.relu(xd * 1.1))
    ops("tensorflow.reduce", sum=lambda: tf.reduce_sum(v * 1.1), sum_small=lambda: tf.reduce_sum(v[:1000] * 1.1), mean=lambda: tf.reduce_mean(v * 1.1), std=lambda: tf.math.reduce_std(v), rows=lambda: tf.reduce_sum(m, 1), cols=lambda: tf.reduce_sum(m, 0), softmax=lambda: tf.nn.softmax(m), softmax_small=lambda: tf.nn.softmax(m[:8, :10]), lse=lambda: tf.reduce_logsumexp(m, 1), cumsum=lambda: tf.cumsum(v), norm=lambda: tf.norm(v), xent=lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(1000) % 300, m), segment=lambda: tf.math.unsorted_segment_sum(v, tf.range(300007) % 100, 100), gather_bwd=lambda: tf.convert_to_tensor(grad(lambda a: tf.gather(a, tf.range(9000) % 50), m)[0]))
    s = tf.random.set_seed
    ops("tensorflow.rng", uniform=lambda: (s(1), tf.random.uniform((5000,)))[1], normal=lambda: (s(1), tf.random.normal((5000,)))[1], big=lambda: (s(1), tf.random.normal((300007,)))[1], stateless=lambda: tf.random.stateless_normal((5000,), [1, 2]), stateless_u=lambda: tf.random.stateless_uniform((5000,), [1, 2]), truncated=lambda: (s(1), tf.random.truncated_normal((5000,)))[1], shuffle=lambda: (s(1), tf.random.shuffle(tf.range(1000)))[1], dropout=lambda: (s(1), tf.nn.dropout(tf.ones(5000), .5))[1], glorot=lambda: tf.keras.initializers.GlorotUniform(1)((30, 40)), generator=lambda: tf.random.Generator.from_seed(1).normal((500,)), gamma=lambda: (s(1), tf.random.gamma((500,), 2.))[1], categorical=lambda: (s(1), tf.random.categorical(m[:3], 50))[1])
    for n in (16, 150): A = f4(n, n); S = A + tf.transpose(A); D = S + tf.eye(n) * 8. * n; OPS[f"tensorflow.linalg:inv{n}"] = lambda D=D: tf.linalg.inv(D); OPS[f"tensorflow.linalg:svd{n}"] = lambda A=A: tf.linalg.svd(A, compute_uv=False); OPS[f"tensorflow.linalg:eigh{n}"] = lambda S=S: tf.linalg.eigvalsh(S); OPS[f"tensorflow.linalg:qr{n}"] = lambda A=A: tf.linalg.qr(A); OPS[f"tensorflow.linalg:chol{n}"] = lambda D=D: tf.linalg.cholesky(D)
    ops("tensorflow.other", fft=lambda: tf.signal.rfft(v[:4096]), sort=lambda: tf.argsort(tf.floor(v)), topk=lambda: tf.math.top_k(tf.floor(v), 50)[1], resize=lambda: tf.image.resize(x, (21, 23)))
    ops("tensorflow.data", shuffle=lambda: list(int(i) for i in tf.data.Dataset.range(100).shuffle(50, seed=1)), pmap=lambda: [float(i) for i in tf.data.Dataset.range(50).map(lambda a: tf.sin(tf.cast(a, tf.float32)), num_parallel_calls=2)])
    K = tf.keras

    def keras(layers, shape, classes, n):
        def f():
            K.utils.set_random_seed(1); mo = K.Sequential([K.layers.Input(shape)] + layers()); mo.compile("sgd", "sparse_categorical_crossentropy")
            X = np.random.RandomState(5).randint(-512, 512, (n,) + shape).astype("f4") / 300; Y = np.random.RandomState(6).randint(0, classes, n)
            mo.fit(X, Y, batch_size=16, epochs=1, verbose=0, shuffle=False); return [np.asarray(q) for q in mo.get_weights()]
        return f
    ly = K.layers
    ops("tensorflow.rnn", lstm=keras(lambda: [ly.LSTM(20), ly.Dense(3, "softmax")], (8, 12), 3, 32), gru=keras(lambda: [ly.GRU(20), ly.Dense(3, "softmax")], (8, 12), 3, 32))
    ops("tensorflow.fit", mlp=keras(lambda: [ly.Dense(32, "relu"), ly.Dense(3, "softmax")], (12,), 3, 64), mlp_tanh=keras(lambda: [ly.Dense(64, "tanh"), ly.Dropout(.3), ly.Dense(3, "softmax")], (50,), 3, 64), cnn=keras(lambda: [ly.Conv2D(8, 3, activation="relu"), ly.MaxPool2D(), ly.Flatten(), ly.Dense(3, "softmax")], (12, 12, 1), 3, 64))


# ---------------------------------------------------------------- pandas, python
def suite_pandas():
    np, t = inputs()
    import pandas as pd, io
    B = t(60000); d = pd.DataFrame({"k": np.arange(60000) % 97, "t": np.floor(B), "x": B * 1.1, "f": (B * 1.1).astype("f4")}); g = d.groupby("k")
    ops("pandas.groupby", sum=lambda: g.sum().to_numpy(), mean=lambda: g.mean().to_numpy(), std=lambda: g.std().to_numpy(), median=lambda: g.median().to_numpy(), first=lambda: g.first().to_numpy(), f32=lambda: g["f"].sum().to_numpy(), cumsum=lambda: g["x"].cumsum().to_numpy())
    csv = d[:500].to_csv(index=False)
    ops("pandas.io", to_csv=lambda: csv, read_csv=lambda: pd.read_csv(io.StringIO(csv)).to_numpy(), read_legacy=lambda: pd.read_csv(io.StringIO(csv), float_precision="legacy").to_numpy(), json=lambda: d[:50].to_json())
    ops("pandas.other", sum=lambda: d.sum().to_numpy(), mean=lambda: d.mean().to_numpy(), std=lambda: d.std().to_numpy(), f32sum=lambda: np.asarray(d["f"].sum()), corr=lambda: d.corr().to_numpy(), rolling=lambda: d["x"].rolling(20).mean().to_numpy(), ewm=lambda: d["x"].ewm(span=9).mean().to_numpy(), sort=lambda: d.sort_values("t").index.to_numpy(), sort_small=lambda: d[:200].sort_values("t").index.to_numpy(), stable=lambda: d.sort_values("t", kind="stable").index.to_numpy(), describe=lambda: d.describe().to_numpy(), merge=lambda: d[:300].merge(d[:300], on="k").to_numpy(), skew=lambda: d.skew().to_numpy(), eval=lambda: pd.eval("a*b+a", local_dict={"a": d["x"], "b": d["t"]}).to_numpy(), quantile=lambda: d["x"].quantile([.1, .9]).to_numpy(), pivot=lambda: d[:500].pivot_table("x", "k", "t").to_numpy(), cut=lambda: pd.cut(d["x"], 7).cat.codes.to_numpy())


def suite_python():
    import math, random
    r = random.Random(1); x = [r.randrange(-2 ** 23, 2 ** 23) / 2 ** 21 for _ in range(20000)]; p = [abs(v) + .01 for v in x]
    for f in ("exp", "sin", "cos", "tan", "tanh", "sinh", "atan", "erf", "expm1", "lgamma", "gamma"): OPS[f"python.math:{f}"] = lambda f=f: repr([getattr(math, f)(v) for v in (p if "gamma" in f else x)])
    for f in ("log", "log2", "log10", "log1p", "sqrt"): OPS[f"python.math:{f}"] = lambda f=f: repr([getattr(math, f)(v) for v in p])
    ops("python.math", pow=lambda: repr([math.pow(a, b) for a, b in zip(p, x)]), hypot=lambda: repr([math.hypot(a, b) for a, b in zip(p, x)]), fsum=lambda: math.fsum(x), operator=lambda: repr([a ** 1.7 for a in p]))
    ops("python.float.sum", sum=lambda: sum(v * 1.1 for v in x))
    ops("python.random", random=lambda: repr([random.Random(1).random() for _ in range(3)]), shuffle=lambda: (lambda l: (random.Random(1).shuffle(l), repr(l))[1])(list(range(500))), sample=lambda: repr(random.Random(1).sample(range(1000), 50)))
    ops("python.random.gauss", gauss=lambda: (lambda g: repr([g.gauss(0, 1) for _ in range(5000)]))(random.Random(1)), gamma=lambda: (lambda g: repr([g.gammavariate(2., 1.) for _ in range(2000)]))(random.Random(1)), expo=lambda: (lambda g: repr([g.expovariate(1.) for _ in range(5000)]))(random.Random(1)), vonmises=lambda: (lambda g: repr([g.vonmisesvariate(0., 2.) for _ in range(2000)]))(random.Random(1)))


def run(suite, only=None):
    globals()["suite_" + suite]()
    out = {}
    for name, f in OPS.items():
        if only and not re.search(only, name): continue
        start = time.time()
        try: out[name] = digest(f())
        except Exception as e: out[name] = "n/a"; os.environ.get("FAMILIES_DEBUG") and print(name, repr(e)[:200], file=sys.stderr)
        if os.environ.get("FAMILIES_DEBUG") and time.time() - start > .3: print(name, round(time.time() - start, 2), file=sys.stderr)
    print(json.dumps(out, sort_keys=True))


# ---------------------------------------------------------------- the matrix
NOFMA = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-BMI2,-MOVBE"}
NOV4, NOV3 = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}, {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}
OLDV4, OLDV3 = {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}, {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}


def core(c, **kw): return {"OPENBLAS_CORETYPE": c, **kw}


def side(env, taskset="", **kw): return (env, taskset, kw)


ARMS = []   # (name, suite, side a, side b)


def arms(suite, env, table):
    for name, a, b in table: ARMS.append((f"{suite}.{name}", suite, a if isinstance(a, tuple) else side(env, **a), b if isinstance(b, tuple) else side(env, **b)))


BLAS = [("repeat", {}, {}), ("threads", {"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "2"}), ("threads-haswell", core("Haswell", OPENBLAS_NUM_THREADS="1"), core("Haswell", OPENBLAS_NUM_THREADS="2")), ("threads-nehalem", core("Nehalem", OPENBLAS_NUM_THREADS="1"), core("Nehalem", OPENBLAS_NUM_THREADS="2")),
        ("core-haswell", {}, core("Haswell")), ("core-haswell-1", {"OPENBLAS_NUM_THREADS": "1"}, core("Haswell", OPENBLAS_NUM_THREADS="1")), ("core-sandybridge", {}, core("Sandybridge")), ("core-nehalem", {}, core("Nehalem")), ("core-skylakex", {}, core("SkylakeX")), ("core-zen-as-haswell", core("Haswell"), core("Zen")),
        ("libm-nofma", {}, NOFMA), ("mkl-vars", {}, {"MKL_NUM_THREADS": "1", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}), ("omp-policies", {}, {"OMP_WAIT_POLICY": "ACTIVE", "OMP_SCHEDULE": "dynamic,3", "OMP_STACKSIZE": "8M", "OMP_NESTED": "true"})]
arms("numpy", "np", BLAS + [("v4", {}, NOV4), ("v3", {}, NOV3), ("icl", {}, {"NPY_DISABLE_CPU_FEATURES": "AVX512_ICL AVX512_SPR"}), ("1.26-to-2.0.2", side("np126"), side("tf218")), ("2.0.2-to-2.3.5", side("tf218"), side("np235")), ("2.3.5-to-2.4.6", side("np235"), side("np")), ("2.3.5-to-2.4.6-one-thread", side("np235", OPENBLAS_NUM_THREADS="1"), side("np", OPENBLAS_NUM_THREADS="1")), ("old-v4", side("np235"), side("np235", **OLDV4)), ("malloc", {}, {"MALLOC_PERTURB_": "165", "MALLOC_ARENA_MAX": "1", "NUMPY_MADVISE_HUGEPAGE": "0"})])
arms("scipy", "np", BLAS + [("v4", {}, NOV4), ("v3", {}, NOV3), ("numpy-2.3.5", side("np"), side("np235")), ("numpy-1.26", side("np"), side("np126")), ("scipy-1.15", side("np235"), side("sk17"))])
arms("pandas", "np", BLAS[:2] + [("core-haswell", {}, core("Haswell")), ("v4", {}, NOV4), ("v3", {}, NOV3), ("libm-nofma", {}, NOFMA), ("numpy-2.3.5", side("np"), side("np235")), ("numpy-1.26", side("np"), side("np126"))])
arms("sklearn", "sk17", BLAS + [("omp-threads", {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2"}), ("omp-only", {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}), ("v4", {}, OLDV4), ("v3", {}, OLDV3), ("1.5.2", side("sk17"), side("sk15"))])
ISA = [("repeat", {}, {}), ("threads", {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2"}), ("aten-avx2", {}, {"ATEN_CPU_CAPABILITY": "avx2"}), ("aten-default", {}, {"ATEN_CPU_CAPABILITY": "default"}), ("mkl-avx2", {}, {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}), ("cbwr-compatible", {}, {"MKL_CBWR": "COMPATIBLE"}), ("cbwr-avx2", {}, {"MKL_CBWR": "AVX2"}), ("cbwr-auto", {}, {"MKL_CBWR": "AUTO"}), ("cbwr-avx512", {}, {"MKL_CBWR": "AVX512"}), ("cbwr-strict", {"MKL_CBWR": "AVX2"}, {"MKL_CBWR": "AVX2,STRICT"}), ("threads-cbwr-strict", {"MKL_CBWR": "AVX2,STRICT", "OMP_NUM_THREADS": "1"}, {"MKL_CBWR": "AVX2,STRICT", "OMP_NUM_THREADS": "2"}),
       ("onednn-avx2", {}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}), ("onednn-avx512", {}, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}), ("onednn-avx512-bf16", {}, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}), ("onednn-sse41", {}, {"ONEDNN_MAX_CPU_ISA": "SSE41"}), ("fpmath-bf16", {}, {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}), ("fpmath-any", {}, {"ONEDNN_DEFAULT_FPMATH_MODE": "ANY"}), ("fpmath-tf32", {}, {"ONEDNN_DEFAULT_FPMATH_MODE": "TF32"}), ("libm-nofma", {}, NOFMA), ("threads-avx2-machine", {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}, {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}),
       ("openblas-vars", {}, {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1", **NOV3}), ("policies", {}, {"OMP_WAIT_POLICY": "ACTIVE", "OMP_SCHEDULE": "dynamic,3", "OMP_PROC_BIND": "close", "OMP_PLACES": "cores", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0", "OMP_STACKSIZE": "8M"}), ("malloc", {}, {"MALLOC_PERTURB_": "165", "MALLOC_ARENA_MAX": "1"}), ("mkl-dead", {}, {"MKL_DEBUG_CPU_TYPE": "5"}), ("mkl-layer", {}, {"MKL_THREADING_LAYER": "GNU", "MKL_SERVICE_FORCE_INTEL": "1"})]
arms("torch", "t211", ISA + [(v, side("t211"), side(v)) for v in ("t210", "t291", "t26", "t21", "t211n1")] + [("t210-t291", side("t210"), side("t291")), ("t291-t26", side("t291"), side("t26")), ("t26-t21", side("t26"), side("t21"))])
XLA = [("repeat", {}, {}), ("max-isa-avx2", {}, {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}), ("max-isa-sse42", {}, {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"}), ("fast-math", {}, {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}), ("single-thread", {}, {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}), ("nproc1", {}, {"NPROC": "1"}), ("affinity", side("jaxnew", "0"), side("jaxnew")), ("omp", {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2"}), ("openblas", {}, {"OPENBLAS_CORETYPE": "Haswell"}), ("openblas-threads", {"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "2"}), ("onednn-avx2", {}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}), ("libm-nofma", {}, NOFMA), ("precision", {}, {"JAX_DEFAULT_MATMUL_PRECISION": "highest"}), ("nojit", {}, {"JAX_DISABLE_JIT": "1"}), ("0.4.35", side("jaxnew"), side("jax0435")), ("npy-v3", {}, OLDV3)]
arms("jax", "jaxnew", XLA)
arms("tensorflow", "tf221", [("repeat", {}, {}), ("intraop", {"TF_NUM_INTRAOP_THREADS": "1"}, {"TF_NUM_INTRAOP_THREADS": "2"}), ("interop", {"TF_NUM_INTEROP_THREADS": "1"}, {"TF_NUM_INTEROP_THREADS": "2"}), ("affinity", side("tf221", "0"), side("tf221")), ("omp", {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2"}), ("onednn-off", {}, {"TF_ENABLE_ONEDNN_OPTS": "0"}), ("onednn-on", {}, {"TF_ENABLE_ONEDNN_OPTS": "1"}), ("onednn-avx2", {}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}), ("onednn-avx2-off", {"TF_ENABLE_ONEDNN_OPTS": "0"}, {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "AVX2"}), ("fpmath-bf16", {}, {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}), ("fpmath-bf16-off", {"TF_ENABLE_ONEDNN_OPTS": "0"}, {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}), ("threads-onednn-off", {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"}, {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "2"}), ("xla", {}, {"TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"}), ("libm-nofma", {}, NOFMA), ("mkl-vars", {}, {"MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Haswell", "ATEN_CPU_CAPABILITY": "avx2"}), ("tf218", side("tf221"), side("tf218"))])
arms("python", "np", [("repeat", {}, {}), ("libm-nofma", {}, NOFMA), ("libm-noavx512", {}, {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ"})])
CACHE = {}


def measure(suite, s, again=0):
    env, mask, extra = s
    key = (suite, env, mask, tuple(sorted(extra.items())), again)
    if key not in CACHE:
        py = os.path.join(os.environ["DRIFTLOCK_BENCH_ENVS"], env, "bin", "python")
        cmd = (["taskset", "-c", mask] if mask else []) + [py, os.path.abspath(__file__), "run", suite]
        clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE", **extra}   # waiting threads sleep: no effect on numbers
        r = subprocess.run(cmd, env=clean, capture_output=True, text=True, timeout=900) if os.path.exists(py) else None
        CACHE[key] = json.loads(r.stdout.splitlines()[-1]) if r and r.returncode == 0 and r.stdout.strip() else None
        if r and r.returncode: print(f"  ! {key}: rc {r.returncode} {r.stderr[-200:]}", file=sys.stderr)
    return CACHE[key]


def matrix(only):
    for name, suite, a, b in ARMS:
        if only and not re.search(only, name): continue
        da, db = measure(suite, a), measure(suite, b, int(a == b))
        if da is None or db is None: print(f"## {name}: not run", flush=True); continue
        fam = {}
        for o in da:
            f = fam.setdefault(o.split(":")[0], [0, []])
            if "n/a" in (da[o], db.get(o, "n/a")): continue
            f[0] += 1
            if da[o] != db[o]: f[1].append(o.split(":")[1])
        print(f"## {name}", flush=True)
        for f, (n, moved) in fam.items():
            if moved: print(f"  {f} {len(moved)}/{n}: {' '.join(moved)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "run": run(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    else: matrix(sys.argv[3] if len(sys.argv) > 3 else None)
