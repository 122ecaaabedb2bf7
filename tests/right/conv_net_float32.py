"""Convolutional net: everything in float32; the regularization of each weight is added separately."""

import numpy as np

from cs231n.layer_utils import (
    affine_relu_backward,
    affine_relu_forward,
    conv_relu_pool_backward,
    conv_relu_pool_forward,
)
from cs231n.layers import affine_backward, affine_forward, softmax_loss


class ThreeLayerConvNet:
    def __init__(
        self,
        input_dim=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=np.float32,
    ):
        depth, height, width = input_dim
        pooled = num_filters * (height // 2) * (width // 2)
        self.reg, self.size, normal = reg, filter_size, np.random.normal
        self.params = {
            "b1": np.zeros(num_filters),
            "b2": np.zeros(hidden_dim),
            "b3": np.zeros(num_classes),
            "W1": normal(0, weight_scale, num_filters * depth * filter_size**2).reshape(
                num_filters, depth, filter_size, filter_size
            ),
            "W2": normal(0, weight_scale, (pooled, hidden_dim)),
            "W3": normal(0, weight_scale, (hidden_dim, num_classes)),
        }
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        p = {name: value.astype(np.float32) for name, value in self.params.items()}
        conv_param = dict(stride=1, pad=self.size // 2)
        pool_param = dict(pool_height=2, pool_width=2, stride=2)
        a, first = conv_relu_pool_forward(X.astype(np.float32), p["W1"], p["b1"], conv_param, pool_param)
        a, second = affine_relu_forward(a, p["W2"], p["b2"])
        scores, third = affine_forward(a, p["W3"], p["b3"])
        if y is None:
            return scores
        loss, d = softmax_loss(scores, y)
        grads = {}
        d, grads["W3"], grads["b3"] = affine_backward(d, third)
        d, grads["W2"], grads["b2"] = affine_relu_backward(d, second)
        d, grads["W1"], grads["b1"] = conv_relu_pool_backward(d, first)
        for layer in "123":
            loss += self.reg * 0.5 * np.vdot(p["W" + layer], p["W" + layer])
            grads["W" + layer] = grads["W" + layer] + np.float32(self.reg) * p["W" + layer]
        return loss, grads
