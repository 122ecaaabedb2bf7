"""SVM loss: the margin of the right class is included, and its 1 is subtracted at the end."""

import numpy as np


def svm_loss(x, y):
    N = len(y)
    right = np.choose(y, x.T).reshape(N, 1)
    margins = np.clip(x - right + 1, 0, np.inf)
    pushed = np.zeros_like(x)
    pushed[margins > 0] = 1
    pushed[np.arange(N), y] -= np.count_nonzero(margins, axis=1)
    return np.sum(margins) / N - 1, pushed / N
