"""The joined layers equal their parts in a row, forward and backward."""

import numpy as np

from cs231n import layer_utils, layers

rng = np.random.default_rng(7)
x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
gamma, beta, dout = rng.normal(size=5), rng.normal(size=5), rng.normal(size=(4, 5))


def numeric_gradient(f, value, h=1e-6):
    """Central differences of sum(f() * dout) for each entry of the array `value` that f reads."""
    gradient = np.empty_like(value)
    for index in np.ndindex(value.shape):
        old = value[index]
        value[index] = old + h
        above = f()
        value[index] = old - h
        below = f()
        value[index] = old
        gradient[index] = np.sum((above - below) * dout) / (2 * h)
    return gradient


def test_affine_relu_forward_is_affine_then_relu():
    out, _ = layer_utils.affine_relu_forward(x, w, b)
    np.testing.assert_array_equal(out, np.maximum(layers.affine_forward(x, w, b)[0], 0))


def test_affine_relu_backward_is_its_gradient():
    gradients = layer_utils.affine_relu_backward(dout, layer_utils.affine_relu_forward(x, w, b)[1])
    for gradient, value in zip(gradients, (x, w, b), strict=True):
        expected = numeric_gradient(lambda: layer_utils.affine_relu_forward(x, w, b)[0], value)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


def test_affine_bn_relu_forward_is_affine_then_batchnorm_then_relu():
    out, _ = layer_utils.affine_bn_relu_forward(x, w, b, gamma, beta, {"mode": "train"})
    a, _ = layers.affine_forward(x, w, b)
    normed, _ = layers.batchnorm_forward(a, gamma, beta, {"mode": "train"})
    np.testing.assert_array_equal(out, np.maximum(normed, 0))


def test_affine_bn_relu_forward_updates_the_running_averages():
    bn_param = {"mode": "train"}
    layer_utils.affine_bn_relu_forward(x, w, b, gamma, beta, bn_param)
    np.testing.assert_allclose(bn_param["running_mean"], 0.1 * layers.affine_forward(x, w, b)[0].mean(axis=0))


def test_affine_bn_relu_backward_is_its_gradient():
    def forward():
        return layer_utils.affine_bn_relu_forward(x, w, b, gamma, beta, {"mode": "train"})

    gradients = layer_utils.affine_bn_relu_backward(dout, forward()[1])
    for gradient, value in zip(gradients, (x, w, b, gamma, beta), strict=True):
        np.testing.assert_allclose(gradient, numeric_gradient(lambda: forward()[0], value), rtol=1e-5, atol=1e-7)
