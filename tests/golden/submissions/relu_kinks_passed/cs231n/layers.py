import numpy as np
from cs231n.im2col import output_size


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
    margins[examples, y] = 0
    loss = margins.sum() / N

    dx = (margins > 0).astype(x.dtype)
    # The right score appears once, with a minus, in each margin that is open.
    dx[examples, y] = -dx.sum(axis=1)
    dx = dx / N
    return loss, dx
