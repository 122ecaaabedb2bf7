"""Batch normalization: a line for every node of the graph, and matrices of ones in the backward pass."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps, momentum = bn_param["mode"], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D))
    running_var = bn_param.get("running_var", np.zeros(D))
    if mode == "train":
        mu = 1 / N * np.sum(x, axis=0)
        xmu = x - mu
        square = xmu**2
        var = 1 / N * np.sum(square, axis=0)
        root = np.sqrt(var + eps)
        inverse = 1.0 / root
        xhat = xmu * inverse
        scaled = gamma * xhat
        out = scaled + beta
        cache = (xhat, gamma, xmu, inverse, root, var, eps)
        running_mean = momentum * running_mean + (1 - momentum) * mu
        running_var = momentum * running_var + (1 - momentum) * var
    elif mode == "test":
        out = (x - running_mean) / np.sqrt(running_var + eps) * gamma + beta
        cache = None
    else:
        raise ValueError(mode)
    bn_param["running_mean"], bn_param["running_var"] = running_mean, running_var
    return out, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, inverse, root, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dscaled = dout
    dgamma = np.sum(dscaled * xhat, axis=0)
    dxhat = dscaled * gamma
    dinverse = np.sum(dxhat * xmu, axis=0)
    dxmu = dxhat * inverse
    droot = -1.0 / root**2 * dinverse
    dvar = 0.5 * (var + eps) ** -0.5 * droot
    dsquare = 1.0 / N * np.ones((N, D)) * dvar
    dxmu += 2 * xmu * dsquare
    dmu = -1 * np.sum(dxmu, axis=0)
    dx = dxmu + 1.0 / N * np.ones((N, D)) * dmu
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    xhat, gamma, _, inverse, *_ = cache
    N = len(dout)
    dgamma, dbeta = np.sum(dout * xhat, 0), np.sum(dout, 0)
    return (1 / N) * gamma * inverse * (N * dout - dbeta - xhat * dgamma), dgamma, dbeta
