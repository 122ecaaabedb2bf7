"""Fully connected net: a list of layer objects; each keeps its cache and its dropout settings."""

import numpy as np

from cs231n import layers


class _Layer:
    def __init__(self, forward, backward, names=(), settings=None):
        self.functions, self.names, self.settings = (forward, backward), names, settings

    def forward(self, x, params):
        more = [] if self.settings is None else [self.settings]
        out, self.cache = self.functions[0](x, *(params[name] for name in self.names), *more)
        return out

    def backward(self, dout, grads):
        found = self.functions[1](dout, self.cache)
        if not self.names:
            return found
        grads.update(zip(self.names, found[1:]))
        return found[0]


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
        self.reg, self.dtype, self.params, self.layers = reg, dtype, {}, []
        inputs = input_dim
        for number, units in enumerate(hidden_dims, start=1):
            self._affine(number, inputs, units, weight_scale)
            if use_batchnorm:
                names = f"gamma{number}", f"beta{number}"
                self.params[names[0]], self.params[names[1]] = np.ones(units), np.zeros(units)
                self._add(layers.batchnorm_forward, layers.batchnorm_backward, names, {})
            self._add(layers.relu_forward, layers.relu_backward)
            if 0 < dropout < 1:
                settings = {"p": dropout} if seed is None else {"p": dropout, "seed": seed}
                self._add(layers.dropout_forward, layers.dropout_backward, (), settings)
            inputs = units
        self._affine(len(hidden_dims) + 1, inputs, num_classes, weight_scale)
        self.params = {name: np.asarray(value, dtype) for name, value in self.params.items()}

    def _add(self, *layer):
        self.layers.append(_Layer(*layer))

    def _affine(self, number, inputs, outputs, scale):
        names = f"W{number}", f"b{number}"
        self.params[names[0]], self.params[names[1]] = scale * np.random.randn(inputs, outputs), np.zeros(outputs)
        self._add(layers.affine_forward, layers.affine_backward, names)

    def loss(self, X, y=None):
        out, grads = X.astype(self.dtype), {}
        for layer in self.layers:
            if layer.settings is not None:
                layer.settings["mode"] = "test" if y is None else "train"
            out = layer.forward(out, self.params)
        if y is None:
            return out
        loss, slope = layers.softmax_loss(out, y)
        for layer in self.layers[::-1]:
            slope = layer.backward(slope, grads)
        for name in filter(lambda name: name.startswith("W"), self.params):
            loss += self.reg / 2 * np.einsum("ij,ij", self.params[name], self.params[name])
            grads[name] = grads[name] + self.reg * self.params[name]
        return loss, grads
