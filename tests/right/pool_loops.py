"""Max pooling: loops over every entry of every window; the cache holds the position of the first largest entry."""

import numpy as np


def max_pool_forward_naive(x, pool_param):
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - height) // stride + 1, (W - width) // stride + 1))
    for n in range(N):
        for c in range(C):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    largest = -np.inf
                    for p in range(height):
                        for q in range(width):
                            if x[n, c, i * stride + p, j * stride + q] > largest:
                                largest = x[n, c, i * stride + p, j * stride + q]
                    out[n, c, i, j] = largest
    return out, (x, out, pool_param)


def max_pool_backward_naive(dout, cache):
    x, out, pool_param = cache
    stride, dx = pool_param["stride"], np.zeros(x.shape)
    for n, c, i, j in np.ndindex(*dout.shape):
        given = False
        for p in range(pool_param["pool_height"]):
            for q in range(pool_param["pool_width"]):
                place = n, c, i * stride + p, j * stride + q
                if x[place] == out[n, c, i, j] and not given:
                    dx[place] += dout[n, c, i, j]
                    given = True
    return dx
