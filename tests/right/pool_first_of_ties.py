"""Max pooling: four loops; of equal entries, the first one gets the gradient."""

import numpy as np


def max_pool_forward_naive(x, pool_param):
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, 1 + (H - height) // stride, 1 + (W - width) // stride))
    winners = np.zeros((*out.shape, 2), dtype=int)
    for n, c, i, j in np.ndindex(*out.shape):
        window = x[n, c, i * stride : i * stride + height, j * stride : j * stride + width]
        row, column = np.unravel_index(window.argmax(), window.shape)
        winners[n, c, i, j] = i * stride + row, j * stride + column
        out[n, c, i, j] = window[row, column]
    return out, (x.shape, winners)


def max_pool_backward_naive(dout, cache):
    shape, winners = cache
    dx = np.zeros(shape)
    for n, c, i, j in np.ndindex(*dout.shape):
        row, column = winners[n, c, i, j]
        dx[n, c, row, column] += dout[n, c, i, j]
    return dx
