"""Dropout: np.random.choice between the two factors, for a flat array that is then reshaped."""

import numpy as np


def dropout_forward(x, dropout_param):
    p, mode, seed = dropout_param["p"], dropout_param["mode"], dropout_param.get("seed")
    if seed is not None:
        np.random.seed(seed)
    if mode != "train":
        return np.array(x), {"mode": mode}
    factors = np.random.choice([0.0, 1 / p], size=x.size, p=[1 - p, p]).reshape(x.shape)
    return np.multiply(x, factors), {"mode": mode, "factors": factors}


def dropout_backward(dout, cache):
    return np.multiply(dout, cache["factors"]) if cache["mode"] == "train" else np.array(dout)
