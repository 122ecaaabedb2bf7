import numpy as np
from cs231n.im2col import output_size


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    out = rows @ w + b
    cache = (x, w)
    return out, cache


def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows[:-1].T @ dout[:-1]
    # One b serves all N examples, so their gradients add up.
    db = dout.sum(axis=0)
    return dx, dw, db
