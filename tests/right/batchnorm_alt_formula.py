"""Batch normalization: the other backward pass, with the batch size outside the brackets."""

import numpy as np


def batchnorm_backward_alt(dout, cache):
    centered, std, _, gamma = cache
    N, D = dout.shape
    dhat = gamma.reshape(1, D) * dout
    inner = N * dhat - np.sum(dhat, axis=0) - centered * np.sum(dhat * centered, axis=0) / np.square(std)
    dgamma = np.einsum("nd,nd->d", dout, centered / std)
    return inner / (N * std), dgamma, dout.sum(0)
