"""Softmax loss: the score of the right class is subtracted from all scores; the loss is an array of shape ()."""

import numpy as np


def softmax_loss(x, y):
    labels = np.expand_dims(y, 1)
    relative = x - np.take_along_axis(x, labels, axis=1)
    top = relative.max(axis=1, keepdims=True)
    powers = np.exp(relative - top)
    sums = powers.sum(axis=1, keepdims=True)
    dx = powers / sums
    np.put_along_axis(dx, labels, np.take_along_axis(dx, labels, axis=1) - 1, axis=1)
    return np.asarray((np.log(sums) + top).mean()), dx / x.shape[0]
