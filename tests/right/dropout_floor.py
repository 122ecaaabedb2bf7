"""Dropout: the mask is floor(uniform number + p), in float32; dropped units are assigned 0."""

import numpy as np


def dropout_forward(x, dropout_param):
    seed = dropout_param.get("seed")
    if seed is not None:
        np.random.seed(seed)
    mask, out = None, np.copy(x)
    if dropout_param["mode"] == "train":
        mask = np.floor(np.random.uniform(size=x.shape) + dropout_param["p"]).astype(np.float32)
        out[mask == 0] = 0
        out /= dropout_param["p"]
    return out, (dropout_param["mode"], dropout_param["p"], mask)


def dropout_backward(dout, cache):
    mode, p, mask = cache
    if mode == "train":
        dx = dout.copy()
        dx[mask == 0] = 0
        return dx / p
    return dout.copy()
