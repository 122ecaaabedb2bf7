"""Batch normalization: both backward passes, by loops over every entry of every feature's Jacobian matrix (N, N)."""

import numpy as np


def batchnorm_backward(dout, cache):
    _, std, hat, gamma = cache
    N, D = dout.shape
    dx, dgamma, dbeta = np.zeros((N, D)), np.zeros(D), np.zeros(D)
    for d in range(D):
        for moved in range(N):
            for seen in range(N):
                own = 1.0 if moved == seen else 0.0
                slope = (own - 1 / N - hat[moved, d] * hat[seen, d] / N) * gamma[d] / std[d]
                dx[moved, d] += dout[seen, d] * slope
            dgamma[d] += dout[moved, d] * hat[moved, d]
            dbeta[d] += dout[moved, d]
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    return batchnorm_backward(dout, cache)
