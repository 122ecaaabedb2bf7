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


def svm_loss(x, y):
    N = x.shape[0]
    examples = np.arange(N)
    margins = np.maximum(0, x - x[examples, y][:, np.newaxis] + 1)
    for i in xrange(N):
        margins[i, y[i]] = 0
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

    dx = np.exp(log_p)
    dx[examples, y] -= 1
    dx = dx / N
    return loss, dx
