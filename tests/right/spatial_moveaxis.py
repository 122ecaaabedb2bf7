"""Spatial batch normalization: np.moveaxis, swapaxes, and a cache with the shape."""

import numpy as np

from cs231n import layers


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    moved = np.moveaxis(x, 1, -1)
    out, cache = layers.batchnorm_forward(moved.reshape(-1, x.shape[1]), gamma, beta, bn_param)
    return np.moveaxis(out.reshape(moved.shape), -1, 1), (cache, moved.shape)


def spatial_batchnorm_backward(dout, cache):
    cache, shape = cache
    dx, dgamma, dbeta = layers.batchnorm_backward_alt(np.rollaxis(dout, 1, 4).reshape(-1, shape[-1]), cache)
    return np.rollaxis(dx.reshape(shape), 3, 1), dgamma, dbeta
