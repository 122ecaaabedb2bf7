"""Max pooling: every entry that equals the largest one gets the whole gradient of its window."""

import numpy as np


def max_pool_backward_naive(dout, cache):
    x, _, pool_param = cache
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n in range(dout.shape[0]):
        for c in range(dout.shape[1]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    part = np.s_[n, c, i * stride : i * stride + height, j * stride : j * stride + width]
                    dx[part] += (x[part] == np.max(x[part])) * dout[n, c, i, j]
    return dx
