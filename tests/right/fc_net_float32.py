"""Fully connected net: computed in float32 for every dtype, with the layers of layer_utils."""

import numpy as np

from cs231n import layer_utils as utils
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
        self.reg, self.bn_params, self.params = reg, [], {}
        dims = np.concatenate([[input_dim], hidden_dims, [num_classes]]).astype(int)
        for i in range(len(dims) - 1):
            self.params[f"W{i + 1}"] = np.random.normal(0.0, weight_scale, (dims[i], dims[i + 1])).astype(dtype)
            self.params[f"b{i + 1}"] = np.zeros(dims[i + 1]).astype(dtype)
        for i, units in enumerate(hidden_dims if use_batchnorm else []):
            self.bn_params.append({"mode": "train"})
            self.params[f"gamma{i + 1}"] = np.ones(units).astype(dtype)
            self.params[f"beta{i + 1}"] = np.zeros(units).astype(dtype)
        self.last = len(hidden_dims) + 1
        self.dropout_param = dict(p=dropout, seed=seed) if 0 < dropout < 1 else None

    def loss(self, X, y=None):
        params = {name: value.astype(np.float32) for name, value in self.params.items()}
        training, caches = y is not None, []
        hidden = X.astype(np.float32)
        for i in range(1, self.last):
            W, b = params[f"W{i}"], params[f"b{i}"]
            if self.bn_params:
                self.bn_params[i - 1]["mode"] = "train" if training else "test"
                more = params[f"gamma{i}"], params[f"beta{i}"], self.bn_params[i - 1]
                hidden, cache = utils.affine_bn_relu_forward(hidden, W, b, *more)
            else:
                hidden, cache = utils.affine_relu_forward(hidden, W, b)
            drop = None
            if self.dropout_param and training:
                hidden, drop = layers.dropout_forward(hidden, {**self.dropout_param, "mode": "train"})
            caches.insert(0, (i, cache, drop))
        scores, cache = layers.affine_forward(hidden, params[f"W{self.last}"], params[f"b{self.last}"])
        if not training:
            return scores
        loss, d = layers.softmax_loss(scores, y)
        grads = dict(zip(["d", f"W{self.last}", f"b{self.last}"], layers.affine_backward(d, cache)))
        d = grads.pop("d")
        for i, cache, drop in caches:
            d = d if drop is None else layers.dropout_backward(d, drop)
            names = [f"W{i}", f"b{i}", f"gamma{i}", f"beta{i}"]
            backward = utils.affine_bn_relu_backward if self.bn_params else utils.affine_relu_backward
            d, *found = backward(d, cache)
            grads.update(zip(names, found))
        for i in range(self.last, 0, -1):
            loss += 0.5 * self.reg * np.sum(np.square(params[f"W{i}"]))
            grads[f"W{i}"] = grads[f"W{i}"] + self.reg * params[f"W{i}"]
        return loss, grads
