import numpy as np
from cs231n.im2col import output_size


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
    dx = dx_pad[:, :, pad:-pad, pad:-pad]
    return dx, dw, db
