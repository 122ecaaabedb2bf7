"""ReLU: np.where, and a slope of 1 at 0."""

import numpy as np


def relu_forward(x):
    return np.where(x >= 0, x, 0), x


def relu_backward(dout, cache):
    return np.where(cache >= 0, dout, 0)
