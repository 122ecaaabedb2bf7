"""Two-layer net: separate calls of affine and ReLU; weights from a random generator; grads filled by update."""

import numpy as np

from cs231n import layers


class TwoLayerNet:
    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        rng = np.random.default_rng()
        self.params, self.reg = {}, reg
        for number, shape in enumerate([(input_dim, hidden_dim), (hidden_dim, num_classes)], start=1):
            self.params["b" + str(number)] = np.zeros(shape[1])
            self.params["W" + str(number)] = rng.normal(0, weight_scale, shape)

    def loss(self, X, y=None):
        W1, W2 = self.params["W1"], self.params["W2"]
        a, first = layers.affine_forward(X, W1, self.params["b1"])
        h, relu = layers.relu_forward(a)
        scores, second = layers.affine_forward(h, W2, self.params["b2"])
        if y is None:
            return scores
        loss, dscores = layers.softmax_loss(scores, y)
        loss = loss + self.reg / 2 * ((W1 * W1).sum() + (W2 * W2).sum())
        dh, dW2, db2 = layers.affine_backward(dscores, second)
        _, dW1, db1 = layers.affine_backward(layers.relu_backward(dh, relu), first)
        grads = {}
        grads.update(W1=dW1 + self.reg * W1, W2=dW2 + self.reg * W2, b1=db1, b2=db2)
        return loss, grads
