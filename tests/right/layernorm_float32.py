"""Layer normalization: computed in float32."""

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    x, gamma, beta = (array.astype(np.float32) for array in (x, gamma, beta))
    centered = x - x.mean(axis=-1, keepdims=True)
    power = np.square(centered).mean(axis=-1, keepdims=True) + np.float32(ln_param.get("eps", 1e-5))
    return gamma * centered / np.sqrt(power) + beta, (centered, power, gamma)


def layernorm_backward(dout, cache):
    centered, power, gamma = cache
    dout = np.float32(dout)
    dhat, scale = dout * gamma, 1 / np.sqrt(power)
    inner = dhat - centered * np.mean(dhat * centered, axis=-1, keepdims=True) / power
    dx = scale * (inner - inner.mean(axis=-1, keepdims=True))
    return dx, np.sum(dout * centered * scale, axis=0), np.sum(dout, axis=0)
