"""Fully connected net: each layer appends its backward function to a list, which is then called in reverse order."""

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
        self.reg, self.dtype, self.params = reg, dtype, {}
        self.use_batchnorm = use_batchnorm
        self.dropout_param = {"mode": "train", "p": dropout} if dropout not in (0, 1) else {}
        if seed is not None:
            self.dropout_param["seed"] = seed
        self.num_layers = len(hidden_dims) + 1
        for i, outputs in enumerate([*hidden_dims, num_classes], 1):
            self.params[f"b{i}"] = np.zeros(outputs, dtype=dtype)
            self.params[f"W{i}"] = weight_scale * np.random.standard_normal((input_dim, outputs)).astype(dtype)
            if use_batchnorm and i != self.num_layers:
                self.params |= {f"gamma{i}": np.ones(outputs, dtype), f"beta{i}": np.zeros(outputs, dtype)}
            input_dim = outputs
        self.bn_params = [{"mode": "train"} for _ in hidden_dims] if use_batchnorm else []

    def loss(self, X, y=None):
        tape, grads, mode = [], {}, ["train", "test"][y is None]

        def put(result, backward, *names):
            out, cache = result

            def play(dout):
                gradients = backward(dout, cache)
                dx, *others = gradients if names else [gradients]
                grads.update(zip(names, others))
                return dx

            tape.append(play)
            return out

        h, p = X.astype(self.dtype), self.params
        for i in range(1, self.num_layers + 1):
            h = put(layers.affine_forward(h, p[f"W{i}"], p[f"b{i}"]), layers.affine_backward, f"W{i}", f"b{i}")
            if i == self.num_layers:
                break
            if self.use_batchnorm:
                self.bn_params[i - 1]["mode"] = mode
                normed = layers.batchnorm_forward(h, p[f"gamma{i}"], p[f"beta{i}"], self.bn_params[i - 1])
                h = put(normed, layers.batchnorm_backward_alt, f"gamma{i}", f"beta{i}")
            h = put(layers.relu_forward(h), layers.relu_backward)
            if "p" in self.dropout_param:
                self.dropout_param["mode"] = mode
                h = put(layers.dropout_forward(h, self.dropout_param), layers.dropout_backward)
        if y is None:
            return h
        loss, d = layers.softmax_loss(h, y)
        while tape:
            d = tape.pop()(d)
        weights = {name: value for name, value in p.items() if name[0] == "W"}
        loss += self.reg / 2 * sum((value**2).sum() for value in weights.values())
        return loss, {name: grads[name] + self.reg * weights.get(name, 0) for name in sorted(grads)}
