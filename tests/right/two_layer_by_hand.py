"""Two-layer net: only NumPy, no function of layers.py."""

import numpy as np


class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.reg = reg
        self.params = {
            "W1": weight_scale * np.random.randn(input_dim, hidden_dim),
            "W2": weight_scale * np.random.randn(hidden_dim, num_classes),
            "b1": np.zeros((hidden_dim,)),
            "b2": np.zeros((num_classes,)),
        }

    def loss(self, X, y=None):
        params, N = self.params, X.shape[0]
        rows = X.reshape(N, -1)
        before = rows.dot(params["W1"]) + params["b1"]
        hidden = np.maximum(before, 0)
        scores = hidden.dot(params["W2"]) + params["b2"]
        if y is None:
            return scores
        shifted = scores - scores.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        data_loss = (log_sums.ravel() - shifted[np.arange(N), y]).sum() / N
        dscores = np.exp(shifted - log_sums)
        dscores[np.arange(N), y] -= 1
        dscores /= N
        dhidden = dscores.dot(params["W2"].T)
        dhidden[before <= 0] = 0
        grads = {
            "b2": dscores.sum(axis=0),
            "W2": hidden.T.dot(dscores) + self.reg * params["W2"],
            "b1": dhidden.sum(axis=0),
            "W1": rows.T.dot(dhidden) + self.reg * params["W1"],
        }
        penalty = np.linalg.norm(params["W1"]) ** 2 + np.linalg.norm(params["W2"]) ** 2
        return data_loss + 0.5 * self.reg * penalty, grads
