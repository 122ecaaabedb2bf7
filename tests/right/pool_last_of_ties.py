"""Max pooling: comparisons of Python numbers; of equal entries, the last one gets the gradient."""

import numpy as np


def max_pool_forward_naive(x, pool_param):
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    rows = range(0, x.shape[2] - height + 1, stride)
    columns = range(0, x.shape[3] - width + 1, stride)
    out, places = np.empty((*x.shape[:2], len(rows), len(columns)), x.dtype), {}
    for n, c, i, j in np.ndindex(*out.shape):
        best = None
        for row in range(rows[i], rows[i] + height):
            for column in range(columns[j], columns[j] + width):
                if best is None or x[n, c, row, column] >= x[n, c, best[0], best[1]]:
                    best = row, column
        out[n, c, i, j] = x[n, c, best[0], best[1]]
        places[n, c, i, j] = n, c, *best
    return out, {"places": places, "shape": x.shape}


def max_pool_backward_naive(dout, cache):
    dx = np.zeros(cache["shape"])
    for window, place in cache["places"].items():
        dx[place] += dout[window]
    return dx
