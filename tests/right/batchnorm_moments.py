"""Batch normalization: the variance is the mean of squares minus the square of the mean; the cache is a dictionary."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    running = [bn_param.get(key, np.zeros_like(beta)) for key in ("running_mean", "running_var")]
    if bn_param["mode"] == "train":
        mean = np.mean(x, 0)
        var = np.mean(x * x, 0) - mean * mean
        running = [momentum * old + (1 - momentum) * new for old, new in zip(running, (mean, var))]
    else:
        mean, var = running
    bn_param["running_mean"], bn_param["running_var"] = running
    scale = (var + eps) ** -0.5
    cache = {"x": x, "mean": mean, "scale": scale, "gamma": gamma, "settings": bn_param}
    return (x - mean) * (gamma * scale) + beta, cache


def batchnorm_backward(dout, cache):
    x, scale = cache["x"], cache["scale"]
    dbeta, dscale = dout.sum(0), (dout * cache["gamma"] * (x - cache["mean"])).sum(0)
    dgamma = ((x - cache["mean"]) * scale * dout).sum(0)
    dvar = -0.5 * scale**3 * dscale
    dmean = -(dout * cache["gamma"] * scale).sum(0) - 2 * dvar * cache["mean"]
    dx = dout * cache["gamma"] * scale + dvar * 2 * x / len(x) + dmean / len(x)
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    hat = (cache["x"] - cache["mean"]) * cache["scale"]
    dgamma, dbeta = (hat * dout).sum(0), dout.sum(0)
    along = dout - np.mean(dout, 0) - hat * np.mean(hat * dout, 0)
    return cache["gamma"] * cache["scale"] * along, dgamma, dbeta
