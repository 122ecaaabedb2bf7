"""ReLU: a loop over the entries, with Python's max."""

import numpy as np


def relu_forward(x):
    out = np.array([max(0.0, value) for value in x.ravel()], dtype=x.dtype).reshape(x.shape)
    return out, x.copy()


def relu_backward(dout, cache):
    dx = np.zeros_like(dout)
    for place in np.ndindex(*dout.shape):
        if cache[place] > 0:
            dx[place] = dout[place]
    return dx
