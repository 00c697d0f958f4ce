# TensorFlow.
import os as _os

_os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

LIBRARY = "tensorflow"


def set_threads(n):
    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


def set_flag(name, value):
    if name == "deterministic_algorithms" and value == 1:
        tf.config.experimental.enable_op_determinism()
        return 1
    raise ValueError("TensorFlow has no flag %s" % name)


_place = ["/CPU:0"]


def check_device(device):
    if device.startswith("cuda"):
        index = int((device.split(":") + ["0"])[1])
        if index >= len(tf.config.list_physical_devices("GPU")):
            return "no-device", "TensorFlow sees %d GPUs" % len(tf.config.list_physical_devices("GPU"))
        _place[0] = "/GPU:%d" % index
    return None


def describe(device):
    return {"version": tf.__version__}


def placed(id):
    """An operation on the device of the request."""

    def register(function):
        @operation(id)
        def _(c):
            with tf.device(_place[0]):
                return function(c)

        return function

    return register


def tensor(c, *a):
    return tf.constant(c.x(*a))


@placed("mm.f32_256")
def _(c):
    return {"y": tensor(c, 30, [256, 256]) @ tensor(c, 31, [256, 256])}


@placed("mm.f32_odd")
def _(c):
    return {"y": tensor(c, 34, [127, 1031]) @ tensor(c, 35, [1031, 129])}


@placed("red.sum_1m")
def _(c):
    return {"y": tf.reduce_sum(tensor(c, 20, [1 << 20]))}


@placed("red.rows")
def _(c):
    a = tensor(c, 21, [512, 1000])
    return {"sum0": tf.reduce_sum(a, 0), "sum1": tf.reduce_sum(a, 1), "var": tf.math.reduce_variance(a, 1)}


@placed("scan.cumsum")
def _(c):
    return {"y": tf.cumsum(tensor(c, 25, [1 << 16]))}


@placed("ew.transcendental")
def _(c):
    a = tensor(c, 10, [16384], 2)
    return {"exp": tf.exp(a), "sin": tf.sin(a), "tanh": tf.tanh(a), "erf": tf.math.erf(a),
            "log1p": tf.math.log1p(tf.abs(a)), "pow": (tf.abs(a) + 0.0625) ** 1.7}


@placed("sm.softmax")
def _(c):
    return {"softmax": tf.nn.softmax(tensor(c, 122, [64, 1000], 3))}


@placed("conv.2d_3x3")
def _(c):
    x, w = tensor(c, 70, [4, 28, 28, 16]), tensor(c, 71, [3, 3, 16, 32], -3)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = tf.nn.conv2d(x, w, 1, "SAME")
        total = tf.reduce_sum(y * y)
    dx, dw = tape.gradient(total, [x, w])
    return {"y": y, "dx": dx, "dw": dw}


@placed("idx.segment_sum")
def _(c):
    ids = tf.constant(c.indices(160, [65536], 64))
    return {"y": tf.math.unsorted_segment_sum(tensor(c, 161, [65536]), ids, 64)}


@placed("idx.scatter_add")
def _(c):
    ids = tf.constant(c.indices(160, [65536], 64)[:, None])
    return {"y": tf.tensor_scatter_nd_add(tf.zeros(64), ids, tensor(c, 161, [65536]))}


@placed("la.factor")
def _(c):
    a = tensor(c, 282, [64, 64])
    return {"cholesky": tf.linalg.cholesky(a @ tf.transpose(a) + 64.0 * tf.eye(64)), "s": tf.linalg.svd(a, compute_uv=False)}


@placed("rng.stateless")
def _(c):
    return {"uniform": tf.random.stateless_uniform([4099], [42, 0]), "normal": tf.random.stateless_normal([4099], [42, 0])}


@placed("rng.global")
def _(c):
    tf.random.set_seed(42)
    return {"uniform": tf.random.uniform([4099], seed=1), "normal": tf.random.normal([4099], seed=1)}


@placed("train.mlp_sgd")
def _(c):
    p = [tf.Variable(tensor(c, 9701, [20, 64], -2)), tf.Variable(tensor(c, 9702, [64], -2)), tf.Variable(tensor(c, 9703, [64, 4], -2))]
    x, y = tensor(c, 9704, [128, 20]), tf.constant(c.indices(9705, [128], 4))
    losses = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            z = tf.nn.relu(x @ p[0] + p[1]) @ p[2]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))
        for v, g in zip(p, tape.gradient(loss, p)):
            v.assign_sub(0.125 * g)
        losses.append(loss)
    return {"losses": tf.stack(losses), "w1": p[0], "b1": p[1], "w2": p[2]}
