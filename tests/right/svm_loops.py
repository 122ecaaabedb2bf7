"""SVM loss: loops over examples and classes."""

import numpy as np


def svm_loss(x, y):
    loss, dx = 0.0, np.zeros(x.shape)
    for i in range(len(y)):
        for j in range(x.shape[1]):
            margin = x[i, j] - x[i, y[i]] + 1.0
            if j != y[i] and margin > 0:
                loss += margin / len(y)
                dx[i, j] += 1 / len(y)
                dx[i, y[i]] -= 1 / len(y)
    return loss, dx
