"""Batch normalization: the other backward pass, with the whole Jacobian matrix (N, N) of every feature."""

import numpy as np


def batchnorm_backward_alt(dout, cache):
    _, std, hat, gamma = cache
    N = len(dout)
    same = np.eye(N)[:, :, None] - 1 / N
    jacobian = (same - hat[:, None, :] * hat[None, :, :] / N) * gamma / std
    return np.einsum("nd,nmd->md", dout, jacobian), (dout * hat).sum(axis=0), dout.sum(axis=0)
