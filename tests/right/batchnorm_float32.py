"""Batch normalization: computed in float32, running averages included."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    x, gamma, beta = (array.astype(np.float32) for array in (x, gamma, beta))
    momentum, eps = np.float32(bn_param.get("momentum", 0.9)), np.float32(bn_param.get("eps", 1e-5))
    mean, var = (np.float32(bn_param.get(key, 0 * gamma)) for key in ("running_mean", "running_var"))
    if bn_param["mode"] == "train":
        bn_param["running_mean"] = momentum * mean + (1 - momentum) * x.mean(axis=0)
        bn_param["running_var"] = momentum * var + (1 - momentum) * x.var(axis=0)
        mean, var = x.mean(axis=0), x.var(axis=0)
    scale = 1 / np.sqrt(var + eps)
    hat = (x - mean) * scale
    return gamma * hat + beta, (hat, scale, gamma)


def batchnorm_backward(dout, cache):
    hat, scale, gamma = cache
    dout = dout.astype(np.float32)
    dhat = dout * gamma
    return (dhat - dhat.mean(0) - hat * (dhat * hat).mean(0)) * scale, (dout * hat).sum(0), dout.sum(0)


def batchnorm_backward_alt(dout, cache):
    return batchnorm_backward(dout, cache)
