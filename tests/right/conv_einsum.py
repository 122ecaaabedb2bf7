"""Convolution: one einsum on sliding windows, and a backward pass that adds into writable windows of dx."""

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncijpq,fcpq->nfij", windows, w) + b[None, :, None, None], (x.shape, windows, w, conv_param)


def conv_backward_naive(dout, cache):
    (N, C, H, W), windows, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    dx = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    n, c, h, v = dx.strides
    for p, q in np.ndindex(*w.shape[2:]):
        # The places that entry [p, q] of a filter meets do not overlap.
        places = as_strided(dx[:, :, p:, q:], (N, C, *dout.shape[2:]), (n, c, stride * h, stride * v))
        places += np.einsum("nfij,fc->ncij", dout, w[:, :, p, q])
    dw = np.einsum("nfij,ncijpq->fcpq", dout, windows)
    return dx[:, :, pad : pad + H, pad : pad + W], dw, np.einsum("nfij->f", dout)
