"""Batch normalization: means and their gradients are products with one centering matrix (N, N)."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    N, D = x.shape
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    mean, var = bn_param.get("running_mean", np.zeros(D)), bn_param.get("running_var", np.zeros(D))
    center = np.eye(N) - np.full((N, N), 1 / N)
    centered = center @ x if bn_param["mode"] == "train" else x - mean
    spread = np.einsum("nd,nd->d", centered, centered) / N if bn_param["mode"] == "train" else var
    if bn_param["mode"] == "train":
        mean = momentum * mean + (1 - momentum) * np.ones(N) @ x / N
        var = momentum * var + (1 - momentum) * spread
    bn_param.update(running_mean=mean, running_var=var)
    return gamma * centered / np.sqrt(spread + eps) + beta, [center, centered, spread + eps, gamma]


def batchnorm_backward(dout, cache):
    center, centered, spread, gamma = cache
    dhat = dout * gamma
    dspread = -0.5 * np.sum(dhat * centered, axis=0) * spread ** (-3 / 2)
    dx = center.T @ (dhat / np.sqrt(spread) + 2 / len(dout) * dspread * centered)
    return dx, np.sum(dout * centered, axis=0) / np.sqrt(spread), np.ones(len(dout)) @ dout


def batchnorm_backward_alt(dout, cache):
    return batchnorm_backward(dout, cache)
