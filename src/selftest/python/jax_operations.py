# JAX. float64 is left as found: many programs run without it.
import os as _os

_os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp

LIBRARY = "jax"


def set_threads(n):
    """XLA's CPU client takes the process's affinity when it starts, so that is what is narrowed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def set_flag(name, value):
    raise ValueError("JAX has no flag %s" % name)


def check_device(device):
    kind = "gpu" if device.startswith("cuda") else device
    try:
        jax.config.update("jax_default_device", jax.devices(kind)[int((device.split(":") + ["0"])[1])])
    except (RuntimeError, IndexError) as error:
        return "no-device", str(error).splitlines()[0][:200]
    return None


def describe(device):
    import jaxlib

    return {"version": jax.__version__, "jaxlib": jaxlib.__version__}


def array(c, *a):
    return jnp.asarray(c.x(*a))


def compiled(id, function, make):
    """An operation under jit."""

    @operation(id)
    def _(c):
        return {name: value for name, value in jax.jit(function)(*make(c)).items()}


compiled("mm.f32_256", lambda a, b: {"y": a @ b}, lambda c: (array(c, 30, [256, 256]), array(c, 31, [256, 256])))
compiled("mm.f32_odd", lambda a, b: {"y": a @ b}, lambda c: (array(c, 34, [127, 1031]), array(c, 35, [1031, 129])))
compiled("mm.f32_dot", lambda a, b: {"y": a @ b}, lambda c: (array(c, 40, [65536]), array(c, 41, [65536])))
compiled("red.sum_1m", lambda a: {"y": a.sum()}, lambda c: (array(c, 20, [1 << 20]),))
compiled("red.rows", lambda a: {"sum0": a.sum(0), "sum1": a.sum(1), "var": a.var(1)}, lambda c: (array(c, 21, [512, 1000]),))
compiled("scan.cumsum", lambda a: {"y": jnp.cumsum(a)}, lambda c: (array(c, 25, [1 << 16]),))
compiled(
    "ew.transcendental",
    lambda a: {
        "exp": jnp.exp(a), "sin": jnp.sin(a), "tanh": jnp.tanh(a), "log1p": jnp.log1p(jnp.abs(a)),
        "erf": jax.scipy.special.erf(a), "pow": (jnp.abs(a) + 0.0625) ** 1.7,
    },
    lambda c: (array(c, 10, [16384], 2),),
)
compiled(
    "sm.softmax",
    lambda a: {"softmax": jax.nn.softmax(a), "lse": jax.nn.logsumexp(a, axis=-1)},
    lambda c: (array(c, 122, [64, 1000], 3),),
)
compiled(
    "idx.scatter_add",
    lambda i, v: {"y": jnp.zeros(64, jnp.float32).at[i].add(v)},
    lambda c: (jnp.asarray(c.indices(160, [65536], 64).astype(np.int32)), array(c, 161, [65536])),
)
compiled("ord.sort", lambda i: {"order": jnp.argsort(i)}, lambda c: (jnp.asarray(c.indices(240, [16384], 64).astype(np.int32)),))


def convolve(x, w):
    return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME")


def convolution(x, w):
    y, back = jax.vjp(convolve, x, w)
    dx, dw = back(y)
    return {"y": y, "dx": dx, "dw": dw}


compiled("conv.2d_3x3", convolution, lambda c: (array(c, 70, [4, 16, 28, 28]), array(c, 71, [32, 16, 3, 3], -3)))
compiled(
    "la.factor",
    lambda a: {"cholesky": jnp.linalg.cholesky(a @ a.T + 64.0 * jnp.eye(64)), "s": jnp.linalg.svd(a, compute_uv=False)},
    lambda c: (array(c, 282, [64, 64]),),
)


@operation("rng.threefry")
def _(c):
    key = jax.random.PRNGKey(42)
    return {"uniform": jax.random.uniform(key, (4099,)), "normal": jax.random.normal(key, (4099,)),
            "permutation": jax.random.permutation(key, 1000).astype(np.int32)}


def loss(p, x, y):
    z = jax.nn.relu(x @ p[0] + p[1]) @ p[2]
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1))


@operation("train.mlp_sgd")
def _(c):
    p = [array(c, 9701, [20, 64], -2), array(c, 9702, [64], -2), array(c, 9703, [64, 4], -2)]
    x, y = array(c, 9704, [128, 20]), jnp.asarray(c.indices(9705, [128], 4).astype(np.int32))
    step, losses = jax.jit(jax.value_and_grad(loss)), []
    for _ in range(3):
        value, g = step(p, x, y)
        losses.append(value)
        p = [a - 0.125 * b for a, b in zip(p, g)]
    return {"losses": jnp.stack(losses), "w1": p[0], "b1": p[1], "w2": p[2]}
