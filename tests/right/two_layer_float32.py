"""Two-layer net: parameters, scores and gradients in float32; the caches are attributes of the net."""

import numpy as np

from cs231n.layer_utils import affine_relu_backward, affine_relu_forward
from cs231n.layers import affine_backward, affine_forward, softmax_loss


class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.reg, self.params = reg, {}
        for layer, inputs, outputs in ((1, input_dim, hidden_dim), (2, hidden_dim, num_classes)):
            weights = np.random.normal(0, weight_scale, (inputs, outputs))
            self.params.update({f"W{layer}": weights.astype(np.float32), f"b{layer}": np.zeros(outputs, np.float32)})

    def scores(self, X):
        p = {name: value.astype(np.float32) for name, value in self.params.items()}
        hidden, self.first = affine_relu_forward(X.astype(np.float32), p["W1"], p["b1"])
        scores, self.second = affine_forward(hidden, p["W2"], p["b2"])
        return scores

    def loss(self, X, y=None):
        scores = self.scores(X)
        if y is None:
            return scores
        loss, d = softmax_loss(scores, y)
        dhidden, dW2, db2 = affine_backward(d, self.second)
        _, dW1, db1 = affine_relu_backward(dhidden, self.first)
        for name, slope in (("W1", dW1), ("W2", dW2)):
            slope += np.float32(self.reg) * self.params[name].astype(np.float32)
            loss = loss + self.reg * float((self.params[name] ** 2).sum()) / 2
        return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
