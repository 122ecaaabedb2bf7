"""Convolution: forward and backward pass in float32."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_forward_naive(x, w, b, conv_param):
    x, w, b = (array.astype(np.float32) for array in (x, w, b))
    pad, stride = conv_param["pad"], conv_param["stride"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.moveaxis(np.tensordot(windows, w, ([1, 4, 5], [1, 2, 3])), -1, 1) + b[:, None, None]
    return out, (padded, windows, w, stride, pad)


def conv_backward_naive(dout, cache):
    padded, windows, w, stride, pad = cache
    dout = dout.astype(np.float32)
    dw = np.tensordot(dout, windows, ([0, 2, 3], [0, 2, 3]))
    dpadded = np.zeros(padded.shape, np.float32)
    shares = np.tensordot(dout, w, (1, 0))
    for i, j in np.ndindex(*dout.shape[2:]):
        top, left = stride * i, stride * j
        dpadded[:, :, top : top + w.shape[2], left : left + w.shape[3]] += shares[:, i, j]
    H, W = padded.shape[2:]
    return dpadded[:, :, pad : H - pad, pad : W - pad], dw, dout.sum(axis=(0, 2, 3))
