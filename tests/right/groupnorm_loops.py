"""Group normalization: one loop over the groups of each example."""

import numpy as np


def _groups(N, C, G):
    size = C // G
    return [(n, slice(g * size, (g + 1) * size)) for n in range(N) for g in range(G)]


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    hat, stds = np.empty(x.shape), {}
    for n, channels in _groups(*x.shape[:2], G):
        part = x[n, channels]
        stds[n, channels.start] = np.sqrt(np.var(part) + gn_param.get("eps", 1e-5))
        hat[n, channels] = (part - np.mean(part)) / stds[n, channels.start]
    return hat * gamma + beta, (hat, stds, gamma, G)


def spatial_groupnorm_backward(dout, cache):
    hat, stds, gamma, G = cache
    dx = dout * gamma
    for n, channels in _groups(*dout.shape[:2], G):
        d, h = dx[n, channels].copy(), hat[n, channels]
        dx[n, channels] = (d - d.mean() - h * (d * h).mean()) / stds[n, channels.start]
    shape = gamma.shape
    return dx, np.einsum("nchw,nchw->c", dout, hat).reshape(shape), np.einsum("nchw->c", dout).reshape(shape)
