# PyTorch: the training programs of the guides on reproducibility. Dropout masks are hashed, so that training can be
# compared between machines whose random streams differ; optimiser steps are written out, since an optimiser class may
# choose another order of operations.


def simple_cnn(c, steps, adam):
    """SimpleCNN: conv 1-32-64 of kernel 3, max-pool, dropout, fc 9216-128-10, negative log likelihood."""
    p = [
        c.param(9001, [32, 1, 3, 3], -1),
        c.param(9002, [32], -2),
        c.param(9003, [64, 32, 3, 3], -4),
        c.param(9004, [64], -4),
        c.param(9005, [128, 9216], -6),
        c.param(9006, [128], -6),
        c.param(9007, [10, 128], -3),
        c.param(9008, [10], -3),
    ]
    m, v = [torch.zeros_like(t) for t in p], [torch.zeros_like(t) for t in p]
    losses, n = [], 16
    for step in range(steps):
        seed = 9100 + 10 * step
        x, y = c.x(seed, [n, 1, 28, 28]), c.indices(seed + 1, [n], 10)
        mask1 = (c.indices(seed + 2, [n, 64, 12, 12], 4) != 0).to(c.dtype) * (4.0 / 3.0)
        mask2 = c.indices(seed + 3, [n, 128], 2).to(c.dtype) * 2.0
        z = F.relu(F.conv2d(F.relu(F.conv2d(x, p[0], p[1])), p[2], p[3]))
        z = torch.flatten(F.max_pool2d(z, 2) * mask1, 1)
        z = F.relu(F.linear(z, p[4], p[5])) * mask2
        loss = F.nll_loss(F.log_softmax(F.linear(z, p[6], p[7]), -1), y)
        g = torch.autograd.grad(loss, p)
        losses.append(loss.detach())
        for i in range(len(p)):
            if adam:
                m[i] = m[i] * 0.9 + g[i] * (1.0 - 0.9)
                v[i] = v[i] * 0.999 + (g[i] * g[i]) * (1.0 - 0.999)
                b1, b2 = 1.0 - 0.9 ** (step + 1), 1.0 - 0.999 ** (step + 1)
                q = p[i].detach() - (m[i] / b1) / ((v[i] / b2).sqrt() + 1e-8) * 1e-3
            else:
                q = p[i].detach() - g[i] * 0.0625
            p[i] = q.requires_grad_(True)
    named = {"w_conv1": p[0], "w_conv2": p[2], "w_fc1": p[4], "w_fc2": p[6], "b_fc2": p[7]}
    return dict({"losses": torch.stack(losses)}, **named)


@operation("train.cnn_sgd")
def _(c):
    return simple_cnn(c, 3, adam=False)


@operation("train.cnn_adam")
def _(c):
    return simple_cnn(c, 3, adam=True)


def rnn_step(c, p, x):
    return torch.rnn_tanh(x, c.zeros(1, 32, 20), p[:4], True, 1, 0.0, True, False, False)[0][4]


def plain_sgd(p, loss, rate):
    g = torch.autograd.grad(loss, p)
    return [(a.detach() - b * rate).requires_grad_(True) for a, b in zip(p, g)]


@operation("train.rnn_sgd")
def _(c):
    p = recurrent_parameters(c, 1, 10, 20, 9301) + [c.param(9305, [1, 20], -2)]
    losses = []
    for step in range(5):
        e = F.linear(rnn_step(c, p, c.x(9310 + step, [5, 32, 10])), p[4]) - c.x(9330 + step, [32, 1])
        loss = (e * e).mean()
        losses.append(loss.detach())
        p = plain_sgd(p, loss, 0.125)
    return {"losses": torch.stack(losses), "wi": p[0], "wh": p[1], "wo": p[4]}


@operation("train.rnn_ce")
def _(c):
    # SimpleRNN: RNN 10-20, a linear layer to 4 classes, cross-entropy.
    p = recurrent_parameters(c, 1, 10, 20, 9401) + [c.param(9405, [4, 20], -2), c.param(9406, [4], -2)]
    losses = []
    for step in range(5):
        z = F.linear(rnn_step(c, p, c.x(9410 + step, [5, 32, 10])), p[4], p[5])
        loss = F.nll_loss(F.log_softmax(z, -1), c.indices(9430 + step, [32], 4))
        losses.append(loss.detach())
        p = plain_sgd(p, loss, 0.125)
    return {"losses": torch.stack(losses), "wi": p[0], "wh": p[1], "wo": p[4], "bo": p[5]}


@operation("train.mnist_sgd")
def _(c):
    # The small MNIST network: conv 1-10-20 of kernel 5, dropout, fc 320-50-10, SGD with momentum 0.5.
    p = [
        c.param(9501, [10, 1, 5, 5], -2),
        c.param(9502, [10], -2),
        c.param(9503, [20, 10, 5, 5], -3),
        c.param(9504, [20], -3),
        c.param(9505, [50, 320], -4),
        c.param(9506, [50], -4),
        c.param(9507, [10, 50], -2),
        c.param(9508, [10], -2),
    ]
    momentum, losses, n = [torch.zeros_like(t) for t in p], [], 16
    for step in range(3):
        seed = 9600 + 10 * step
        x, y = c.x(seed, [n, 1, 28, 28]), c.indices(seed + 1, [n], 10)
        mask1 = c.indices(seed + 2, [n, 20, 1, 1], 2).to(c.dtype) * 2.0
        mask2 = c.indices(seed + 3, [n, 50], 2).to(c.dtype) * 2.0
        z = F.relu(F.max_pool2d(F.conv2d(x, p[0], p[1]), 2))
        z = F.relu(F.max_pool2d(F.conv2d(z, p[2], p[3]) * mask1, 2))
        z = F.relu(F.linear(torch.flatten(z, 1), p[4], p[5])) * mask2
        loss = F.nll_loss(F.log_softmax(F.linear(z, p[6], p[7]), -1), y)
        g = torch.autograd.grad(loss, p)
        losses.append(loss.detach())
        for i in range(len(p)):
            momentum[i] = momentum[i] * 0.5 + g[i]
            p[i] = (p[i].detach() - momentum[i] * 0.0625).requires_grad_(True)
    return {"losses": torch.stack(losses), "w_conv1": p[0], "w_conv2": p[2], "w_fc1": p[4], "w_fc2": p[6], "b_fc2": p[7]}
