"""Affine layer: plain loops over examples, features and outputs."""

import numpy as np


def affine_forward(x, w, b):
    out = np.zeros((len(x), len(b)), dtype=x.dtype)
    for n in range(len(x)):
        features = x[n].ravel()
        for m in range(len(b)):
            total = b[m]
            for d in range(len(features)):
                total += features[d] * w[d, m]
            out[n, m] = total
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = np.zeros_like(x), np.zeros(w.shape), np.zeros(b.shape)
    for n in range(len(x)):
        features, dfeatures = x[n].ravel(), dx[n].reshape(-1)
        for m in range(len(b)):
            db[m] += dout[n, m]
            for d in range(len(features)):
                dw[d, m] += features[d] * dout[n, m]
                dfeatures[d] += w[d, m] * dout[n, m]
    return dx, dw, db
