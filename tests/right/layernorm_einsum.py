"""Layer normalization: einsum for every sum; the cache is an object."""

from types import SimpleNamespace

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    D = x.shape[1]
    centered = x - np.einsum("nd->n", x)[:, None] / D
    power = np.einsum("nd,nd->n", centered, centered) / D + ln_param.get("eps", 1e-5)
    hat = np.einsum("nd,n->nd", centered, 1 / np.sqrt(power))
    return np.einsum("nd,d->nd", hat, gamma) + beta, SimpleNamespace(hat=hat, scale=1 / np.sqrt(power), gamma=gamma)


def layernorm_backward(dout, cache):
    D = dout.shape[1]
    total = np.einsum("nd,d->n", dout, cache.gamma)
    along = np.einsum("nd,d,nd->n", dout, cache.gamma, cache.hat)
    dx = (dout * cache.gamma - (total[:, None] + cache.hat * along[:, None]) / D) * cache.scale[:, None]
    return dx, np.einsum("nd,nd->d", dout, cache.hat), np.einsum("nd->d", dout)
