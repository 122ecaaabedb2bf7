import numpy as np
from cs231n.im2col import output_size


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    out = rows @ w + b
    cache = (x, w)
    return out, cache


def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    # One b serves all N examples, so their gradients add up.
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out = output_size("conv_forward_naive", "height", x.shape[2] + 2 * pad, w.shape[2], stride)
    W_out = output_size("conv_forward_naive", "width", x.shape[3] + 2 * pad, w.shape[3], stride)
    HH, WW = w.shape[2:]
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((x.shape[0], w.shape[0], H_out, W_out), dtype=np.result_type(x, w))
    for i in range(H_out):
        for j in range(W_out):
            window = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            # Sum over channel, row and column of the window: (N, C, HH, WW) with (F, C, HH, WW) gives (N, F).
            out[:, :, i, j] = np.tensordot(window, w, axes=((1, 2, 3), (1, 2, 3))) + b
    cache = (x_pad, w, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    x_pad, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    dx_pad, dw = np.zeros(x_pad.shape, dtype=dout.dtype), np.zeros(w.shape, dtype=dout.dtype)
    db = dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
            here = dout[:, :, i, j]
            dw += np.tensordot(here, x_pad[:, :, rows, columns], axes=(0, 0))
            dx_pad[:, :, rows, columns] += np.tensordot(here, w, axes=(1, 0))
    H, W = x_pad.shape[2] - 2 * pad, x_pad.shape[3] - 2 * pad
    dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db


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
            dx[:, :, rows, columns] += share * dout[:, :, i, j][:, :, np.newaxis, np.newaxis]
    return dx


def softmax_loss(x, y):
    N = x.shape[0]
    examples = np.arange(N)
    # Softmax ignores a constant added to a row; with the largest score at 0 no exponential overflows.
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[examples, y].mean()

    dx = np.exp(log_p)
    dx[examples, y] -= 1
    dx = dx / N
    return loss, dx
