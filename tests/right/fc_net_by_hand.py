"""Fully connected net: affine, ReLU and softmax in NumPy; dictionaries of caches; parameters set by kind."""

import numpy as np

from cs231n.layers import batchnorm_backward, batchnorm_forward, dropout_backward, dropout_forward


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
        self.use_batchnorm, self.use_dropout, self.reg, self.dtype = use_batchnorm, 0 < dropout < 1, reg, dtype
        self.num_layers = L = len(hidden_dims) + 1
        sizes = [input_dim] + list(hidden_dims) + [num_classes]
        self.params = {f"W{i + 1}": np.random.randn(sizes[i], sizes[i + 1]) * weight_scale for i in range(L)}
        self.params.update({f"b{i + 1}": np.zeros(sizes[i + 1]) for i in range(L)})
        self.bn_params = []
        if use_batchnorm:
            self.params.update({f"beta{i + 1}": np.zeros(sizes[i + 1]) for i in range(L - 1)})
            self.params.update({f"gamma{i + 1}": np.ones(sizes[i + 1]) for i in range(L - 1)})
            self.bn_params = [{"mode": "train"} for _ in range(L - 1)]
        self.dropout_param = {"mode": "train", "p": dropout} if self.use_dropout else {}
        if self.use_dropout and seed is not None:
            self.dropout_param["seed"] = seed
        for name in self.params:
            self.params[name] = self.params[name].astype(dtype)

    def loss(self, X, y=None):
        mode = "train" if y is not None else "test"
        for param in [*self.bn_params, self.dropout_param]:
            param["mode"] = mode
        inputs, before, bn_caches, dropout_caches = {}, {}, {}, {}
        hidden = X.astype(self.dtype).reshape(X.shape[0], -1)
        for i in range(1, self.num_layers):
            inputs[i] = hidden
            a = np.dot(hidden, self.params[f"W{i}"]) + self.params[f"b{i}"]
            if self.use_batchnorm:
                gamma, beta = self.params[f"gamma{i}"], self.params[f"beta{i}"]
                a, bn_caches[i] = batchnorm_forward(a, gamma, beta, self.bn_params[i - 1])
            before[i] = a
            hidden = a * (a > 0)
            if self.use_dropout:
                hidden, dropout_caches[i] = dropout_forward(hidden, self.dropout_param)
        L, N = self.num_layers, len(X)
        inputs[L] = hidden
        scores = np.dot(hidden, self.params[f"W{L}"]) + self.params[f"b{L}"]
        if mode == "test":
            return scores
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        loss = np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(N), y])
        grads, d = {}, (p - np.eye(p.shape[1])[y]) / N
        for i in range(L, 0, -1):
            if i < L:
                if self.use_dropout:
                    d = dropout_backward(d, dropout_caches[i])
                d = d * (before[i] > 0)
                if self.use_batchnorm:
                    d, grads[f"gamma{i}"], grads[f"beta{i}"] = batchnorm_backward(d, bn_caches[i])
            W = self.params[f"W{i}"]
            grads[f"b{i}"] = d.sum(axis=0)
            grads[f"W{i}"] = np.dot(inputs[i].T, d) + self.reg * W
            loss += self.reg * 0.5 * (W**2).sum()
            d = np.dot(d, W.T)
        return loss, grads
