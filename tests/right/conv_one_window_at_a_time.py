"""Convolution: one product for each window, example and filter; dx is cropped by pad:-pad if pad > 0."""

import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    s, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    padded = np.array([[np.pad(channel, pad) for channel in image] for image in x])
    rows, columns = (padded.shape[2] - HH) // s + 1, (padded.shape[3] - WW) // s + 1
    out = [
        [
            [[np.sum(im[:, i * s :, j * s :][:, :HH, :WW] * w[f]) + b[f] for j in range(columns)] for i in range(rows)]
            for f in range(len(w))
        ]
        for im in padded
    ]
    return np.array(out), [padded, w, s, pad]


def conv_backward_naive(dout, cache):
    padded, w, s, pad = cache
    HH, WW = w.shape[2:]
    dpadded, dw, db = np.zeros(padded.shape), np.zeros(w.shape), np.zeros(len(w))
    for n in range(len(padded)):
        for f in range(len(w)):
            for i, top in enumerate(range(0, padded.shape[2] - HH + 1, s)):
                for j, left in enumerate(range(0, padded.shape[3] - WW + 1, s)):
                    d = dout[n, f, i, j]
                    dpadded[n, :, top : top + HH, left : left + WW] += w[f] * d
                    dw[f] += padded[n, :, top : top + HH, left : left + WW] * d
                    db[f] += d
    return dpadded[:, :, pad:-pad, pad:-pad] if pad else dpadded, dw, db
