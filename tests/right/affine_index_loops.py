"""Affine layer: one loop over all products; each gradient starts as an array of Python numbers."""

import numpy as np


def affine_forward(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]), dtype=x.dtype)
    for n, d, m in np.ndindex(x.shape[0], *w.shape):
        out[n, m] += x.reshape(x.shape[0], -1)[n, d] * w[d, m]
    return out + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx, dw, db = (
        [[0.0] * columns for _ in range(rows)] for rows, columns in ((len(x), len(w)), w.shape, (1, w.shape[1]))
    )
    for n, d, m in np.ndindex(x.shape[0], *w.shape):
        dx[n][d] += dout[n, m] * w[d, m]
        dw[d][m] += dout[n, m] * x.reshape(x.shape[0], -1)[n, d]
        db[0][m] += dout[n, m] if d == 0 else 0.0
    return np.array(dx, dtype=x.dtype).reshape(x.shape), np.array(dw), np.array(db[0])
