"""Affine layer: the cache is an object of a class in the same file."""

import numpy as np


class Affine:
    def __init__(self, x, w, b):
        self.x, self.w, self.b = x, w, b

    def forward(self):
        return np.matmul(self.x.reshape(len(self.x), -1), self.w) + self.b

    def backward(self, dout):
        dx = np.matmul(dout, self.w.transpose())
        dw = np.matmul(self.x.reshape(len(self.x), -1).transpose(), dout)
        return dx.reshape(*self.x.shape), dw, np.sum(dout, 0)


def affine_forward(x, w, b):
    layer = Affine(x, w, b)
    return layer.forward(), layer


def affine_backward(dout, cache):
    return cache.backward(dout)
