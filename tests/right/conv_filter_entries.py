"""Convolution: a loop over the entries of a filter, one product with all windows for each entry; no copies."""

import numpy as np


def _met(length, p, stride, count):
    return slice(p, p + stride * (count - 1) + 1, stride)


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    HH, WW = w.shape[-2:]
    padded = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    padded[:, :, pad : H + pad, pad : W + pad] = x
    rows, columns = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.tile(b.reshape(1, -1, 1, 1), (N, 1, rows, columns)).astype(float)
    for p in range(HH):
        for q in range(WW):
            part = padded[:, :, _met(H, p, stride, rows), _met(W, q, stride, columns)]
            out += np.einsum("ncij,fc->nfij", part, w[:, :, p, q])
    return out, {"padded": padded, "w": w, "stride": stride, "inside": (slice(pad, pad + H), slice(pad, pad + W))}


def conv_backward_naive(dout, cache):
    padded, w, stride = cache["padded"], cache["w"], cache["stride"]
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for p, q in np.ndindex(*w.shape[2:]):
        met = (..., _met(0, p, stride, dout.shape[2]), _met(0, q, stride, dout.shape[3]))
        dw[:, :, p, q] = np.einsum("nfij,ncij->fc", dout, padded[met])
        dpadded[met] += np.einsum("nfij,fc->ncij", dout, w[:, :, p, q])
    return dpadded[(..., *cache["inside"])], dw, dout.sum((0, 2, 3))
