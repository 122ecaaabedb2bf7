"""SVM loss: a margin of exactly 0 has a gradient, like a positive margin."""

import numpy as np


def svm_loss(x, y):
    wrong = np.arange(x.shape[1]) != y.reshape(-1, 1)
    margins = (x.T - x[range(len(y)), y] + 1).T
    is_open = wrong & (margins >= 0)
    dx = is_open - ~wrong * is_open.sum(axis=1, keepdims=True)
    return float((margins * is_open).sum()) / len(y), dx / len(y)
