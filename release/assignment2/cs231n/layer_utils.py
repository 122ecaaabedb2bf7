"""Layers that often follow each other, combined into one forward and one backward function.

Convolution and pooling are those of `fast_layers.py`; all other layers are yours.
"""

from types import ModuleType

import numpy as np

# This module imports `layers`, not functions by name. A layer that is not written yet, or that an older `layers.py`
# does not have, then fails only when it is called, and the networks without it work.
from cs231n import layers


def affine_relu_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, tuple]:
    """affine, then ReLU. Arguments as for `affine_forward`.

    Returns out (N, M) and a cache for `affine_relu_backward`.
    """
    a, affine_cache = layers.affine_forward(x, w, b)
    out, relu_cache = layers.relu_forward(a)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of affine, then ReLU, for dout (N, M): returns dx, dw, db."""
    affine_cache, relu_cache = cache
    da = layers.relu_backward(dout, relu_cache)
    return layers.affine_backward(da, affine_cache)


def affine_bn_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict
) -> tuple[np.ndarray, tuple]:
    """affine, then batch normalization, then ReLU.

    Arguments as for `affine_forward` and `batchnorm_forward`; gamma and beta are (M,).

    Returns out (N, M) and a cache for `affine_bn_relu_backward`.
    """
    a, affine_cache = layers.affine_forward(x, w, b)
    normed, bn_cache = layers.batchnorm_forward(a, gamma, beta, bn_param)
    out, relu_cache = layers.relu_forward(normed)
    return out, (affine_cache, bn_cache, relu_cache)


def affine_bn_relu_backward(
    dout: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of affine, batch normalization, ReLU, for dout (N, M): returns dx, dw, db, dgamma, dbeta."""
    affine_cache, bn_cache, relu_cache = cache
    dnormed = layers.relu_backward(dout, relu_cache)
    da, dgamma, dbeta = layers.batchnorm_backward(dnormed, bn_cache)
    dx, dw, db = layers.affine_backward(da, affine_cache)
    return dx, dw, db, dgamma, dbeta


def _fast() -> ModuleType:
    """Return the fast layers. The import is here because it may print a notice, which other layers do not need."""
    from cs231n import fast_layers

    return fast_layers


def conv_relu_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict) -> tuple[np.ndarray, tuple]:
    """Convolution, then ReLU. Arguments as for `conv_forward_naive`.

    Returns out (N, F, H', W') and a cache for `conv_relu_backward`.
    """
    a, conv_cache = _fast().conv_forward_fast(x, w, b, conv_param)
    out, relu_cache = layers.relu_forward(a)
    return out, (conv_cache, relu_cache)


def conv_relu_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of convolution, then ReLU, for dout (N, F, H', W'): returns dx, dw, db."""
    conv_cache, relu_cache = cache
    da = layers.relu_backward(dout, relu_cache)
    return _fast().conv_backward_fast(da, conv_cache)


def conv_bn_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, gamma: np.ndarray, beta: np.ndarray, conv_param: dict, bn_param: dict
) -> tuple[np.ndarray, tuple]:
    """Convolution, then spatial batch normalization, then ReLU.

    Arguments as for `conv_forward_naive` and `spatial_batchnorm_forward`; gamma and beta are (F,).

    Returns out (N, F, H', W') and a cache for `conv_bn_relu_backward`.
    """
    a, conv_cache = _fast().conv_forward_fast(x, w, b, conv_param)
    normed, bn_cache = layers.spatial_batchnorm_forward(a, gamma, beta, bn_param)
    out, relu_cache = layers.relu_forward(normed)
    return out, (conv_cache, bn_cache, relu_cache)


def conv_bn_relu_backward(
    dout: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of convolution, batch normalization, ReLU, for dout (N, F, H', W').

    Returns dx, dw, db, dgamma, dbeta.
    """
    conv_cache, bn_cache, relu_cache = cache
    dnormed = layers.relu_backward(dout, relu_cache)
    da, dgamma, dbeta = layers.spatial_batchnorm_backward(dnormed, bn_cache)
    dx, dw, db = _fast().conv_backward_fast(da, conv_cache)
    return dx, dw, db, dgamma, dbeta


def conv_relu_pool_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict, pool_param: dict
) -> tuple[np.ndarray, tuple]:
    """Convolution, then ReLU, then max pooling. Arguments as for `conv_forward_naive` and `max_pool_forward_naive`.

    The code pools before the ReLU, with the same result: the largest positive part is the positive part of the largest
    number. After pooling, the ReLU has fewer numbers to process.

    Returns out (N, F, H', W'), where H' W' is the size after pooling, and a cache for `conv_relu_pool_backward`.
    """
    a, conv_cache = _fast().conv_forward_fast(x, w, b, conv_param)
    largest, pool_cache = _fast().max_pool_forward_fast(a, pool_param)
    out, relu_cache = layers.relu_forward(largest)
    return out, (conv_cache, pool_cache, relu_cache)


def conv_relu_pool_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of convolution, ReLU, max pooling, for dout (N, F, H', W'): returns dx, dw, db."""
    conv_cache, pool_cache, relu_cache = cache
    dlargest = layers.relu_backward(dout, relu_cache)
    da = _fast().max_pool_backward_fast(dlargest, pool_cache)
    return _fast().conv_backward_fast(da, conv_cache)
