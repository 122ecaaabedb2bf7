"""Convolutional net: a list of the naive layers, with one loop forward and one loop backward."""

import numpy as np

from cs231n import layers


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
        C, H, W = input_dim
        self.reg, self.dtype, self.params = reg, dtype, {}
        self.conv_param = {"stride": 1, "pad": filter_size // 2}
        self.params["b3"] = np.zeros(num_classes, dtype)
        self.params["W3"] = (weight_scale * np.random.randn(hidden_dim, num_classes)).astype(dtype)
        self.params["b2"] = np.zeros(hidden_dim, dtype)
        self.params["W2"] = (weight_scale * np.random.randn(num_filters * H * W // 4, hidden_dim)).astype(dtype)
        self.params["b1"] = np.zeros(num_filters, dtype)
        self.params["W1"] = (weight_scale * np.random.randn(num_filters, C, filter_size, filter_size)).astype(dtype)

    def loss(self, X, y=None):
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
        steps = [
            (layers.conv_forward_naive, layers.conv_backward_naive, "1", (self.conv_param,)),
            (layers.relu_forward, layers.relu_backward, "", ()),
            (layers.max_pool_forward_naive, layers.max_pool_backward_naive, "", (pool_param,)),
            (layers.affine_forward, layers.affine_backward, "2", ()),
            (layers.relu_forward, layers.relu_backward, "", ()),
            (layers.affine_forward, layers.affine_backward, "3", ()),
        ]
        out, caches, grads = X.astype(self.dtype), [], {}
        for forward, _, number, more in steps:
            own = (self.params["W" + number], self.params["b" + number]) if number else ()
            out, cache = forward(out, *own, *more)
            caches.append(cache)
        if y is None:
            return out
        loss, d = layers.softmax_loss(out, y)
        for (_, backward, number, _), cache in zip(reversed(steps), reversed(caches)):
            if number:
                d, dW, grads["b" + number] = backward(d, cache)
                grads["W" + number] = dW + self.reg * self.params["W" + number]
                loss += 0.5 * self.reg * (self.params["W" + number] ** 2).sum()
            else:
                d = backward(d, cache)
        return loss, grads
