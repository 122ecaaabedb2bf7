"""Dropout: the mask and its scale are float32, and so is what they are multiplied with."""

import numpy as np


def dropout_forward(x, dropout_param):
    if dropout_param.get("seed") is not None:
        np.random.seed(dropout_param["seed"])
    keep = np.float32(dropout_param["p"])
    mask = np.float32(1)
    if dropout_param["mode"] == "train":
        mask = np.less(np.random.random(x.shape), dropout_param["p"]).astype(np.float32) / keep
    return x.astype(np.float32) * mask, mask


def dropout_backward(dout, cache):
    return dout.astype(np.float32) * cache
