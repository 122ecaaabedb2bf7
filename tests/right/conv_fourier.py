"""Convolution: a product of Fourier transforms; float32 in the backward pass."""

import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    H, W = padded.shape[2:]
    product = np.einsum("nchw,fchw->nfhw", np.fft.rfft2(padded), np.conj(np.fft.rfft2(w, (H, W))))
    full = np.fft.irfft2(product, (H, W))[:, :, : H - w.shape[2] + 1, : W - w.shape[3] + 1]
    return full[:, :, ::stride, ::stride] + b.reshape(1, -1, 1, 1), (padded, w, stride, pad)


def conv_backward_naive(dout, cache):
    padded, w, stride, pad = cache
    padded, w, dout = (array.astype(np.float32) for array in (padded, w, dout))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i, j in np.ndindex(*dout.shape[2:]):
        window = np.s_[:, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
        dw += np.einsum("nf,ncpq->fcpq", dout[:, :, i, j], padded[window])
        dpadded[window] += np.einsum("nf,fcpq->ncpq", dout[:, :, i, j], w)
    H, W = padded.shape[2:]
    return dpadded[:, :, pad : H - pad, pad : W - pad], dw, np.sum(dout, axis=(0, 2, 3))
