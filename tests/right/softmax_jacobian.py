"""Softmax loss: the gradient goes through the Jacobian matrix (C, C) of every example's probabilities, by loops."""

import numpy as np


def softmax_loss(x, y):
    N, C = x.shape
    loss, dx = 0.0, np.zeros((N, C))
    for n in range(N):
        odds = np.exp(x[n] - np.max(x[n]))
        p = odds / np.sum(odds)
        loss -= (x[n, y[n]] - np.max(x[n]) - np.log(np.sum(odds))) / N
        for c in range(C):
            for k in range(C):
                if k == y[n]:
                    # d(-log p_k)/dx_c, where p_k itself may be too small to divide by
                    dx[n, c] -= ((c == k) - p[c]) / N
    return loss, dx
