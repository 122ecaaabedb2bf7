"""Max pooling: a reshape if the windows do not overlap, else loops; the cache is a list of masks of booleans."""

import numpy as np


def max_pool_forward_naive(x, pool_param):
    height, width, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    if height == width == s and H % s == W % s == 0:
        return x.reshape(N, C, H // s, s, W // s, s).max(axis=5).max(axis=3), [x, pool_param]
    rows = [x[:, :, i : i + height] for i in range(0, H - height + 1, s)]
    out = [[row[:, :, :, j : j + width].max(axis=(2, 3)) for j in range(0, W - width + 1, s)] for row in rows]
    return np.array(out).transpose(2, 3, 0, 1), [x, pool_param]


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    s, dx = pool_param["stride"], np.zeros_like(x)
    for i, j in np.ndindex(*dout.shape[2:]):
        place = np.s_[:, :, i * s : i * s + pool_param["pool_height"], j * s : j * s + pool_param["pool_width"]]
        winners = x[place] == x[place].max(axis=(2, 3), keepdims=True)
        dx[place] += winners / np.count_nonzero(winners, axis=(2, 3), keepdims=True) * dout[:, :, i : i + 1, j : j + 1]
    return dx
