"""Dropout: numbers of Python's module random, one call for each unit."""

import random

import numpy as np


def dropout_forward(x, dropout_param):
    p, seed = dropout_param["p"], dropout_param.get("seed")
    if dropout_param["mode"] == "test":
        return x, None
    draw = random.Random(seed).random if seed is not None else random.random
    mask = np.array([(draw() < p) / p for _ in range(x.size)]).reshape(x.shape)
    return x * mask, mask


def dropout_backward(dout, cache):
    return dout if cache is None else dout * cache
