"""Max pooling: computed in float32; entries are compared in float32 too."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def max_pool_forward_naive(x, pool_param):
    x, stride = x.astype(np.float32), pool_param["stride"]
    size = pool_param["pool_height"], pool_param["pool_width"]
    out = sliding_window_view(x, size, (2, 3))[:, :, ::stride, ::stride].max(axis=(4, 5))
    return out, (x, out, size, stride)


def max_pool_backward_naive(dout, cache):
    x, out, (height, width), stride = cache
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*dout.shape[2:]):
        part = np.s_[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
        winners = x[part] == out[:, :, i : i + 1, j : j + 1]
        dx[part] += np.float32(winners / winners.sum(axis=(2, 3), keepdims=True)) * dout[:, :, i : i + 1, j : j + 1]
    return dx
