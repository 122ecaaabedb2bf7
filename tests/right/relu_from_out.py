"""ReLU: np.clip, and a backward pass that looks at out alone."""

import numpy as np


def relu_forward(x):
    out = np.clip(x, 0, None)
    return out, {"out": out}


def relu_backward(dout, cache):
    return np.heaviside(cache["out"], 0) * dout
