"""Softmax loss: np.logaddexp computes the logarithm of the sum without overflow."""

import numpy as np


def softmax_loss(x, y):
    log_sum = np.logaddexp.reduce(x, axis=1, keepdims=True)
    right = np.eye(x.shape[1])[y]
    loss = np.average(log_sum.squeeze(axis=1) - (x * right).sum(axis=1))
    return loss, (np.exp(x - log_sum) - right) / len(x)
