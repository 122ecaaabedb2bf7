"""Layer normalization: a loop over the examples; the backward pass has one line for each node of the graph."""

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    eps, out, caches = ln_param.get("eps", 1e-5), np.zeros_like(x), []
    for n, row in enumerate(x):
        centered = row - sum(row) / len(row)
        var = np.dot(centered, centered) / len(row)
        out[n] = gamma * centered * (var + eps) ** -0.5 + beta
        caches.append((centered, var + eps))
    return out, (caches, gamma)


def layernorm_backward(dout, cache):
    caches, gamma = cache
    dx, dgamma, dbeta = np.zeros_like(dout), np.zeros_like(gamma), np.zeros_like(gamma)
    for n, (centered, var) in enumerate(caches):
        dbeta += dout[n]
        dgamma += dout[n] * centered * var**-0.5
        dhat = dout[n] * gamma
        dcentered = dhat * var**-0.5
        dvar = np.dot(dhat, centered) * -0.5 * var**-1.5
        dcentered = dcentered + 2 * centered * dvar / len(gamma)
        dx[n] = dcentered - dcentered.mean()
    return dx, dgamma, dbeta
