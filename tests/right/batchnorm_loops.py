"""Batch normalization: feature by feature, entry by entry, with running averages changed in place."""

import math

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    for key in ("running_mean", "running_var"):
        bn_param.setdefault(key, np.zeros(x.shape[1]))
    out, stages = np.empty(x.shape), []
    for d in range(x.shape[1]):
        if bn_param["mode"] == "train":
            mean = sum(x[:, d]) / len(x)
            var = sum((value - mean) ** 2 for value in x[:, d]) / len(x)
            bn_param["running_mean"][d] += (1 - momentum) * (mean - bn_param["running_mean"][d])
            bn_param["running_var"][d] += (1 - momentum) * (var - bn_param["running_var"][d])
        else:
            mean, var = bn_param["running_mean"][d], bn_param["running_var"][d]
        scale = 1 / math.sqrt(var + eps)
        for n in range(len(x)):
            out[n, d] = gamma[d] * (x[n, d] - mean) * scale + beta[d]
        stages.append((mean, scale, gamma[d]))
    return out, (x, stages)


def batchnorm_backward(dout, cache):
    x, stages = cache
    N = len(x)
    dx, dgamma, dbeta = np.empty(x.shape), np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for d, (mean, scale, gamma) in enumerate(stages):
        hats = [(value - mean) * scale for value in x[:, d]]
        for slope, hat in zip(dout[:, d], hats):
            dgamma[d] += slope * hat
            dbeta[d] += slope
        for n, hat in enumerate(hats):
            dx[n, d] = gamma * scale * (dout[n, d] - (dbeta[d] + hat * dgamma[d]) / N)
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    return batchnorm_backward(dout, cache)
