"""ReLU: np.clip; the backward pass uses only out."""

import numpy as np


def relu_forward(x):
    out = np.clip(x, 0, None)
    return out, {"out": out}


def relu_backward(dout, cache):
    return np.heaviside(cache["out"], 0) * dout
