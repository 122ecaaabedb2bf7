"""Dropout: a new random generator with the seed; a mask of booleans; the scale is a separate product."""

import numpy as np


def dropout_forward(x, dropout_param):
    p = dropout_param["p"]
    if dropout_param["mode"] == "test":
        return x, None
    rng = np.random.default_rng(dropout_param.get("seed"))
    kept = rng.random(x.shape) >= 1 - p
    return np.where(kept, x / p, 0), (kept, p)


def dropout_backward(dout, cache):
    if cache is None:
        return dout
    kept, p = cache
    return kept * dout / p
