"""Convolution: the whole layer is one matrix from padded pixels to outputs, which is filled window by window."""

import numpy as np


def _matrix(w, H, W, stride):
    F, C, HH, WW = w.shape
    rows, columns = (H - HH) // stride + 1, (W - WW) // stride + 1
    pixel = np.arange(C * H * W).reshape(C, H, W)
    matrix = np.zeros((F, rows, columns, C * H * W))
    for i, j in np.ndindex(rows, columns):
        met = pixel[:, i * stride : i * stride + HH, j * stride : j * stride + WW].ravel()
        matrix[:, i, j, met] = w.reshape(F, -1)
    return matrix


def conv_forward_naive(x, w, b, conv_param):
    pad = conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    matrix = _matrix(w, *padded.shape[2:], conv_param["stride"])
    out = np.tensordot(padded.reshape(len(x), -1), matrix, (1, 3)) + b[:, np.newaxis, np.newaxis]
    return out, (padded, w, matrix, conv_param)


def conv_backward_naive(dout, cache):
    padded, w, matrix, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    dx = np.tensordot(dout, matrix, ((1, 2, 3), (0, 1, 2))).reshape(padded.shape)
    dw = np.empty(w.shape)
    for p, q in np.ndindex(*w.shape[2:]):
        met = padded[:, :, p::stride, q::stride][:, :, : dout.shape[2], : dout.shape[3]]
        dw[:, :, p, q] = np.tensordot(dout, met, ((0, 2, 3), (0, 2, 3)))
    inside = slice(pad, -pad or None)
    return dx[:, :, inside, inside], dw, np.einsum("nfij->f", dout)
