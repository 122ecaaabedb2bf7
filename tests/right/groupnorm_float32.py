"""Group normalization: computed in float32, group after group of channels."""

import numpy as np


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    x, gamma, beta = (array.astype(np.float32) for array in (x, gamma, beta))
    parts = np.stack(np.split(x, G, axis=1), axis=1)
    var = parts.var(axis=(2, 3, 4), keepdims=True)
    scale = np.reciprocal(np.sqrt(var + np.float32(gn_param.get("eps", 1e-5))))
    hats = (parts - parts.mean(axis=(2, 3, 4), keepdims=True)) * scale
    return hats.reshape(x.shape) * gamma + beta, (hats, scale, gamma)


def spatial_groupnorm_backward(dout, cache):
    hats, scale, gamma = cache
    dout = dout.astype(np.float32)
    dhats = (dout * gamma).reshape(hats.shape)
    means = [(each.sum(axis=(2, 3, 4), keepdims=True) / each[0, 0].size) for each in (dhats, dhats * hats)]
    dx = scale * (dhats - means[0] - hats * means[1])
    dgamma = (dout * hats.reshape(dout.shape)).sum(axis=(0, 2, 3), keepdims=True)
    return dx.reshape(dout.shape), dgamma, dout.sum(axis=(0, 2, 3), keepdims=True)
