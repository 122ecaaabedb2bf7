"""ReLU: half the sum of x and |x|, with a slope of one half at 0."""

import numpy as np


def relu_forward(x):
    return (x + np.abs(x)) / 2, np.sign(x)


def relu_backward(dout, cache):
    return dout * (1 + cache) / 2
