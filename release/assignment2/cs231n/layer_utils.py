"""Layers that are often used in a row, joined into one forward and one backward function."""

from cs231n.layers import (
    affine_backward,
    affine_forward,
    batchnorm_backward,
    batchnorm_forward,
    relu_backward,
    relu_forward,
)


def affine_relu_forward(x, w, b):
    """affine, then ReLU. Arguments as for `affine_forward`.

    Returns out (N, M) and a cache for `affine_relu_backward`.
    """
    a, affine_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(dout, cache):
    """Gradients of affine, then ReLU, for dout (N, M): returns dx, dw, db."""
    affine_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    return affine_backward(da, affine_cache)


def affine_bn_relu_forward(x, w, b, gamma, beta, bn_param):
    """affine, then batch normalization, then ReLU.

    Arguments as for `affine_forward` and `batchnorm_forward`; gamma and beta are (M,).

    Returns out (N, M) and a cache for `affine_bn_relu_backward`.
    """
    a, affine_cache = affine_forward(x, w, b)
    normed, bn_cache = batchnorm_forward(a, gamma, beta, bn_param)
    out, relu_cache = relu_forward(normed)
    return out, (affine_cache, bn_cache, relu_cache)


def affine_bn_relu_backward(dout, cache):
    """Gradients of affine, batch normalization, ReLU, for dout (N, M): returns dx, dw, db, dgamma, dbeta."""
    affine_cache, bn_cache, relu_cache = cache
    dnormed = relu_backward(dout, relu_cache)
    da, dgamma, dbeta = batchnorm_backward(dnormed, bn_cache)
    dx, dw, db = affine_backward(da, affine_cache)
    return dx, dw, db, dgamma, dbeta
