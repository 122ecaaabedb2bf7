"""Batch normalization: in mode 'test' it is one scale and one shift; the backward passes share a helper."""

import numpy as np


def _backward(dout, cache):
    hat, scale = cache
    projected = dout - hat * (hat * dout).mean(axis=0)
    dx = scale * (projected - projected.mean(axis=0))
    return dx, (hat * dout).sum(axis=0), dout.sum(axis=0)


def batchnorm_forward(x, gamma, beta, bn_param):
    momentum, eps = bn_param.get("momentum", 0.9), bn_param.get("eps", 1e-5)
    if "running_mean" not in bn_param:
        bn_param["running_mean"] = np.zeros(x.shape[1])
        bn_param["running_var"] = np.zeros(x.shape[1])
    if bn_param["mode"] == "test":
        scale = gamma / np.sqrt(bn_param["running_var"] + eps)
        return x * scale + (beta - bn_param["running_mean"] * scale), None
    bn_param["running_mean"] = bn_param["running_mean"] * momentum + x.mean(axis=0) * (1 - momentum)
    bn_param["running_var"] = bn_param["running_var"] * momentum + x.var(axis=0) * (1 - momentum)
    std = np.sqrt(np.var(x, axis=0) + eps)
    hat = (x - np.mean(x, axis=0)) / std
    return hat * gamma + beta, (hat, gamma / std)


def batchnorm_backward(dout, cache):
    return _backward(dout, cache)


def batchnorm_backward_alt(dout, cache):
    return _backward(dout, cache)
