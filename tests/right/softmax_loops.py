"""Softmax loss: loops over examples and classes, with functions of Python's math."""

import math

import numpy as np


def softmax_loss(x, y):
    N, C = x.shape
    loss, dx = 0.0, np.zeros((N, C))
    for i in range(N):
        largest = max(x[i])
        total = sum(math.exp(score - largest) for score in x[i])
        loss += (math.log(total) + largest - x[i, y[i]]) / N
        for j in range(C):
            dx[i, j] = (math.exp(x[i, j] - largest) / total - (j == y[i])) / N
    return loss, dx
