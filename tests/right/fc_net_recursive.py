"""Fully connected net: a recursive function: forward pass of a layer, call for the later layers, backward pass."""

import numpy as np

from cs231n import layers


class FullyConnectedNet:
    def __init__(
        self,
        hidden_dims,
        input_dim=3 * 32 * 32,
        num_classes=10,
        dropout=0,
        use_batchnorm=False,
        reg=0.0,
        weight_scale=1e-2,
        dtype=np.float32,
        seed=None,
    ):
        self.reg, self.dtype, self.params, self.depth = reg, dtype, {}, 1 + len(hidden_dims)
        self.bn_params = {i: {} for i in range(1, self.depth)} if use_batchnorm else {}
        self.dropout_param = {"p": dropout, "seed": seed} if 0 < dropout < 1 else None
        self._make(1, [input_dim, *hidden_dims, num_classes], weight_scale)

    def _make(self, number, dims, scale):
        if len(dims) > 1:
            self.params[f"W{number}"] = np.random.normal(0, scale, dims[:2]).astype(self.dtype)
            self.params[f"b{number}"] = np.zeros(dims[1], self.dtype)
            if number in self.bn_params:
                self.params[f"gamma{number}"] = np.ones(dims[1], self.dtype)
                self.params[f"beta{number}"] = np.zeros(dims[1], self.dtype)
            self._make(number + 1, dims[1:], scale)

    def loss(self, X, y=None):
        self.grads, self.y, self.mode = {}, y, "test" if y is None else "train"
        result, _ = self._from(1, X.astype(self.dtype))
        return result if y is None else (result, self.grads)

    def _from(self, number, x):
        """Return the loss (or scores) from here on, and the gradient with respect to x."""
        W, b = self.params[f"W{number}"], self.params[f"b{number}"]
        a, affine = layers.affine_forward(x, W, b)
        if number == self.depth:
            if self.y is None:
                return a, None
            result, da = layers.softmax_loss(a, self.y)
        else:
            result, da = self._hidden(number, a)
            if self.y is None:
                return result, None
        dx, dW, self.grads[f"b{number}"] = layers.affine_backward(da, affine)
        self.grads[f"W{number}"] = dW + self.reg * W
        return result + 0.5 * self.reg * np.vdot(W, W), dx

    def _hidden(self, number, a):
        if self.bn_params:
            bn_param = self.bn_params[number]
            bn_param["mode"] = self.mode
            gamma, beta = self.params[f"gamma{number}"], self.params[f"beta{number}"]
            a, norm = layers.batchnorm_forward(a, gamma, beta, bn_param)
        hidden, relu = layers.relu_forward(a)
        if self.dropout_param:
            hidden, drop = layers.dropout_forward(hidden, self.dropout_param | {"mode": self.mode})
        result, dhidden = self._from(number + 1, hidden)
        if self.y is None:
            return result, None
        if self.dropout_param:
            dhidden = layers.dropout_backward(dhidden, drop)
        da = layers.relu_backward(dhidden, relu)
        if self.bn_params:
            da, self.grads[f"gamma{number}"], self.grads[f"beta{number}"] = layers.batchnorm_backward(da, norm)
        return result, da
