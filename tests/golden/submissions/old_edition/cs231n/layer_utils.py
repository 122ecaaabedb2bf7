from cs231n.fast_layers import *
from cs231n import layers


def affine_relu_forward(x, w, b):
    a, affine_cache = layers.affine_forward(x, w, b)
    out, relu_cache = layers.relu_forward(a)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(dout, cache):
    affine_cache, relu_cache = cache
    da = layers.relu_backward(dout, relu_cache)
    return layers.affine_backward(da, affine_cache)


def affine_bn_relu_forward(x, w, b, gamma, beta, bn_param):
    a, affine_cache = layers.affine_forward(x, w, b)
    normed, bn_cache = layers.batchnorm_forward(a, gamma, beta, bn_param)
    out, relu_cache = layers.relu_forward(normed)
    return out, (affine_cache, bn_cache, relu_cache)


def affine_bn_relu_backward(dout, cache):
    affine_cache, bn_cache, relu_cache = cache
    dnormed = layers.relu_backward(dout, relu_cache)
    da, dgamma, dbeta = layers.batchnorm_backward(dnormed, bn_cache)
    dx, dw, db = layers.affine_backward(da, affine_cache)
    return dx, dw, db, dgamma, dbeta
