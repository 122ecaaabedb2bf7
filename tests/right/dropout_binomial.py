"""Dropout: one binomial random number for each unit."""

import numpy as np


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = np.random.binomial(1, p, size=x.shape) / p if mode == "train" else np.ones(x.shape)
    return x * mask, mask


def dropout_backward(dout, cache):
    return dout * cache
