"""Convolution: the backward pass is a convolution of dout, with zeros for the stride, with rotated filters."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _correlate(images, filters):
    windows = sliding_window_view(images, filters.shape[2:], axis=(2, 3))
    return np.tensordot(windows, filters, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = _correlate(padded, w)[:, :, ::stride, ::stride] + b.reshape(-1, 1, 1)
    return out, (padded, w, stride, pad)


def conv_backward_naive(dout, cache):
    padded, w, stride, pad = cache
    (H, W), (HH, WW) = padded.shape[2:], w.shape[2:]
    spread = np.zeros((*dout.shape[:2], H - HH + 1, W - WW + 1))
    spread[:, :, ::stride, ::stride] = dout
    dw = _correlate(padded.swapaxes(0, 1), spread.swapaxes(0, 1)).swapaxes(0, 1)
    wide = np.pad(spread, ((0, 0), (0, 0), (HH - 1, HH - 1), (WW - 1, WW - 1)))
    dpadded = _correlate(wide, w[:, :, ::-1, ::-1].swapaxes(0, 1))
    return dpadded[:, :, pad : H - pad, pad : W - pad], dw, dout.sum(axis=3).sum(axis=2).sum(axis=0)
