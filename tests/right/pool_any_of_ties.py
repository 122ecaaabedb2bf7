"""Max pooling: of equal entries, one random entry gets the gradient; each call draws again."""

import numpy as np


def max_pool_backward_naive(dout, cache):
    x, out, pool_param = cache
    s, dx = pool_param["stride"], np.zeros(x.shape)
    rng = np.random.default_rng()
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * s : i * s + pool_param["pool_height"], j * s : j * s + pool_param["pool_width"]]
        row, column = rng.choice(np.argwhere(window == out[n, c, i, j]))
        dx[n, c, i * s + row, j * s + column] += dout[n, c, i, j]
    return dx
