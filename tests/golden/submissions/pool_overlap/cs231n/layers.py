import numpy as np
from cs231n.im2col import output_size


def max_pool_forward_naive(x, pool_param):
    height, width, stride = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    H_out = output_size("max_pool_forward_naive", "height", x.shape[2], height, stride)
    W_out = output_size("max_pool_forward_naive", "width", x.shape[3], width, stride)
    out = np.zeros((*x.shape[:2], H_out, W_out), dtype=x.dtype)
    for i in range(H_out):
        for j in range(W_out):
            window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            out[:, :, i, j] = window.max(axis=(2, 3))
    cache = (x, out, pool_param)
    return out, cache


def max_pool_backward_naive(dout, cache):
    x, out, pool_param = cache
    height, width, stride = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
            largest = x[:, :, rows, columns] == out[:, :, i, j][:, :, np.newaxis, np.newaxis]
            share = largest / largest.sum(axis=(2, 3), keepdims=True)
            # += because overlapping windows may share their largest entry.
            dx[:, :, rows, columns] = share * dout[:, :, i, j][:, :, np.newaxis, np.newaxis]
    return dx
